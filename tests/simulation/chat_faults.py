"""Where the messages of a run come from, and what goes wrong between us and the chats.

These families stand beside the others, with dice of their own: each seed has one of them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.simulation.chatroom import PLATFORMS
from tests.simulation.creates import FOR_GOOD, GONE, LAMBDA, Dice, Family, add
from tests.simulation.deeds import Message, Wish
from tests.simulation.faults import ABANDON, CRASH, STALL

if TYPE_CHECKING:
    from tests.simulation.plans import Plan

DELIVER, ANSWER, RECEIVE = "DeliverResultFunction", "AnswerMessageFunction", "ChatFunction"
_PLACES = (*PLATFORMS, "callback")
_BY = ("api", "api", "api", "callback", *PLATFORMS)
_CERTAIN = (
    *("429", "429 1", "429 7", "429 0", "429 600", "429 soon", "refused", "dns"),
    *("connect-timeout", "status 400", "status 403", "status 413", "status 404"),
)
_DOUBTFUL = ("hang", "hang", "reset", "status 500", "status 502", "status 503", "status 408")
_GARBLED = ("empty", "html", "malformed")


def quiet(plan: Plan, dice: Dice) -> None:
    """Nothing of that sort."""


def chat_troubled(plan: Plan, dice: Dice) -> None:
    """A platform or a program refuses, is not there, or leaves us in doubt; or the message that we
    wrote is gone; or our own secret cannot be read."""
    request = _request(plan, dice)
    first, times = dice.choice((1, 1, 1, 2, 2, 3, 4)), dice.choice((1, 1, 1, 2, 4, 8, FOR_GOOD))
    sort = dice.random()
    if sort < 0.4:
        add(plan, dice.choice(_CERTAIN), request, first, times)
    elif sort < 0.75:
        value = dice.choice(("accepted", "accepted", "lost"))
        add(plan, dice.choice(_DOUBTFUL), request, first, times, value=value)
    elif sort < 0.83:
        add(plan, dice.choice(_GARBLED), request, first, times, value="accepted")
    elif sort < 0.93:
        add(plan, "gone", "chat.edit", first, times)
    else:
        add(plan, dice.choice(("throttle", "lost")), "secrets-manager.*", dice.randint(1, 3), times)


def deliver_crashes(plan: Plan, dice: Dice) -> None:
    """The function that tells the result, or answers the message, dies, hangs, or goes on when
    another one was started in its place; perhaps when it has just told it."""
    function = dice.choice((DELIVER, DELIVER, DELIVER, ANSWER))
    request = dice.choice(("*", "*", _request(plan, dice)))
    first = dice.randint(1, 8 if request == "*" else 2)
    if dice.random() < 0.15:
        request, first = f"invoke.{function}", dice.randint(1, 3)
        fault = add(plan, "refuse", request, first, dice.choice((1, 2, 9)))
        fault.side = dice.choice(("before", "after"))
        fault.value = dice.choice(LAMBDA)
        return
    kind = dice.choice((CRASH, CRASH, ABANDON, ABANDON, STALL))
    fault = add(plan, kind, request, first, function=function, value=dice.choice((*LAMBDA, *GONE)))
    fault.side = dice.choice(("before", "after"))
    fault.times = dice.choice((1, 1, 1, 2, 40))
    if kind != CRASH:
        fault.seconds = dice.choice((0.0, 1.0, 4.0, 20.0, 60.0, 179.0))
    if kind == STALL:
        fault.value, fault.times = None, min(fault.times, 2)


def told_late(plan: Plan, dice: Dice) -> None:
    """A function that tells how a video comes on hangs, or goes on beside its successors, and does
    not say it until everything is over."""
    function = dice.choice((DELIVER, DELIVER, ANSWER))
    request = dice.choice(("chat.edit", "chat.post", "dynamodb.*"))
    kind = ABANDON if function == DELIVER else dice.choice((ABANDON, STALL))
    fault = add(plan, kind, request, dice.choice((1, 1, 2, 3)), function=function)
    fault.side = dice.choice(("before", "before", "after"))
    fault.seconds = dice.choice((4.0, 10.0, 20.0, 60.0, 99.0))
    fault.value = dice.choice((*LAMBDA, *GONE)) if kind == ABANDON else None
    if dice.random() < 0.3:
        add(plan, dice.choice(("status 400", "429")), "provider.create", 1, FOR_GOOD)


def chat_inbound_troubled(plan: Plan, dice: Dice) -> None:
    """What is written in a chat comes again and again, at the same moment and in another order, and
    the function that takes it in dies at it."""
    for message in plan.messages:
        count = dice.randint(1, 4)
        message.deliveries = [dice.choice((0.0, 0.0, 0.05, 0.3, 5.0, 300.0)) for _ in range(count)]
    match dice.randrange(4):
        case 0:
            kind = dice.choice((CRASH, CRASH, STALL))
            fault = add(plan, kind, "*", dice.randint(1, 4), function=RECEIVE)
            fault.value, fault.seconds = ("Lambda.Unknown", 0) if kind == CRASH else (None, 35.0)
            fault.side, fault.times = dice.choice(("before", "after")), dice.choice((1, 2))
        case 1:
            kind = dice.choice(("throttle", "error", "error-after", "lost", "unsent"))
            request = dice.choice(("dynamodb.*", "sfn.*"))
            add(
                plan,
                kind,
                request,
                1,
                dice.choice((1, 3, 6)),
                function=dice.choice((RECEIVE, ANSWER)),
            )
        case 2:
            add(plan, "conflict", "dynamodb.TransactWriteItems", 1, dice.choice((1, 3, 5)))


def _request(plan: Plan, dice: Dice) -> str:
    """One of the requests that where the results go takes."""
    places = [message.by for message in plan.messages]
    calls = ["chat.callback"] if "callback" in places else []
    if any(place in PLATFORMS for place in places):
        calls += ["chat.video", "chat.video", "chat.post", "chat.edit", "chat.delete", "chat.*"]
    return dice.choice(calls)


FAMILIES: Sequence[Family] = (
    quiet,
    chat_troubled,
    deliver_crashes,
    chat_inbound_troubled,
    told_late,
)


def take_to_chats(plan: Plan, dice: random.Random) -> None:
    """Says where the plan's messages come from, lets people press buttons, and puts a fault of its
    seed's family into it."""
    family = FAMILIES[plan.seed % len(FAMILIES)]
    for message in plan.messages:
        message.by = dice.choice(_BY if family is quiet else _PLACES)
    if family is chat_inbound_troubled:
        plan.messages[0].by = dice.choice(PLATFORMS)
    if plan.messages[-1].by in PLATFORMS and dice.random() < 0.1:
        plan.messages.append(Message("help", [], by=plan.messages[-1].by))
    for wish in plan.wishes:
        wish.in_chat, wish.times = dice.random() < 0.5, dice.choice((1, 1, 2))
    if family is not quiet and dice.random() < 0.15:
        plan.wishes.append(_press(dice))
    family(plan, dice)


def _press(dice: random.Random) -> Wish:
    verb = dice.choice(("cancel", "retry", "retry-anyway"))
    return Wish(dice.choice((0.5, 2.0, 4.0, 20.0, 200.0)), verb, dice.randrange(3), in_chat=True)
