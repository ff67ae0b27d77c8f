"""What the verbs need from the outside to talk in chats: Protocols that a few lines can fake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from actionreel.chats import Address, Film, Headers, Line, Received, Section, Told, Turn
from actionreel.models import Place


class ChatReader(Protocol):
    """How a platform's requests are read. Pure: a module of two functions.

    `section` is what the deployment's secret holds for the platform; headers have lower-case names;
    the body is the bytes as they came.
    """

    def verify(self, section: Section, headers: Headers, body: bytes, now: datetime) -> bool:
        """Whether the platform sent this, a moment ago. Whatever a stranger sends, the answer is
        True or False and never an exception; without a secret it is False."""

    def read(self, section: Section, headers: Headers, body: bytes) -> Received:
        """What a verified request is. Raises RequestError (400) for one that cannot be read."""


class ChatPlatform(Protocol):
    """Where messages go. Every method raises only ChatError and its kinds."""

    @property
    def upload_limit(self) -> int:
        """How many bytes a video can have to be shown in the chat itself."""

    @property
    def repeats_safely(self) -> bool:
        """Whether a video that is sent twice is shown once."""

    def post(self, address: Address, told: Told, key: str) -> str:
        """Writes a message and returns its id. The same `key` is for the same message."""

    def edit(self, address: Address, message_id: str, told: Told) -> None:
        """Makes a message of ours say something else. Twice is the same as once. Raises
        ChatRefusedError if the message is gone."""

    def send_video(
        self, address: Address, announcement: str | None, told: Told, film: Film, key: str
    ) -> bool:
        """Shows a video; returns whether it is in the `announcement`, which it is where the
        platform can put it there."""

    def take_back(self, address: Address, message_id: str) -> None:
        """Deletes a message of ours; one that is gone is as good. Raises ChatRefusedError if it
        cannot be deleted."""


class ChatModel(Protocol):
    """A language model."""

    def reply(self, system: str, lines: Sequence[Line]) -> str:
        """What the model writes. Raises ChatError and its kinds."""


class Callbacks(Protocol):
    """Programs that are told a result at an address of theirs."""

    def call(self, url: str, message_id: str, document: Mapping[str, Any]) -> None:
        """Sends a signed message (Standard Webhooks). Raises ChatError and its kinds."""


class ChatRepository(Protocol):
    """The records of what was written in chats."""

    def add_turn(self, turn: Turn) -> Turn:
        """Writes the record of a message; gives the one that is there if it came before."""

    def turn(self, tenant: str, turn_id: str) -> Turn | None:
        """The record, or None."""

    def keep_written(self, tenant: str, turn_id: str, written: str) -> str:
        """Keeps what the model wrote, and gives it; what is there already, if there is."""

    def claim_words(self, tenant: str, turn_id: str) -> bool:
        """Takes the right to say the turn's words; False if it was taken before."""

    def give_words_back(self, tenant: str, turn_id: str) -> None:
        """Gives that right back: they were certainly not said."""

    def take_turn(self, tenant: str, root: str, turn_id: str) -> bool:
        """Counts a turn that the message of `root` leads to, once; False if there were too many."""

    def lines(self, tenant: str, place: Place) -> list[Line]:
        """The last lines of a thread, oldest first."""

    def add_lines(self, tenant: str, place: Place, lines: Sequence[Line]) -> None:
        """Adds lines to a thread."""
