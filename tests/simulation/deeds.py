"""What somebody does in a run: posts a message, has a second thought, ends an execution."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Message:
    """A message with its videos' prompts, and the moments at which it is delivered."""

    id: str
    prompts: list[str]
    deliveries: list[float] = field(default_factory=lambda: [0.0])
    answers: list[list[str | None]] = field(default_factory=list)  # the videos of each good answer

    @property
    def body(self) -> dict[str, Any]:
        """The body of its request."""
        text = "".join(
            f"<createAIVideo>{json.dumps({'prompt': prompt})}</createAIVideo>"
            for prompt in self.prompts
        )
        return {"text": text, "messageId": self.id}


@dataclass
class Wish:
    """What a user asks for at some moment, of the video number `index` of those that there are."""

    at: float
    verb: str  # cancel, retry or retry-anyway
    index: int


@dataclass
class Blow:
    """What is done to the execution number `index` at some moment; `redrive` is how much later it
    is redriven, None for never."""

    at: float
    how: str  # ABORTED, TIMED_OUT or FAILED
    index: int
    redrive: float | None = None
