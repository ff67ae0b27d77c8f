"""What a fake chat platform holds: the messages of a channel, as a person there sees them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any, Protocol


@dataclass(frozen=True)
class Shown:
    """A message. `author` is `you` or `bot`; `pending` is an answer that is still to come; `edits`
    counts how often it was changed. A video is a file of our own or at `url`."""

    id: str
    author: str
    text: str = ""
    thread: str | None = None
    pending: bool = False
    buttons: tuple[tuple[str, str], ...] = ()  # label and value
    video: bytes | None = field(default=None, repr=False)
    filename: str = ""
    url: str = ""
    edits: int = 0
    only_you: bool = False


class Room:
    """A channel, in memory; used by several threads. Raises KeyError for a message that is gone."""

    def __init__(self) -> None:
        self._messages: dict[str, Shown] = {}
        self._lock = threading.Lock()
        self._last = 0.0

    def new_id(self) -> str:
        """A number that grows: seconds with six digits after the point, as Slack's."""
        with self._lock:
            self._last = max(time.time(), self._last + 0.000001)
            return f"{self._last:.6f}"

    def add(self, message: Shown) -> Shown:
        with self._lock:
            self._messages[message.id] = message
        return message

    def edit(self, message_id: str, **changes: Any) -> Shown:
        with self._lock:
            message = self._messages[message_id]
            edited = replace(message, **changes, edits=message.edits + 1)
            self._messages[message_id] = edited
        return edited

    def get(self, message_id: str) -> Shown:
        with self._lock:
            return self._messages[message_id]

    def remove(self, message_id: str) -> None:
        with self._lock:
            del self._messages[message_id]

    def messages(self) -> list[Shown]:
        """All messages, oldest first."""
        with self._lock:
            return list(self._messages.values())


class FakePlatform(Protocol):
    """A chat platform on this machine: its API for bots, and a person who writes in it."""

    name: str
    room: Room
    section: dict[str, str]  # what the deployment's secret holds for it, `base_url` included
    refusals: list[str]  # what broke the platform's contract, a sentence each
    answer_seconds: float  # how long the app may take to answer a request

    def connect(self, base_url: str, webhook_url: str) -> None:
        """Says where its API is served, and where its requests go: the setting up of the app."""

    def application(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Its API (WSGI)."""

    def write(self, text: str) -> str:
        """The person writes that. Sends the request that the platform would, and shows what comes
        back. Returns the id of the message in the room; raises RuntimeError, with the platform's
        words for it, if the request was not accepted."""

    def press(self, message_id: str, value: str) -> None:
        """The person presses a button of that message."""
