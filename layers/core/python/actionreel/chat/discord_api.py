"""Discord's HTTP API: writes and edits messages, and shows videos in a channel.

    PATCH {base}/webhooks/{application}/{token}/messages/{id}    with an interaction's token
    POST  {base}/webhooks/{application}/{token}                  ... a message of its own
    PATCH {base}/channels/{channel}/messages/{id}                as the bot
    POST  {base}/channels/{channel}/messages                     ... a message of its own

A deferred answer is filled with the interaction's token, which is good for 15 minutes; afterwards,
and for all that is no answer, the bot writes. An edit that is repeated changes nothing, and the bot
writes with a nonce: for a few minutes, Discord shows the same one once. Messages of a token have no
nonce. So they are written only where the section has no `bot_token`, and then what may have been
taken is not to be repeated.

Sources: discord.com/developers/docs (webhook, message and application resources, error codes), and
discord.py 2.7.1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from time import sleep
from typing import Any, NamedTuple
from urllib.parse import quote

from actionreel import transport
from actionreel.chat import discord
from actionreel.chat.config import ChatConfig
from actionreel.chat.exchange import SECONDS, UPLOAD_SECONDS, Answer, exchange
from actionreel.chats import Address, Film, Told
from actionreel.errors import ChatError, ChatInDoubtError, ChatRefusedError

BASE_URL = "https://discord.com/api/v10"
UPLOAD_LIMIT = 10 * 1024 * 1024  # what a server has that nobody pays for

# An execution may be ahead of the answer that tells Discord of the deferral: it then does not know
# the token yet, as it no longer does if the answer took more than its 3 s.
ACKNOWLEDGED_SECONDS = 1.0

_ORIGINAL = "@original"  # Discord's name of the deferred answer
_MAX_NONCE = 25
_UNKNOWN_WEBHOOK, _TOKEN_EXPIRED = 10015, 50027
_UNKNOWN_MESSAGE, _ANOTHER_AUTHOR = 10008, 50005
_ELSEWHERE = (_UNKNOWN_WEBHOOK, _TOKEN_EXPIRED, _UNKNOWN_MESSAGE, _ANOTHER_AUTHOR)
_TOO_LARGE = 40005
_HINTS = {
    10003: "the channel is gone, or the app is not in it",
    50001: "the app is not in the channel",
    50007: "this person takes no messages from the app",
    50013: "the app lacks permissions in the channel: it needs to send messages and attach files",
    160002: "the app lacks the permission to read the channel's history",
}


class _CodedError(ChatRefusedError):
    """A refusal with the number that Discord gave it; 0 if it gave none."""

    def __init__(self, message: str, number: int = 0) -> None:
        super().__init__(message)
        self.number = number


class _Route(NamedTuple):
    """A way to write or edit a message; `token` is the bot's, `fields` what only this way takes."""

    method: str
    path: str
    token: str | None = None
    fields: Mapping[str, Any] = {}


class Discord:
    """Discord, as the app of the section's `application_id` and its `bot_token`."""

    upload_limit = UPLOAD_LIMIT

    def __init__(self, config: ChatConfig) -> None:
        self._config = config

    @property
    def repeats_safely(self) -> bool:
        """Whether there is a bot to write in place of a token: see above."""
        with suppress(ChatError):
            return bool(self._config.section().get("bot_token"))
        return False

    def post(self, address: Address, told: Told, key: str) -> str:
        """Writes a message, or fills the answer that is owed. See ChatPlatform for its errors."""
        answer = self._first(self._new(address, key), discord.message(told))
        message_id = answer.document.get("id")
        if isinstance(message_id, str) and message_id:
            return message_id  # of a deferred answer, too: the bot can edit it by that
        if address.place.deferred and address.reply_token:
            return _ORIGINAL
        raise ChatInDoubtError("Discord did not say which message it wrote.")

    def edit(self, address: Address, message_id: str, told: Told) -> None:
        """Changes a message. See ChatPlatform for what it raises."""
        self._first(self._existing(address, message_id), discord.message(told))

    def send_video(
        self, address: Address, announcement: str | None, told: Told, film: Film, key: str
    ) -> bool:
        """Puts the video into the announcement, or into a new message if there is none by now. See
        ChatPlatform for what it raises."""
        if film.size > UPLOAD_LIMIT:
            raise _too_large()
        payload = {
            **discord.message(told),
            "attachments": [{"id": 0, "filename": film.filename}],
        }
        file = film.filename, film.content(), "video/mp4"
        if announcement is not None:
            try:
                self._first(self._existing(address, announcement), payload, file)
                return True
            except _CodedError as refused:
                if refused.number not in _ELSEWHERE:
                    raise
        self._first(self._new(address, key), payload, file)
        return False

    def take_back(self, address: Address, message_id: str) -> None:
        """Deletes a message. See ChatPlatform for what it raises."""
        routes = (route._replace(method="DELETE") for route in self._existing(address, message_id))
        try:
            self._first(routes)
        except _CodedError as refused:
            if refused.number != _UNKNOWN_MESSAGE:
                raise

    def _new(self, address: Address, key: str) -> Iterator[_Route]:
        """The ways to write a message, the best first."""
        section, place = self._config.section(), address.place
        webhook = _webhook(section, address.reply_token)
        token = section.get("bot_token")
        if webhook and place.deferred:
            yield _Route("PATCH", f"{webhook}/messages/{_ORIGINAL}")
        if token:
            yield _Route(
                "POST", f"/channels/{_quoted(place.channel)}/messages", token, _once(address, key)
            )
        elif webhook:
            yield _Route("POST", f"{webhook}?wait=true")

    def _existing(self, address: Address, message_id: str) -> Iterator[_Route]:
        """The ways to edit a message, the likeliest first."""
        section, place = self._config.section(), address.place
        webhook = _webhook(section, address.reply_token)
        token = section.get("bot_token")
        if webhook and (place.deferred or message_id == _ORIGINAL or not token):
            named = message_id if message_id == _ORIGINAL else _quoted(message_id)
            yield _Route("PATCH", f"{webhook}/messages/{named}")
        if token and message_id != _ORIGINAL:
            path = f"/channels/{_quoted(place.channel)}/messages/{_quoted(message_id)}"
            yield _Route("PATCH", path, token)

    def _first(
        self,
        routes: Iterator[_Route],
        payload: Mapping[str, Any] = {},
        file: tuple[str, bytes, str] | None = None,
    ) -> Answer:
        """Goes the first of these ways that is open. Only a certain refusal leads to the next."""
        refused = _CodedError("Discord takes no answer here any more.", _TOKEN_EXPIRED)
        for route in routes:
            try:
                return self._ask(route, {**payload, **route.fields}, file)
            except _CodedError as error:
                refused = error
            if refused.number == _UNKNOWN_WEBHOOK and route.path.endswith(_ORIGINAL):
                sleep(ACKNOWLEDGED_SECONDS)
                with suppress(_CodedError):
                    return self._ask(route, {**payload, **route.fields}, file)
            if refused.number not in _ELSEWHERE:
                break
        raise refused

    def _ask(
        self, route: _Route, payload: Mapping[str, Any], file: tuple[str, bytes, str] | None
    ) -> Answer:
        """One request; one more with a token that is read afresh, if the bot's is refused."""
        answer = self._send(route, payload, file)
        if answer.status == 401 and route.token:
            changed = self._config.section(fresh=True).get("bot_token")
            if changed and changed != route.token:
                answer = self._send(route._replace(token=changed), payload, file)
        if not answer.ok:
            raise _refusal(answer)
        return answer

    def _send(
        self, route: _Route, payload: Mapping[str, Any], file: tuple[str, bytes, str] | None
    ) -> Answer:
        base = self._config.section().get("base_url", "").rstrip("/") or BASE_URL
        headers = {"Authorization": f"Bot {_printable(route.token)}"} if route.token else {}
        body: dict[str, Any] = {"json": payload} if payload else {}
        if file:
            body = {"data": {"payload_json": json.dumps(payload)}, "files": {"files[0]": file}}
        seconds = UPLOAD_SECONDS if file else SECONDS
        with transport.client() as client:
            return exchange(
                client,
                "Discord",
                route.method,
                base + route.path,
                headers=headers,
                seconds=seconds,
                **body,
            )


def adapter(config: ChatConfig) -> Discord:
    """The adapter of a deployment."""
    return Discord(config)


def _webhook(section: Mapping[str, str], reply_token: str | None) -> str | None:
    """Where the interaction's answers go; None if its token cannot be used."""
    application = section.get("application_id")
    if not (application and reply_token):
        return None
    return f"/webhooks/{_quoted(application)}/{_quoted(reply_token)}"


def _once(address: Address, key: str) -> dict[str, Any]:
    """What makes of two messages with the same key one, under the message that they answer."""
    nonce = hashlib.sha256(key.encode()).hexdigest()[:_MAX_NONCE]
    fields: dict[str, Any] = {"nonce": nonce, "enforce_nonce": True}
    if address.place.reply_to:
        answered = {"message_id": address.place.reply_to, "fail_if_not_exists": False}
        fields["message_reference"] = answered
    return fields


def _refusal(answer: Answer) -> _CodedError:
    found = answer.document.get("code")
    code = found if isinstance(found, int) else 0
    if answer.status == 413 or code == _TOO_LARGE:
        return _too_large()
    if answer.status == 401 and code != _TOKEN_EXPIRED:
        return _CodedError("Discord refused the bot's token.")
    hint = f": {_HINTS[code]}" if code in _HINTS else ""
    return _CodedError(f"Discord refused it ({code or f'HTTP {answer.status}'}){hint}.", code)


def _too_large() -> _CodedError:
    return _CodedError("The file is too large for Discord, which takes 10 MB.", _TOO_LARGE)


def _printable(token: str) -> str:
    if not (token.isascii() and token.isprintable()):
        raise _CodedError("Discord refused the bot's token.")
    return token


def _quoted(text: str) -> str:
    return quote(text, safe="")
