"""The families of faults around the one request that costs money: asking for a video."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tests.simulation.faults import ABANDON, CRASH, STALL, Fault

if TYPE_CHECKING:
    from tests.simulation.plans import Plan

Dice = random.Random
Family = Callable[["Plan", Dice], None]

FOR_GOOD = 1000  # times
CREATE, RECONCILE = "CreateVideoFunction", "ReconcileVideoFunction"
TASKS = (CREATE, RECONCILE, "PollVideoFunction", "StoreVideoFunction", "FailVideoFunction")
GONE = ("Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError", "States.Timeout")
LAMBDA = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.Unknown",
)
_RETRY_AFTER = ("", "1", "7", "0", "-5", "86400", "soon", "Sun, 22 Nov 2026 12:00:20 GMT")
_GARBLED = ("empty", "html", "malformed", "no-id", "half", "same-id")
_AMBIGUOUS = (
    "hang",
    "reset",
    "status 500",
    "status 502",
    "status 503",
    "status 504",
    "status 408",
    "status 409",
)


def create_refused(plan: Plan, dice: Dice) -> None:
    """The provider cannot be reached, takes nobody in for a while, or refuses for good."""
    status = f"status {dice.choice((400, 401, 402, 403, 404, 413, 422))}"
    busy = f"429 {dice.choice(_RETRY_AFTER)}".strip()
    kind = dice.choice(("refused", "dns", "connect-timeout", busy, busy, status))
    add(plan, kind, "provider.create", _which(plan, dice), dice.choice((1, 1, 2, 5, 20)))


def create_unanswered(plan: Plan, dice: Dice) -> None:
    """Nobody can tell from the answer whether the provider has accepted; it may refuse later on,
    and list the job much later still."""
    refused = dice.random() < (1.0 if plan.kind == "key" else 0.7)
    first, times = (1, 1) if refused else (_which(plan, dice), dice.choice((1, 1, 2, 3)))
    if dice.random() < 0.3:
        add(plan, dice.choice(_GARBLED), "provider.create", first, value="accepted")
    else:
        value = dice.choice(("accepted", "accepted", "accepted", "accepted", "lost"))
        add(plan, dice.choice(_AMBIGUOUS), "provider.create", first, times, value=value)
    if refused:
        plan.list_lag = 400.0
        _refuse_from(plan, dice, 2)


def create_finds_anothers(plan: Plan, dice: Dice) -> None:
    """Two videos with one prompt: while a zombie is asking for the first, what became of that is
    looked up, and what is found there may be the second's job."""
    plan.messages[:] = plan.messages[:1]
    plan.messages[0].prompts[:] = plan.messages[0].prompts[:1] * 2
    goes_on = add(plan, ABANDON, "provider.create", 1, function=CREATE)
    goes_on.value = dice.choice((*LAMBDA, *GONE))
    goes_on.seconds = dice.choice((0.0, 0.5, 2.0, 4.0))
    slow = add(plan, STALL, "provider.create", 2, function=CREATE)
    slow.side, slow.seconds = "after", dice.choice((3.0, 6.0))


def create_takes_back_late(plan: Plan, dice: Dice) -> None:
    """A function that was refused puts its record back, hears nothing of that, and does it again
    when its successor is already at work; and then the provider is out of patience."""
    plan.messages[:] = plan.messages[:1]  # one video: what is counted are its requests
    plan.messages[0].prompts[:] = plan.messages[0].prompts[:1]
    add(plan, dice.choice(("429 1", "refused")), "provider.create", 1)
    wrote = add(plan, ABANDON, "dynamodb.UpdateItem", 2, function=CREATE)
    wrote.value = dice.choice((*LAMBDA, *GONE))
    add(plan, "lost", "dynamodb.UpdateItem", 2, function=CREATE)
    slow = add(plan, STALL, "provider.create", 2, times=2, function=CREATE)
    slow.side, slow.seconds = "after", dice.choice((6.0, 8.0))
    if plan.kind == "key":
        _refuse_from(plan, dice, 3)


def create_crashes(plan: Plan, dice: Dice) -> None:
    """The function that asks dies at one of its requests."""
    fault = add(plan, CRASH, "*", dice.randint(1, 6), function=CREATE, value=dice.choice(GONE))
    fault.side = dice.choice(("before", "after"))
    if dice.random() < 0.5:
        _refuse_from(plan, dice, 2)
        plan.list_lag = 400.0


def create_goes_on(plan: Plan, dice: Dice) -> None:
    """Step Functions is told that the function failed, and yet it goes on: a zombie."""
    first = dice.choice((1, 2, 3, 3, 4, 4, 5, 6))
    fault = add(plan, ABANDON, "*", first, function=CREATE)
    fault.value = dice.choice((*LAMBDA, *LAMBDA, *GONE))
    fault.side = dice.choice(("before", "after"))
    fault.seconds = dice.choice((0.0, 1.0, 4.0, 8.0, 20.0, 40.0, 60.0))


def list_troubled(plan: Plan, dice: Dice) -> None:
    """After a create that went unanswered, what should tell what became of it does not."""
    create_unanswered(plan, dice)
    if plan.kind == "list":
        plan.list_lag = dice.choice((0.0, 3.0, 30.0, 100.0))
    kinds = ("status 500", "status 404", "429 60", "malformed", "hang", "refused", "empty", "lag")
    kind = dice.choice(kinds)
    if kind != "lag":
        add(plan, kind, "provider.list", dice.randint(1, 3), times=dice.choice((1, 2, 50)))


# Those that go wrong where a video is asked for: one of them at a time, or none gets its way.
CREATES: Sequence[Family] = (
    create_unanswered,
    create_goes_on,
    create_finds_anothers,
    create_takes_back_late,
    create_refused,
    create_crashes,
    list_troubled,
)


def add(
    plan: Plan,
    kind: str,
    request: str,
    first: int,
    times: int = 1,
    function: str = "*",
    value: str | None = None,
) -> Fault:
    """Puts a fault into the plan."""
    fault = Fault(kind, request, function, first, times, value=value)
    plan.faults.append(fault)
    return fault


def _which(plan: Plan, dice: Dice) -> int:
    """The number of one of the videos."""
    return dice.randint(1, sum(len(message.prompts) for message in plan.messages))


def _refuse_from(plan: Plan, dice: Dice, first: int) -> None:
    """From that request on the provider makes no more jobs."""
    refusal = dice.choice(("status 400", "status 401", "status 402", "refused", "429"))
    add(plan, refusal, "provider.create", first, FOR_GOOD)
