"""What Discord on this machine knows: interactions, messages as its API shows them, commands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.chat.room import Room, Shown

_EPOCH_MS = 1_420_070_400_000  # Discord's ids count from 2015 on


@dataclass
class Interaction:
    """What an app may answer: not before its first `answered`, nor after `until`."""

    id: str
    token: str
    until: float
    answered: bool = False
    original: str | None = None
    messages: set[str] = field(default_factory=set)


class State:
    """All that this Discord knows; `lock` is for whoever changes it."""

    def __init__(self, room: Room, token_seconds: float, clock: Callable[[], float]) -> None:
        self.room, self._token_seconds, self.clock = room, token_seconds, clock
        self.lock = threading.RLock()
        self._last = 0
        self.application_id, self.channel_id = self.new_id(), self.new_id()
        self.bot_token = f"a-bot-token.{self.application_id}"
        self.refusals: list[str] = []
        self.commands: list[dict[str, Any]] = []
        self.rate_limited = 0
        self.interactions: dict[str, Interaction] = {}
        self.components: dict[str, list[dict[str, Any]]] = {}
        self.nonces: dict[str, tuple[str, float]] = {}

    def new_id(self) -> str:
        """A snowflake, larger than all before."""
        with self.lock:
            self._last = max(self._last + 1, int(self.clock() * 1000 - _EPOCH_MS) << 22)
            return str(self._last)

    def new_interaction(self) -> Interaction:
        number = self.new_id()
        made = Interaction(number, f"a-token-{number}", self.clock() + self._token_seconds)
        with self.lock:
            self.interactions[made.token] = made
        return made

    def defer(self, interaction: Interaction) -> None:
        """Shows that an answer is to come."""
        with self.lock:
            shown = self.room.add(Shown(id=self.new_id(), author="bot", pending=True))
            interaction.original, interaction.answered = shown.id, True
            interaction.messages.add(shown.id)

    def document(self, message_id: str) -> dict[str, Any]:
        """A message as the API shows it."""
        shown = self.room.get(message_id)
        seconds = ((int(message_id) >> 22) + _EPOCH_MS) / 1000
        attachment = {
            "id": f"{int(message_id) + 1}",
            "filename": shown.filename,
            "size": len(shown.video or b""),
            "url": f"https://cdn.discordapp.com/attachments/{message_id}/{shown.filename}",
            "proxy_url": f"https://media.discordapp.net/attachments/{message_id}",
            "content_type": "video/mp4",
        }
        return {
            "id": message_id,
            "type": 0,
            "channel_id": self.channel_id,
            "content": shown.text,
            "author": {"id": self.application_id, "username": "actionreel", "bot": True}
            | {"discriminator": "0000", "avatar": None},
            "attachments": [attachment] if shown.video is not None else [],
            "components": self.components.get(message_id, []),
            "timestamp": datetime.fromtimestamp(seconds, UTC).isoformat(),
            "edited_timestamp": None,
            "flags": 128 if shown.pending else 0,
            "embeds": [],
            "mentions": [],
            "mention_roles": [],
            "mention_everyone": False,
            "pinned": False,
            "tts": False,
        }
