"""What a seed stands for: who does what, and what goes wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.simulation import chat_faults
from tests.simulation.creates import CREATES, FOR_GOOD
from tests.simulation.deeds import Blow, Message, Wish
from tests.simulation.families import FAMILIES, OTHERS
from tests.simulation.faults import Fault

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
    fates: list[tuple[str, float]] = field(default_factory=lambda: [("completed", 5.0)])
    events: str = "once"
    list_lag: float = 0.0
    poll_lag: float = 0.0
    crash_at: tuple[int, str] | None = None  # at that request of the functions: before, after
    way: str = ""  # of those that have a crash

    @property
    def faultless(self) -> bool:
        """Whether nothing at all goes wrong, and nobody changes his mind."""
        fates = {fate for fate, _ in self.fates}
        wronged = self.faults or self.wishes or self.blows or self.crash_at
        return not wronged and fates == {"completed"}

    @property
    def again(self) -> str:
        """The command that runs it once more."""
        if self.crash_at is None:
            return f"make simulate SEEDS=1 FIRST={self.seed}"
        number, side = self.crash_at
        return f'make simulate ARGS="--crash {self.kind}:{self.way}:{number}:{side}"'

    @property
    def prompts(self) -> list[str]:
        """What must not be in any log."""
        return [prompt for message in self.messages for prompt in message.prompts]

    @property
    def tokens(self) -> list[str]:
        """What chats and programs gave us, which must be in nothing but records."""
        return [message.secret for message in self.messages if message.secret]

    def __str__(self) -> str:
        tags = [f"{len(message.prompts)} by {message.by}" for message in self.messages]
        videos = f"messages with videos: {', '.join(tags)}"
        parts = [f"provider {self.kind}", videos, f"events {self.events}"]
        if self.list_lag or self.poll_lag:
            parts.append(f"lags {self.list_lag:g} s (list), {self.poll_lag:g} s (poll)")
        return "; ".join(
            parts
            + [f"ends {fate} after {takes:g} s" for fate, takes in self.fates]
            + [str(fault) for fault in self.faults]
            + [
                f"{wish.verb}{' in the chat' * wish.in_chat} of {wish.index} at {wish.at:.0f} s"
                for wish in self.wishes
            ]
            + [f"crash {self.crash_at[1]} request {self.crash_at[0]}" if self.crash_at else ""]
            + [f"{blow.how} of {blow.index} at {blow.at:.0f} s" for blow in self.blows]
        )


def of_crash(kind: str, way: str, crash_at: tuple[int, str] | None = None) -> Plan:
    """A message with one video and nothing but a crash; `way` is `clean`, or `unanswered` if its
    create is accepted and goes unanswered first, or the chat or `callback` that it comes by."""
    lost = Fault("hang", "provider.create", value="accepted")
    message = Message("m1", [PROMPT.format(1)], by="api" if way in ("clean", "unanswered") else way)
    faults = [lost] if way == "unanswered" else []
    return Plan(0, kind, [message], faults, crash_at=crash_at, way=way)


def of_seed(seed: int) -> Plan:
    """The plan of a seed. Twenty seeds in a row touch every family of faults, sixty every family
    with every kind of provider; of the faults of chats, five and fifteen do."""
    dice = random.Random(seed)
    plan = Plan(seed, KINDS[seed % len(KINDS)], _messages(dice))
    plan.fates = [("completed", dice.choice((2.0, 2.0, 5.0, 9.0))) for _ in range(2)]
    plan.events = dice.choice(("once", "once", "twice", "late", "never"))
    first = FAMILIES[seed % len(FAMILIES)]
    more = dice.sample(OTHERS if first in CREATES else FAMILIES, dice.choice((0, 0, 0, 1, 1, 2, 3)))
    for family in (first, *more):
        family(plan, dice)
    if dice.random() < 0.35:
        plan.wishes += [_wish(dice) for _ in range(dice.choice((1, 1, 2)))]
    _keep_list_honest(plan)
    chat_faults.take_to_chats(plan, random.Random(~seed))
    return plan


def _keep_list_honest(plan: Plan) -> None:
    """A list may lag for longer than we look into it only where nothing can be asked for twice:
    when the provider makes one job at most."""
    asked = [fault for fault in plan.faults if fault.request == "provider.create"]
    if not any(fault.times == FOR_GOOD and fault.first <= 2 for fault in asked):
        plan.list_lag = min(plan.list_lag, 100.0)


def _messages(dice: random.Random) -> list[Message]:
    """One video mostly; of two, every other time with the same prompt."""
    count = dice.choice((1, 1, 1, 2, 2, 3))
    same = dice.random() < 0.5
    prompts = [PROMPT.format(1 if same else number) for number in range(1, count + 1)]
    if count == 2 and dice.random() < 0.5:
        return [Message(f"m{number}", [prompt]) for number, prompt in enumerate(prompts, 1)]
    return [Message("m1", prompts)]


def _wish(dice: random.Random) -> Wish:
    """A cancellation while there is something to cancel, or a retry when there may be a reason."""
    if dice.random() < 0.5:
        return Wish(dice.uniform(0.2, 14), "cancel", dice.randrange(3))
    at = dice.choice((3.0, 30.0, 200.0, 400.0, 1200.0))
    return Wish(at, dice.choice(("retry", "retry-anyway")), dice.randrange(3))
