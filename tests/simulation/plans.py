"""What a seed stands for: who does what, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.simulation.faults import Fault
from tests.simulation.people import Blow, Message, Wish

KINDS = ("list", "key", "none")
PROMPT = "a paper boat {}"


@dataclass
class Plan:
    """Everything that is decided before a run begins."""

    seed: int
    kind: str
    messages: list[Message]
    faults: list[Fault] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    blows: list[Blow] = field(default_factory=list)
    fates: list[tuple[str, float]] = field(default_factory=lambda: [("completed", 40.0)])
    events: str = "once"
    list_lag: float = 0.0
    poll_lag: float = 0.0

    @property
    def faultless(self) -> bool:
        """Whether nothing at all goes wrong, and nobody changes his mind."""
        fates = {fate for fate, _ in self.fates}
        return not self.faults and not self.wishes and not self.blows and fates == {"completed"}

    @property
    def secrets(self) -> list[str]:
        """What must not be in any log."""
        return [prompt for message in self.messages for prompt in message.prompts]

    def __str__(self) -> str:
        parts = [f"provider {self.kind}"]
        return "; ".join(parts + [str(fault) for fault in self.faults])


def clean(kind: str, faults: list[Fault] | None = None) -> Plan:
    """A message with one video, and only these faults."""
    return Plan(0, kind, [Message("m1", [PROMPT.format(1)])], faults or [])
