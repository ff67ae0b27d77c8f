"""The documents of chats: what was written to us, what we write, and what is in between.

None of it is in the words of a platform: those are in `chat/`. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from actionreel.models import Document, Passed, Place

# What was written: arguments of `/video`; words for the model; a model's message with its tags; a
# press of one of our buttons; a call for help; the result of a video, for the model that asked; a
# message of somebody who may not.
Kind = Literal["command", "talk", "tags", "button", "help", "result", "refused"]
Deed = Literal["cancel", "retry", "retry_anyway"]
DEEDS: tuple[Deed, ...] = ("cancel", "retry", "retry_anyway")

MAX_TURNS = 6  # that one message of a person leads to

# How long what comes with a message lets us answer it, less a margin for our own slowness.
_REPLY_LIFETIMES = {"discord": timedelta(minutes=14, seconds=30), "slack": timedelta(minutes=29)}


class ChatMessage(Passed):
    """What somebody wrote, as a platform's reader gives it.

    `event_id` is the platform's own name of the event, the same each time that it is delivered;
    `text` is plain. `reply_token` lets whoever has it answer for a while (Discord's token of an
    interaction, Slack's response_url): a secret, which stays out of executions and logs.
    """

    kind: Kind
    event_id: str
    place: Place
    text: str = ""
    reply_token: str | None = None


class Turn(Passed):
    """The record of a message: what is to be answered, and how far that has come.

    `root` is the turn of the person's message that this one goes back to, None for that one itself;
    `written` is what the model wrote; `said` that its words were sent, or may have been.
    """

    tenant: str
    turn_id: str
    message: ChatMessage
    base_url: str
    received_at: datetime
    root: str | None = None
    written: str | None = None
    said: bool = False


class TurnRef(Passed):
    """The document of the state machine that answers messages; `caught` is there at its end, when
    nothing else helped."""

    tenant: str
    turn_id: str
    caught: dict[str, Any] | None = None


class Line(Document):
    """A line of a thread, as a model reads it."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class Reply:
    """The HTTP answer to a platform's request; the body is JSON unless it is None."""

    status: int = 200
    body: dict[str, Any] | None = None


@dataclass(frozen=True)
class Received:
    """What a platform's reader makes of a request: the answer, and the message if it is one."""

    reply: Reply
    message: ChatMessage | None = None


@dataclass(frozen=True)
class Button:
    """A button under a message: what it says, and what it does to which video."""

    label: str
    deed: Deed
    video_id: str

    @property
    def value(self) -> str:
        """What the platform gives back when it is pressed."""
        return f"{self.deed}:{self.video_id}"


@dataclass(frozen=True)
class Told:
    """A message of ours: plain text, at most 4,000 characters, with nothing in it that a platform
    may read as its own markup; `link` leads to the finished video. What is `passing` will be
    changed; where it cannot be, it is for nobody but who asked."""

    text: str
    link: str | None = None
    buttons: tuple[Button, ...] = ()
    passing: bool = False


@dataclass(frozen=True)
class Film:
    """A finished video's file. `url` gives it to whoever has it, for 15 minutes; `content` reads
    it whole."""

    filename: str
    size: int
    url: str
    content: Callable[[], bytes]


@dataclass(frozen=True)
class Address:
    """A place, and what lets us answer there: `reply_token` is None once it has expired."""

    place: Place
    reply_token: str | None = None


def reply_token(turn: Turn, now: datetime) -> str | None:
    """The token that came with the message, while it can be used."""
    lifetime = _REPLY_LIFETIMES.get(turn.message.place.platform)
    if lifetime is None or now - turn.received_at > lifetime:
        return None
    return turn.message.reply_token


def pressed(value: object) -> str | None:
    """The value of a button of ours; None for any other value."""
    if not isinstance(value, str):
        return None
    deed, _, video_id = value.partition(":")
    return value if deed in DEEDS and video_id else None


Section = Mapping[str, str]  # of the secret: what it holds for one platform
Headers = Mapping[str, str]  # with lower-case names
