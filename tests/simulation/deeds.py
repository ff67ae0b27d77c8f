"""What somebody does in a run: posts a message, has a second thought, ends an execution."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.chatroom import PLATFORMS

AUTHOR = "U1"


@dataclass
class Message:
    """A message with its videos' prompts, and the moments at which it is delivered.

    It comes by `api`, where nobody waits for results; by `callback`, from a program that wants them
    called back; or from a chat. There one with one prompt is a command, one with several comes from
    a model, and one with none is a call for help.
    """

    id: str
    prompts: list[str]
    deliveries: list[float] = field(default_factory=lambda: [0.0])
    answers: list[list[str | None]] = field(default_factory=list)  # the videos of each good answer
    by: str = "api"

    @property
    def in_chat(self) -> bool:
        """Whether somebody wrote it in a chat."""
        return self.by in PLATFORMS

    @property
    def secret(self) -> str | None:
        """What came with it that is for nobody else: an answer's token, or a program's address."""
        secrets = {"discord": f"reply-token-of-{self.id}", "callback": f"program-of-{self.id}"}
        return secrets.get(self.by)

    @property
    def text(self) -> str:
        """What a model writes to have the videos made."""
        return "".join(
            f"<createAIVideo>{json.dumps({'prompt': prompt})}</createAIVideo>"
            for prompt in self.prompts
        )

    def body(self, origin: str) -> dict[str, Any]:
        """The body of its request to the API; programs are at that origin."""
        body = {"text": self.text, "messageId": self.id}
        if self.by == "callback":
            body["callbackUrl"] = f"{origin}/chat/programs/{self.secret}"
        return body

    @property
    def event(self) -> dict[str, Any]:
        """What the chat's platform tells of it."""
        kind = ("help", "command", "tags")[min(len(self.prompts), 2)]
        text = self.prompts[0] if kind == "command" else self.text
        return event(self.by, kind, self.id, text, self.secret)


@dataclass
class Wish:
    """What a user asks for at some moment, of the video number `index` of those that there are; in
    a chat, by pressing the button number `index` of those that do it, which is told `times`."""

    at: float
    verb: str  # cancel, retry or retry-anyway
    index: int
    in_chat: bool = False
    times: int = 1


@dataclass
class Blow:
    """What is done to the execution number `index` at some moment; `redrive` is how much later it
    is redriven, None for never."""

    at: float
    how: str  # ABORTED, TIMED_OUT or FAILED
    index: int
    redrive: float | None = None


def event(
    platform: str, kind: str, event_id: str, text: str, token: str | None = None
) -> dict[str, Any]:
    """A ChatMessage; with a token, its answer waits to be filled."""
    place = {"platform": platform, "channel": "C1", "author": AUTHOR, "deferred": bool(token)}
    told = {"kind": kind, "event_id": event_id, "place": place, "text": text}
    return {**told, "reply_token": token}
