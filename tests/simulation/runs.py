"""One run, from a seed to its violations."""

from __future__ import annotations

import io
import traceback
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache

from tests.simulation import aws, delivery_invariants, invariants, mutations, spending
from tests.simulation.chat_adapters import SIGNING_SECRET
from tests.simulation.chatroom import TOKEN
from tests.simulation.functions import swap_sandboxes
from tests.simulation.people import People
from tests.simulation.plans import Plan
from tests.simulation.replies import KEY
from tests.simulation.seams import Seams
from tests.simulation.world import World


@cache
def seams() -> Seams:
    """This process's; made once."""
    return Seams()


@dataclass
class Result:
    """What a run came to: its figures for the table, and its trace if it went wrong."""

    again: str  # the command that repeats it
    seed: int
    kind: str
    plan: str
    violations: list[str]
    trace: list[str]
    statuses: list[str] = field(default_factory=list)
    several_jobs: int = 0
    paid_but_failed: int = 0
    struck: list[str] = field(default_factory=list)  # the kinds of the faults that came to pass
    requests: int = 0
    seconds: float = 0.0  # virtual
    deliveries: list[tuple[str, str]] = field(default_factory=list)  # where to, and how it ended


def run(plan: Plan, without: str | None = None) -> Result:
    """Runs a plan. What the simulation itself gets wrong is a violation, too."""
    hold = seams()
    world = World(plan.seed, plan.kind, list(plan.faults), plan.crash_at)
    world.scheduler = type(world.scheduler)(swap_sandboxes)
    people = People(world, hold.functions)
    people.events, people.origin = plan.events, hold.server.origin
    world.studio.fates = plan.fates
    world.studio.list_lag, world.studio.poll_lag = plan.list_lag, plan.poll_lag
    hold.begin(world)
    try:
        said = io.StringIO()
        with mutations.without(without), redirect_stdout(said), redirect_stderr(said):
            _live(plan, people)
        for trouble in world.scheduler.troubles:
            world.violate("I-", "".join(traceback.format_exception(trouble)))
        invariants.check(world, people, faultless=plan.faultless)
        delivery_invariants.check(world, people, faultless=plan.faultless)
        spending.check(world)
        logs, keys = [*hold.logs, said.getvalue()], [KEY, TOKEN, SIGNING_SECRET]
        invariants.check_leaks(world, logs, plan.prompts, keys, plan.tokens)
        invariants.check_addresses(world, hold.connected, hold.allowed())
        records = aws.records()
        owned = invariants.owned_jobs(world, records)
    finally:
        hold.end()
    made = [owner for _, owner in owned]
    charged = {owner for job, owner in owned if world.studio.status(job) != "failed"}
    failed = {video_id for video_id, video in records.items() if video.status == "failed"}
    return Result(
        again=plan.again,
        seed=plan.seed,
        kind=plan.kind,
        plan=str(plan),
        violations=world.violations,
        trace=world.trace,
        statuses=[video.status for video in records.values()],
        several_jobs=len({one for one in made if made.count(one) > 1}),
        paid_but_failed=len(charged & failed),
        struck=[fault.kind for fault in world.faults if fault.struck],
        requests=world.requests,
        seconds=world.scheduler.now,
        deliveries=[
            (video.place.platform, str(video.delivery)) for video in records.values() if video.place
        ],
    )


def _live(plan: Plan, people: People) -> None:
    """Lets everybody do what they do."""
    for message in plan.messages:
        people.post(message)
    for wish in plan.wishes:
        people.wish(wish)
    for blow in plan.blows:
        people.strike(blow)
    people.watch_over()
    people.world.scheduler.run()
