"""Chats in memory: each fake does what its port in ports.py promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from actionreel.chats import MAX_TURNS, Address, Film, Line, Received, Reply, Section, Told, Turn
from actionreel.errors import ChatRefusedError
from actionreel.models import Place

PLACE = Place(platform="telegram", channel="C1", author="U1", turn_id="turn")
CALLBACK = Place(platform="callback", url="https://program.example/hook?secret=1")


@dataclass(frozen=True)
class Message:
    """A message of ours as the chat shows it."""

    text: str
    link: str | None = None
    film: bytes | None = None
    edits: int = 0


class FakeChat:
    """A platform that shows what it is sent. `troubles` has what the next calls of a method raise:
    after it was done for `(error, True)`, before it otherwise."""

    upload_limit = 1000

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.repeats_safely = False
        self.messages: dict[str, Message] = {}
        self.keys: list[str] = []
        self.addresses: list[Address] = []
        self.troubles: dict[str, list[Exception | tuple[Exception, bool] | None]] = {}

    def post(self, address: Address, told: Told, key: str) -> str:
        self.addresses.append(address)
        after = self._trouble("post")
        self.keys.append(key)
        message_id = str(len(self.messages) + 1)
        self.messages[message_id] = Message(told.text, told.link)
        self.log.append(f"posted {key.rpartition('-')[2]}")
        if after:
            raise after
        return message_id

    def edit(self, address: Address, message_id: str, told: Told) -> None:
        after = self._trouble("edit")
        if message_id not in self.messages:
            raise ChatRefusedError("The message is gone.")
        before = self.messages[message_id]
        self.messages[message_id] = replace(
            before, text=told.text, link=told.link, edits=before.edits + 1
        )
        self.log.append("edited")
        if after:
            raise after

    def send_video(
        self, address: Address, announcement: str | None, told: Told, film: Film, key: str
    ) -> bool:
        self.addresses.append(address)
        after = self._trouble("send_video")
        self.keys.append(key)
        message_id = str(len(self.messages) + 1)
        self.messages[message_id] = Message(told.text, told.link, film.content())
        self.log.append("video shown")
        if after:
            raise after
        return False

    def take_back(self, address: Address, message_id: str) -> None:
        after = self._trouble("take_back")
        self.messages.pop(message_id, None)
        self.log.append("taken back")
        if after:
            raise after

    def _trouble(self, method: str) -> Exception | None:
        waiting = self.troubles.get(method) or [None]
        trouble = waiting.pop(0)
        if isinstance(trouble, Exception):
            raise trouble
        return trouble[0] if trouble else None

    def shown(self) -> list[Message]:
        return list(self.messages.values())


class FakeChats:
    """The records of what was written."""

    def __init__(self) -> None:
        self.turns: dict[tuple[str, str], Turn] = {}
        self.followers: dict[tuple[str, str], set[str]] = {}
        self.threads: dict[tuple[str, ...], list[Line]] = {}

    def add_turn(self, turn: Turn) -> Turn:
        return self.turns.setdefault((turn.tenant, turn.turn_id), turn)

    def turn(self, tenant: str, turn_id: str) -> Turn | None:
        return self.turns.get((tenant, turn_id))

    def keep_written(self, tenant: str, turn_id: str, written: str) -> str:
        turn = self.turns[tenant, turn_id]
        kept = turn.written if turn.written is not None else written
        self._change(tenant, turn_id, written=kept)
        return kept

    def claim_words(self, tenant: str, turn_id: str) -> bool:
        if self.turns[tenant, turn_id].said:
            return False
        self._change(tenant, turn_id, said=True)
        return True

    def give_words_back(self, tenant: str, turn_id: str) -> None:
        self._change(tenant, turn_id, said=False)

    def take_turn(self, tenant: str, root: str, turn_id: str) -> bool:
        followers = self.followers.setdefault((tenant, root), set())
        if (tenant, root) not in self.turns:
            return False
        if turn_id not in followers and len(followers) >= MAX_TURNS - 1:
            return False
        followers.add(turn_id)
        return True

    def lines(self, tenant: str, place: Place) -> list[Line]:
        return list(self.threads.get(_thread(tenant, place), []))

    def add_lines(self, tenant: str, place: Place, lines: Sequence[Line]) -> None:
        self.threads.setdefault(_thread(tenant, place), []).extend(lines)

    def _change(self, tenant: str, turn_id: str, **changes: Any) -> None:
        turn = self.turns[tenant, turn_id]
        self.turns[tenant, turn_id] = turn.model_copy(update=changes)


def _thread(tenant: str, place: Place) -> tuple[str, ...]:
    return tenant, place.platform, place.channel, place.thread or ""


class FakeCallbacks:
    """Programs that take what they are sent; `troubles` are raised by the next calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Mapping[str, Any]]] = []
        self.troubles: list[Exception] = []

    def call(self, url: str, message_id: str, document: Mapping[str, Any]) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        self.calls.append((url, message_id, document))


class FakeChatModel:
    """Writes what its script says; `heard` is what it was asked with."""

    def __init__(self, *script: str | Exception) -> None:
        self.script = list(script)
        self.heard: list[list[Line]] = []

    def reply(self, system: str, lines: Sequence[Line]) -> str:
        assert "<createAIVideo>" in system
        self.heard.append(list(lines))
        said = self.script.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


class FakeReader:
    """Reads whatever it is told to; what has no signature of `good` is refused."""

    def __init__(self, received: Received | None = None) -> None:
        self.received = received or Received(Reply())

    def verify(
        self, section: Section, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> bool:
        return headers.get("signature") == "good"

    def read(self, section: Section, headers: Mapping[str, str], body: bytes) -> Received:
        return self.received
