"""One run: its clock, its dice, its faults and its trace.

Whatever reaches out of the product goes through `request`: there the baton is given away, there the
faults strike, and there the requests are counted for those who want to crash at each of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from tests.simulation.chatroom import Chatroom
from tests.simulation.faults import ABANDON, BEFALLS, CRASH, Fault
from tests.simulation.scheduler import Actor, Killed, Scheduler
from tests.simulation.studio import EPOCH, Studio

T = TypeVar("T")

_LATENCIES = (0.002, 0.01, 0.01, 0.05, 0.05, 0.3, 1.5)
_NOON = datetime.fromtimestamp(EPOCH, UTC)


@dataclass
class Outcome:
    """What came of an invocation: its payload, or the name of the error and the report of it."""

    payload: Any = None
    error: str = ""

    @property
    def report(self) -> dict[str, str]:
        """The payload of an error, as Lambda writes it."""
        message = "The sandbox is gone."
        return self.payload or {"errorType": self.error, "errorMessage": message}


@dataclass
class Invocation:
    """A function at work. `deadline` is when Lambda kills it, `skew` how wrong its clock is.

    Step Functions may have been told of an `outcome` while it still goes on.
    """

    function: str
    video_id: str
    deadline: float
    skew: float = 0.0
    actor: Actor | None = None
    waiting: Actor | None = None
    outcome: Outcome | None = None
    struck: bool = False  # by a fault
    over: bool = False


@dataclass
class World:
    """`crash_at` kills at the n-th request of all functions, before or after it is carried out."""

    seed: int
    kind: str
    faults: list[Fault] = field(default_factory=list)
    crash_at: tuple[int, str] | None = None
    trace: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)  # the status of each record
    answered: list[str] = field(default_factory=list)  # the bodies of the API's answers
    violations: list[str] = field(default_factory=list)
    invocations: list[Invocation] = field(default_factory=list)
    executions: list[Any] = field(default_factory=list)  # of interpreter.Execution
    on_execution_end: Callable[[Any], None] = lambda execution: None
    requests: int = 0
    busy: int = 0  # actors whose work the end of the run waits for

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.entropy = random.Random(~self.seed)  # what the product and its libraries ask for
        self.scheduler = Scheduler()
        self.studio = Studio(self.kind, lambda: self.scheduler.now, self._asker)
        self.chatroom = Chatroom(lambda: self.scheduler.now)

    @property
    def invocation(self) -> Invocation | None:
        """The invocation that runs now, if it is one that runs."""
        scope = self.scheduler.current.scope
        return scope if isinstance(scope, Invocation) else None

    def clock(self) -> datetime:
        """The time, as whoever runs now sees it."""
        skew = self.invocation.skew if self.invocation else 0.0
        return _NOON + timedelta(seconds=self.scheduler.now + skew)

    def spawn(self, name: str, target: Callable[[], None], scope: Any = None) -> Actor:
        """Somebody new, whose work the end of the run waits for."""

        def work() -> None:
            try:
                target()
            finally:
                self.busy -= 1

        self.busy += 1
        return self.scheduler.spawn(name, work, scope)

    def sleep(self, seconds: float) -> None:
        """Time passes; a function whose time is over does not wake up from it."""
        self.scheduler.sleep(seconds)
        if self.invocation and self.scheduler.now >= self.invocation.deadline:
            self.note("killed: out of time")
            raise Killed

    def note(self, text: str) -> None:
        """A line of the trace."""
        now, actor = self.scheduler.now, self.scheduler.current.name
        self.trace.append(f"{now:10.3f}  {actor:<30} {text}")

    def violate(self, invariant: str, what: str) -> None:
        """An invariant does not hold."""
        self.note(f"VIOLATED {invariant}: {what}")
        self.violations.append(f"{invariant}: {what}")

    def fault(self, name: str) -> list[Fault]:
        """The faults that strike this request of whoever runs now."""
        invocation = self.invocation
        function = invocation.function if invocation else self.scheduler.current.name
        struck = [fault for fault in self.faults if fault.strikes(name, function)]
        if struck and invocation:
            invocation.struck = True
        return struck

    def request(self, name: str, carry_out: Callable[[Fault | None], T]) -> T:
        """A request that leaves the product. `carry_out` gets the fault that is its answer."""
        struck = self.fault(name)
        if self.invocation:
            self.requests += 1
            if self.crash_at and self.crash_at[0] == self.requests:
                self.invocation.struck = True
                struck.append(Fault(CRASH, side=self.crash_at[1], value="Lambda.Unknown"))
        self.sleep(self.random.choice(_LATENCIES))
        self._befall("before", name, struck)
        try:
            return carry_out(next((one for one in struck if one.kind not in BEFALLS), None))
        finally:
            self._befall("after", name, struck)
            self.sleep(self.random.choice(_LATENCIES))

    def settle(self, invocation: Invocation, outcome: Outcome) -> None:
        """Tells whoever waits for the invocation what came of it; only the first word counts."""
        if invocation.outcome is None:
            invocation.outcome = outcome
            if invocation.waiting:
                self.scheduler.wake(invocation.waiting)

    def _befall(self, side: str, name: str, struck: list[Fault]) -> None:
        invocation = self.invocation
        if invocation is None or self.scheduler.current.dead:
            return
        for fault in struck:
            if fault.kind not in BEFALLS or fault.side != side:
                continue
            self.note(f"{fault.kind} {side} {name} {fault.value or ''} {fault.seconds:g} s")
            if fault.kind in (CRASH, ABANDON):
                self.settle(invocation, Outcome(error=str(fault.value)))
            if fault.kind == CRASH:
                self.scheduler.current.dead = True
                raise Killed
            self.sleep(fault.seconds)

    def _asker(self) -> str:
        return self.invocation.video_id if self.invocation else ""


active: World | None = None  # the run of this process, if there is one
