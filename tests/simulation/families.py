"""The families of faults: for each point of the matrix, what can go wrong there.

Each takes a plan and dice, and puts one fault of its kind into the plan.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tests.simulation.faults import ABANDON, CRASH, STALL, Fault
from tests.simulation.people import Blow

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


def nothing(plan: Plan, dice: Dice) -> None:
    """Nothing: it must simply work."""


def create_refused(plan: Plan, dice: Dice) -> None:
    """The provider cannot be reached, takes nobody in for a while, or refuses for good."""
    status = f"status {dice.choice((400, 401, 402, 403, 404, 413, 422))}"
    busy = f"429 {dice.choice(_RETRY_AFTER)}".strip()
    kind = dice.choice(("refused", "connect-timeout", busy, busy, status))
    _add(plan, kind, "provider.create", _which(plan, dice), dice.choice((1, 1, 2, 5, 20)))


def create_unanswered(plan: Plan, dice: Dice) -> None:
    """Nobody can tell from the answer whether the provider has accepted; it may refuse later on,
    and list the job much later still."""
    first, times = _which(plan, dice), dice.choice((1, 1, 1, 2, 3))
    value = dice.choice(("accepted", "accepted", "accepted", "lost"))
    if dice.random() < 0.3:
        times = 1
        _add(plan, dice.choice(_GARBLED), "provider.create", first, value="accepted")
    else:
        _add(plan, dice.choice(_AMBIGUOUS), "provider.create", first, times, value=value)
    if dice.random() < (1.0 if plan.kind == "key" else 0.6):
        plan.list_lag = 400.0
        _refuse_from(plan, dice, first + times)


def create_takes_back_late(plan: Plan, dice: Dice) -> None:
    """A function that was refused puts its record back, hears nothing of that, and does it again
    when its successor is already at work; and then the provider is out of patience."""
    plan.messages[:] = plan.messages[:1]  # one video: what is counted are its requests
    plan.messages[0].prompts[:] = plan.messages[0].prompts[:1]
    _add(plan, dice.choice(("429 1", "refused")), "provider.create", 1)
    wrote = _add(plan, ABANDON, "dynamodb.UpdateItem", 2, function=CREATE)
    wrote.value = dice.choice((*LAMBDA, *GONE))
    _add(plan, "lost", "dynamodb.UpdateItem", 2, function=CREATE)
    slow = _add(plan, STALL, "provider.create", 2, times=2, function=CREATE)
    slow.side, slow.seconds = "after", dice.choice((6.0, 8.0))
    if plan.kind == "key":
        _refuse_from(plan, dice, 3)


def create_crashes(plan: Plan, dice: Dice) -> None:
    """The function that asks dies at one of its requests."""
    fault = _add(plan, CRASH, "*", dice.randint(1, 6), function=CREATE, value=dice.choice(GONE))
    fault.side = dice.choice(("before", "after"))
    if dice.random() < 0.5:
        _refuse_from(plan, dice, 2)
        plan.list_lag = 400.0


def create_goes_on(plan: Plan, dice: Dice) -> None:
    """Step Functions is told that the function failed, and yet it goes on: a zombie."""
    first = dice.choice((1, 2, 3, 3, 4, 4, 5, 6))
    fault = _add(plan, ABANDON, "*", first, function=CREATE)
    fault.value = dice.choice((*LAMBDA, *LAMBDA, *GONE))
    fault.side = dice.choice(("before", "after"))
    fault.seconds = dice.choice((0.0, 1.0, 4.0, 8.0, 20.0, 40.0, 60.0))


def task_goes_on(plan: Plan, dice: Dice) -> None:
    """Another task becomes a zombie, or a create when it asks again."""
    function = dice.choice(TASKS[1:])
    fault = _add(plan, ABANDON, "*", dice.randint(1, 5), function=function)
    fault.value = dice.choice((*LAMBDA, *GONE))
    fault.side = dice.choice(("before", "after"))
    fault.seconds = dice.choice((0.0, 2.0, 6.0, 15.0, 28.0))


def task_stalls(plan: Plan, dice: Dice) -> None:
    """A function hangs until Lambda kills it, or Step Functions has waited for long enough."""
    function = dice.choice((CREATE, CREATE, *TASKS))
    fault = _add(plan, STALL, "*", dice.randint(1, 5), function=function)
    fault.side = dice.choice(("before", "after"))
    fault.seconds = dice.choice((10.0, 25.0, 44.0, 70.0, 74.0, 100.0, 900.0))


def task_crashes(plan: Plan, dice: Dice) -> None:
    """Another task dies, perhaps each time that it is tried."""
    function = dice.choice(TASKS[1:])
    fault = _add(plan, CRASH, "*", dice.randint(1, 4), function=function, value=dice.choice(GONE))
    fault.side = dice.choice(("before", "after"))
    fault.times = dice.choice((1, 1, 2, 40))


def lambda_refuses(plan: Plan, dice: Dice) -> None:
    """Lambda does not run a function, or loses what it gave back."""
    function = dice.choice(TASKS)
    errors = ("Lambda.TooManyRequestsException", *LAMBDA)
    fault = _add(plan, "refuse", f"invoke.{function}", dice.randint(1, 3))
    fault.side = dice.choice(("before", "after"))
    fault.value = dice.choice(errors if fault.side == "before" else errors[1:])
    fault.times = dice.choice((1, 2, 6))


def poll_troubled(plan: Plan, dice: Dice) -> None:
    """A look at the job goes wrong, once or for ever."""
    kinds = (
        *("status 404", "status 500", "status 503", "status 401", "429 5", "429", "empty"),
        *("html", "malformed", "no-status", "unknown-status", "backwards", "hang", "reset"),
    )
    kind = dice.choice((*kinds, "refused", "lag"))
    if kind == "lag":
        plan.poll_lag = dice.choice((3.0, 20.0, 50.0))
        return
    times = dice.choice((1, 2, 5, FOR_GOOD))
    _add(plan, kind, "provider.poll", dice.randint(1, 3), times)


def job_ends_badly(plan: Plan, dice: Dice) -> None:
    """The job itself fails, expires, is cancelled, or never ends."""
    fate = dice.choice(("failed", "expired", "cancelled", "never", "failed"))
    plan.fates[dice.randrange(len(plan.fates))] = (fate, dice.choice((3.0, 20.0)))


def download_troubled(plan: Plan, dice: Dice) -> None:
    """The file does not come, or is not what it should be."""
    kinds = (
        *("cut-length", "cut-chunked", "cut-close", "nothing", "gzip", "wrong-type", "redirect"),
        *("html", "status 403", "status 404", "status 500", "status 429", "hang", "reset"),
    )
    _add(plan, dice.choice(kinds), "provider.content", 1, times=dice.choice((1, 2, FOR_GOOD)))


def storage_troubled(plan: Plan, dice: Dice) -> None:
    """S3 fails at a file, at a part of one, or after it has said that it is done."""
    kind = dice.choice(("throttle", "error", "error-after", "lost", "unsent"))
    _add(plan, kind, "s3.*", dice.randint(1, 4), times=dice.choice((1, 3, 6, FOR_GOOD)))


def table_troubled(plan: Plan, dice: Dice) -> None:
    """DynamoDB throttles, fails, or loses its answer."""
    kind = dice.choice(("throttle", "error", "error-after", "lost", "lost", "unsent"))
    operation = dice.choice(("UpdateItem", "UpdateItem", "*", "GetItem", "PutItem"))
    function = dice.choice(("*", "*", CREATE, CREATE, RECONCILE))
    times = dice.choice((1, 3, 3, 4, 9))
    _add(plan, kind, f"dynamodb.{operation}", dice.randint(1, 6), times, function=function)


def start_troubled(plan: Plan, dice: Dice) -> None:
    """An execution cannot be started, or nobody hears that it was."""
    kind = dice.choice(("throttle", "error", "error-after", "lost", "unreachable"))
    _add(plan, kind, "sfn.*", dice.randint(1, 2), times=dice.choice((1, 3, 3, 9)))


def execution_dies(plan: Plan, dice: Dice) -> None:
    """An execution ends without an ending: an operator, a time-out, or what no Catch takes."""
    how = dice.choice(("ABORTED", "FAILED", "FAILED", "TIMED_OUT"))
    blow = Blow(dice.choice((0.5, 1.0, 2.0, 3.0, 5.0, 9.0, 15.0)), how, dice.randrange(3))
    blow.redrive = dice.choice((None, None, 5.0, 600.0))
    plan.blows.append(blow)
    if dice.random() < 0.3:
        plan.blows.append(Blow(blow.at + dice.uniform(1, 700), how, dice.randrange(3)))


def inbound_troubled(plan: Plan, dice: Dice) -> None:
    """A message comes again and again, and the function that takes it in dies at it."""
    message = dice.choice(plan.messages)
    count = dice.randint(2, 5)
    message.deliveries = [dice.choice((0.0, 0.0, 0.05, 0.3, 5.0, 200.0)) for _ in range(count)]
    if dice.random() < 0.6:
        kind = dice.choice((CRASH, CRASH, STALL))
        fault = _add(plan, kind, "*", dice.randint(1, 5), function="ApiFunction")
        fault.value, fault.seconds = ("Lambda.Unknown", 0) if kind == CRASH else (None, 35.0)
        fault.side = dice.choice(("before", "after"))
    else:
        kind = dice.choice(("conflict", "lost", "error-after", "throttle"))
        _add(plan, kind, "dynamodb.TransactWriteItems", 1, times=dice.choice((1, 3, 5)))


def list_troubled(plan: Plan, dice: Dice) -> None:
    """After a create that went unanswered, what should tell what became of it does not."""
    create_unanswered(plan, dice)
    if plan.kind == "list":
        plan.list_lag = dice.choice((0.0, 3.0, 30.0, 100.0))
    kinds = ("status 500", "status 404", "429 60", "malformed", "hang", "refused", "empty", "lag")
    kind = dice.choice(kinds)
    if kind != "lag":
        _add(plan, kind, "provider.list", dice.randint(1, 3), times=dice.choice((1, 2, 50)))


def clock_skewed(plan: Plan, dice: Dice) -> None:
    """Some sandboxes have a clock that is ten minutes wrong, beside another fault."""
    function = dice.choice((*TASKS, "SweepVideosFunction", "*"))
    for first in range(1, dice.randint(2, 4)):
        fault = _add(plan, "skew", f"skew.{function}", first * dice.randint(1, 2))
        fault.seconds = dice.choice((-600.0, 600.0))
    dice.choice((create_unanswered, execution_dies, task_stalls, nothing))(plan, dice)


# Those that go wrong where a video is asked for: one of them at a time, or none gets its way.
CREATES: Sequence[Family] = (
    create_unanswered,
    create_goes_on,
    create_takes_back_late,
    create_refused,
    create_crashes,
    list_troubled,
)
OTHERS: Sequence[Family] = (
    nothing,
    task_goes_on,
    task_stalls,
    task_crashes,
    lambda_refuses,
    poll_troubled,
    job_ends_badly,
    download_troubled,
    storage_troubled,
    table_troubled,
    start_troubled,
    execution_dies,
    inbound_troubled,
    clock_skewed,
)
FAMILIES: Sequence[Family] = (*OTHERS[:7], *CREATES, *OTHERS[7:])


def _which(plan: Plan, dice: Dice) -> int:
    """The number of one of the videos."""
    return dice.randint(1, sum(len(message.prompts) for message in plan.messages))


def _refuse_from(plan: Plan, dice: Dice, first: int) -> None:
    """From that request on the provider makes no more jobs."""
    refusal = dice.choice(("status 400", "status 401", "status 402", "refused", "429"))
    _add(plan, refusal, "provider.create", first, FOR_GOOD)


def _add(
    plan: Plan,
    kind: str,
    request: str,
    first: int,
    times: int = 1,
    function: str = "*",
    value: str | None = None,
) -> Fault:
    fault = Fault(kind, request, function, first, times, value=value)
    plan.faults.append(fault)
    return fault
