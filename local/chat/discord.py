"""Discord on this machine: a person who gives commands and presses buttons, and the API for apps.

Its requests are signed as Discord's are, and must be answered within 3 s. Before the first one it
sends two pings, of which one is badly signed: an app that takes that one is not called again. What
it answers to the app is in `discord_api`.

Source: discord.com/developers/docs (interactions: receiving and responding, security).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
from nacl.signing import SigningKey

from local.chat.discord_api import respond
from local.chat.discord_rules import MAX_FILE
from local.chat.discord_state import Interaction, State
from local.chat.room import Room, Shown

ANSWER_SECONDS = 3.0
TOKEN_SECONDS = 15 * 60.0

_USER = {"id": "80351110224678912", "username": "you", "discriminator": "0", "avatar": None}
_GUILD = "290926798626357999"
_OPTION = re.compile(r"\s--(seconds|model|image)\s+(\S+)|\s--(portrait|landscape|square)(?!\S)")
_COMMAND = re.compile(r"/(video|ask)(?:\s(.*))?", re.DOTALL)


class FakeDiscord:
    """Discord, with one channel and one person in it. See FakePlatform for its methods.

    `token_seconds` is how long an interaction can be answered; `clock` gives the time, in seconds
    since 1970. The next `rate_limited` calls of the API are told to wait. `commands` are those that
    the app has registered.
    """

    name = "discord"

    def __init__(
        self, token_seconds: float = TOKEN_SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        self.room = Room()
        self._state = State(self.room, token_seconds, clock)
        self._key, self._clock = SigningKey.generate(), clock
        self._webhook_url, self._verified = "", False
        self.answer_seconds = ANSWER_SECONDS
        self.section = {
            "public_key": self._key.verify_key.encode().hex(),
            "application_id": self._state.application_id,
            "bot_token": self._state.bot_token,
        }
        self.refusals = self._state.refusals

    @property
    def commands(self) -> list[dict[str, Any]]:
        return self._state.commands

    @property
    def rate_limited(self) -> int:
        return self._state.rate_limited

    @rate_limited.setter
    def rate_limited(self, calls: int) -> None:
        self._state.rate_limited = calls

    def connect(self, base_url: str, webhook_url: str) -> None:
        """Says where its API is served, and where its requests go."""
        self.section["base_url"] = base_url
        self._webhook_url, self._verified = webhook_url, False

    def application(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Its API (WSGI)."""
        return respond(self._state, environ, start_response)

    def write(self, text: str) -> str:
        """The person gives the command `/video` or `/ask`."""
        command = _COMMAND.fullmatch(text.strip())
        if command is None:
            raise RuntimeError("Discord sends us commands only")
        data = {"id": self._state.new_id(), "name": command[1], "type": 1}
        options = _options(command[1], command[2] or "")
        written = self.room.add(Shown(id=self._state.new_id(), author="you", text=text))
        interaction = self._interact({"type": 2, "data": {**data, "options": options}}, answer=5)
        self._state.defer(interaction)
        return written.id

    def press(self, message_id: str, value: str) -> None:
        """The person presses a button of that message."""
        if value not in [button[1] for button in self.room.get(message_id).buttons]:
            raise RuntimeError("there is no such button")
        data = {"custom_id": value, "component_type": 2}
        shown = self._state.document(message_id)
        interaction = self._interact({"type": 3, "data": data, "message": shown}, answer=6)
        interaction.original = message_id
        interaction.answered = True

    def _interact(self, fields: dict[str, Any], answer: int) -> Interaction:
        """Sends an interaction. Raises RuntimeError, and its token stays void, if it was not
        answered as it must be."""
        self._verify()
        interaction = self._state.new_interaction()
        document = {**self._context(interaction), **fields}
        began = time.monotonic()
        try:
            answered = self._send(document, self._key)
            said = answered.json()
        except (httpx.HTTPError, ValueError):
            raise RuntimeError("The application did not respond.") from None
        late = time.monotonic() - began > self.answer_seconds
        kind = said.get("type") if isinstance(said, dict) else None
        if late or answered.status_code != 200 or kind != answer:
            raise RuntimeError("The application did not respond.")
        return interaction

    def _verify(self) -> None:
        """As when an app's address is entered, and from time to time afterwards."""
        if self._verified:
            return
        ping = {**self._context(self._state.new_interaction()), "type": 1}
        wrong, right = self._send(ping, SigningKey.generate()), self._send(ping, self._key)
        answers = right.status_code == 200 and right.json() == {"type": 1}
        if wrong.status_code != 401 or not answers:
            self.refusals.append("The interactions endpoint did not tell a bad signature.")
            raise RuntimeError("The specified interactions endpoint url could not be verified.")
        self._verified = True

    def _send(self, document: dict[str, Any], key: SigningKey) -> httpx.Response:
        body, sent_at = json.dumps(document).encode(), str(int(self._clock()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Discord-Interactions/1.0 (+https://discord.com)",
            "X-Signature-Ed25519": key.sign(sent_at.encode() + body).signature.hex(),
            "X-Signature-Timestamp": sent_at,
        }
        return httpx.post(
            self._webhook_url,
            content=body,
            headers=headers,
            timeout=self.answer_seconds + 1,
            trust_env=False,
        )

    def _context(self, interaction: Interaction) -> dict[str, Any]:
        channel = self._state.channel_id
        return {
            "id": interaction.id,
            "application_id": self._state.application_id,
            "token": interaction.token,
            "version": 1,
            "guild_id": _GUILD,
            "guild": {"id": _GUILD, "locale": "en-US", "features": []},
            "channel_id": channel,
            "channel": {"id": channel, "type": 0, "name": "films", "guild_id": _GUILD},
            "member": {"user": _USER, "roles": [], "permissions": "2147483647", "nick": None},
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": "2147483647",
            "entitlements": [],
            "authorizing_integration_owners": {"0": _GUILD},
            "context": 0,
            "attachment_size_limit": MAX_FILE,
        }


def _options(command: str, text: str) -> list[dict[str, Any]]:
    """What a person fills in: Discord has fields for a command's options, and no hyphens."""
    if command == "ask":
        return [{"name": "words", "type": 3, "value": text.strip()}]
    given: list[dict[str, Any]] = []
    for name, value, shape in _OPTION.findall(f" {text}"):
        if name == "seconds" and value.isdigit():
            given.append({"name": name, "type": 4, "value": int(value)})
        else:
            given.append({"name": name or "shape", "type": 3, "value": value or shape})
    prompt = _OPTION.sub("", f" {text}").strip()
    return [{"name": "prompt", "type": 3, "value": prompt}, *given]
