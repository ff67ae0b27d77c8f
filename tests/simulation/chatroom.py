"""The chats, and the programs that are called back: what their servers do. No sockets here.

`telegram` shows what it is sent as often as it is sent. `discord` shows messages with the same key
once, and has an answer to each command that whoever holds its token may fill for a quarter of an
hour. They obey the fault of the exchange, and keep everything that they ever showed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.faults import Fault
from tests.simulation.replies import Reply, document, error, trouble

PLATFORMS = ("telegram", "discord")
TOKEN = "bot-token-simulated-0123456789"  # ours, at the platforms
TOKEN_SECONDS = 900.0  # how long a token fills the answer that it came with
KEY_SECONDS = 86400.0  # how long a key is remembered


@dataclass
class Shown:
    """A message of ours. `keys` are those that it was written and filled with; `untold` says that
    the last try to change it came to nothing."""

    id: str
    platform: str
    at: float
    keys: list[str] = field(default_factory=list)
    text: str = ""
    link: str | None = None
    film: bytes | None = None
    buttons: list[str] = field(default_factory=list)
    gone: bool = False
    untold: bool = False


@dataclass
class Chatroom:
    """`called` are the messages that programs took: their ids and documents."""

    now: Callable[[], float]
    messages: list[Shown] = field(default_factory=list)
    called: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, float] = field(default_factory=dict)  # until when a token fills its answer
    filled: dict[str, Shown] = field(default_factory=dict)  # by its token

    def expect(self, token: str) -> None:
        """A command was written: its answer can be filled from now on."""
        self.answers.setdefault(token, self.now() + TOKEN_SECONDS)

    def about(self, key: str) -> list[Shown]:
        """The messages that are there still, and were written with this key or for its progress."""
        keys = {key, f"{key}-progress"}
        return [shown for shown in self.messages if not shown.gone and keys & set(shown.keys)]

    def tried(self, path: str, *, came_through: bool) -> None:
        """Somebody tries to change a message, perhaps in vain."""
        names = path.split("/")
        message = self._message(names[4]) if names[3:4] == ["messages"] and names[4:] else None
        if message is not None:
            message.untold = not came_through

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes, fault: Fault | None
    ) -> Reply:
        """What the server says to a request, with that fault."""
        platform, *names = target.removeprefix("/chat/").split("/")
        gone = fault is not None and fault.kind == "gone"
        said = None
        if gone and names[1:] and (lost := self._message(names[1])):
            lost.gone = True
        if fault is None or gone or fault.value == "accepted":
            said = self._act(method, platform, names, headers, json.loads(body or b"{}"))
        return (trouble(fault) if fault else None) or said or Reply(ending="reset")

    def _act(
        self,
        method: str,
        platform: str,
        names: list[str],
        headers: dict[str, str],
        asked: dict[str, Any],
    ) -> Reply:
        if platform == "programs":
            self.called.append((headers["webhook-id"], asked))
            return document({})
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return error(401, "unauthorized")
        match method, names:
            case "POST", _:
                return self._write(platform, asked)
            case "DELETE", [_, message_id]:
                return self._delete(self._message(message_id))
            case "PUT", ["messages", message_id, *_]:
                return self._change(self._message(message_id), asked)
            case "PUT", ["answers", token, *_]:
                return self._fill(platform, token, asked)
        return error(404, "not_found")

    def _write(self, platform: str, asked: dict[str, Any]) -> Reply:
        if platform == "discord":
            since = self.now() - KEY_SECONDS
            for known in self.messages:
                if asked["key"] in known.keys and known.at > since and not known.gone:
                    return document({"id": known.id})
        return self._change(self._new(platform), asked)

    def _fill(self, platform: str, token: str, asked: dict[str, Any]) -> Reply:
        if self.now() >= self.answers.get(token, 0.0):
            return error(404, "unknown_token")
        if token not in self.filled:
            self.filled[token] = self._new(platform)
        return self._change(self.filled[token], asked)

    def _new(self, platform: str) -> Shown:
        self.messages.append(Shown(f"m{len(self.messages) + 1}", platform, self.now()))
        return self.messages[-1]

    def _change(self, shown: Shown | None, asked: dict[str, Any]) -> Reply:
        if shown is None or shown.gone:
            return error(404, "unknown_message")
        if asked.get("key"):
            shown.keys.append(asked["key"])
        shown.text, shown.link, shown.buttons = asked["text"], asked["link"], asked["buttons"]
        if "film" in asked:
            shown.film = base64.b64decode(asked["film"])
        return document({"id": shown.id})

    def _delete(self, shown: Shown | None) -> Reply:
        if shown is None or shown.gone:
            return error(404, "unknown_message")
        shown.gone = True
        return document({})

    def _message(self, message_id: str) -> Shown | None:
        return next((shown for shown in self.messages if shown.id == message_id), None)


def operation(method: str, path: str) -> str:
    """What a request to these servers is called."""
    if path.startswith("/chat/programs/"):
        return "chat.callback"
    if path.endswith(("/video", "/videos")):
        return "chat.video"
    if method == "DELETE":
        return "chat.delete"
    return "chat.post" if method == "POST" or "/answers/" in path else "chat.edit"
