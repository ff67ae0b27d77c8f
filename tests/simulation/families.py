"""The families of faults: for each point of the matrix, what can go wrong there.

Each takes a plan and dice, and puts one fault of its kind into the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.simulation.creates import (
    CREATE,
    CREATES,
    FOR_GOOD,
    GONE,
    LAMBDA,
    RECONCILE,
    TASKS,
    Dice,
    Family,
    add,
    create_unanswered,
)
from tests.simulation.deeds import Blow
from tests.simulation.faults import ABANDON, CRASH, STALL

if TYPE_CHECKING:
    from tests.simulation.plans import Plan


def nothing(plan: Plan, dice: Dice) -> None:
    """Nothing: it must simply work."""


def task_goes_on(plan: Plan, dice: Dice) -> None:
    """Another task becomes a zombie, or a create when it asks again."""
    function = dice.choice(TASKS[1:])
    fault = add(plan, ABANDON, "*", dice.randint(1, 5), function=function)
    fault.value = dice.choice((*LAMBDA, *GONE))
    fault.side = dice.choice(("before", "after"))
    fault.seconds = dice.choice((0.0, 2.0, 6.0, 15.0, 28.0))


def task_stalls(plan: Plan, dice: Dice) -> None:
    """A function hangs until Lambda kills it, or Step Functions has waited for long enough."""
    function = dice.choice((CREATE, CREATE, *TASKS))
    fault = add(plan, STALL, "*", dice.randint(1, 5), function=function)
    fault.side = dice.choice(("before", "after"))
    fault.seconds = dice.choice((10.0, 25.0, 44.0, 70.0, 74.0, 100.0, 900.0))


def task_crashes(plan: Plan, dice: Dice) -> None:
    """Another task dies, perhaps each time that it is tried; or Lambda does not run it."""
    if dice.random() < 0.4:
        lambda_refuses(plan, dice)
        return
    function = dice.choice(TASKS[1:])
    fault = add(plan, CRASH, "*", dice.randint(1, 4), function=function, value=dice.choice(GONE))
    fault.side = dice.choice(("before", "after"))
    fault.times = dice.choice((1, 1, 2, 40))


def lambda_refuses(plan: Plan, dice: Dice) -> None:
    """Lambda does not run a function, or loses what it gave back."""
    function = dice.choice(TASKS)
    errors = ("Lambda.TooManyRequestsException", *LAMBDA)
    fault = add(plan, "refuse", f"invoke.{function}", dice.randint(1, 3))
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
    add(plan, kind, "provider.poll", dice.randint(1, 3), times)


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
    add(plan, dice.choice(kinds), "provider.content", 1, times=dice.choice((1, 2, FOR_GOOD)))


def storage_troubled(plan: Plan, dice: Dice) -> None:
    """S3 fails at a file, at a part of one, or after it has said that it is done."""
    kind = dice.choice(("throttle", "error", "error-after", "lost", "unsent"))
    add(plan, kind, "s3.*", dice.randint(1, 4), times=dice.choice((1, 3, 6, FOR_GOOD)))


def table_troubled(plan: Plan, dice: Dice) -> None:
    """DynamoDB throttles, fails, or loses its answer."""
    kind = dice.choice(("throttle", "error", "error-after", "lost", "lost", "unsent"))
    operation = dice.choice(("UpdateItem", "UpdateItem", "*", "GetItem", "PutItem"))
    function = dice.choice(("*", "*", CREATE, CREATE, RECONCILE))
    times = dice.choice((1, 3, 3, 4, 9))
    add(plan, kind, f"dynamodb.{operation}", dice.randint(1, 6), times, function=function)


def start_troubled(plan: Plan, dice: Dice) -> None:
    """An execution cannot be started, or nobody hears that it was."""
    kind = dice.choice(("throttle", "error", "error-after", "lost", "unreachable"))
    add(plan, kind, "sfn.*", dice.randint(1, 2), times=dice.choice((1, 3, 3, 9)))


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
        fault = add(plan, kind, "*", dice.randint(1, 5), function="ApiFunction")
        fault.value, fault.seconds = ("Lambda.Unknown", 0) if kind == CRASH else (None, 35.0)
        fault.side = dice.choice(("before", "after"))
    else:
        kind = dice.choice(("conflict", "lost", "error-after", "throttle"))
        add(plan, kind, "dynamodb.TransactWriteItems", 1, times=dice.choice((1, 3, 5)))


def clock_skewed(plan: Plan, dice: Dice) -> None:
    """Some sandboxes have a clock that is ten minutes wrong, beside another fault."""
    function = dice.choice((*TASKS, "SweepVideosFunction", "*"))
    for first in range(1, dice.randint(2, 4)):
        fault = add(plan, "skew", f"skew.{function}", first * dice.randint(1, 2))
        fault.seconds = dice.choice((-600.0, 600.0))
    dice.choice((create_unanswered, execution_dies, task_stalls, nothing))(plan, dice)


OTHERS: Sequence[Family] = (
    nothing,
    task_goes_on,
    task_stalls,
    task_crashes,
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
FAMILIES: Sequence[Family] = (*OTHERS[:6], *CREATES, *OTHERS[6:])
