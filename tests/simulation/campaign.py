"""Many runs, on all cores, and what is said of them."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.pool import Pool

from tests.simulation import plans, runs
from tests.simulation.chatroom import PLATFORMS
from tests.simulation.runs import Result

_CHUNK = 5
_CHUNKS_OF_A_PROCESS = 100  # then a new one takes over: moto and botocore keep a little of each run
_SHOWN = 5  # broken runs, with all their lines
_HEADS = ("provider", "videos", "several jobs", "paid but failed")
_ENDS = ("completed", "unknown", "failed", "cancelled", "expired")


@contextmanager
def processes(count: int) -> Iterator[Pool]:
    """Processes to run in: each has taken hold of the product for itself."""
    with multiprocessing.get_context("spawn").Pool(
        count, maxtasksperchild=_CHUNKS_OF_A_PROCESS
    ) as pool:
        yield pool


def seeds(pool: Pool, numbers: Iterable[int], without: str | None = None) -> Iterator[Result]:
    """The runs of the seeds, in their order."""
    return pool.imap(partial(seed, without=without), numbers, _CHUNK)


def seed(number: int, without: str | None = None) -> Result:
    """The run of one seed."""
    return runs.run(plans.of_seed(number), without)


def crashes(pool: Pool) -> Iterator[Result]:
    """A crash before and after every request that a run makes: of a clean run and of one whose
    create goes unanswered, at each kind of provider, and of one for each chat and for a program."""
    ways = [(kind, way) for kind in plans.KINDS for way in ("clean", "unanswered")]
    ways += [("key", way) for way in (*PLATFORMS, "callback")]
    counts = pool.starmap(crash, ways)
    points = [
        (kind, way, (number, side))
        for (kind, way), result in zip(ways, counts, strict=True)
        for number in range(1, result.requests + 1)
        for side in ("before", "after")
    ]
    yield from counts
    yield from pool.imap(_crash, points, _CHUNK)


def crash(kind: str, way: str, crash_at: tuple[int, str] | None = None) -> Result:
    """The run with that crash."""
    return runs.run(plans.of_crash(kind, way, crash_at))


def _crash(point: tuple[str, str, tuple[int, str]]) -> Result:
    return crash(*point)


def report(results: Sequence[Result], seconds: float, *, trace: bool = False) -> str:
    """What to print: the runs that went wrong, a table by kind of provider, and a line."""
    broken = [result for result in results if result.violations]
    lines: list[str] = []
    for result in results if trace else broken[:_SHOWN]:
        lines += [
            f"seed {result.seed}: {result.plan}",
            *result.trace,
            *(f"  {violation}" for violation in result.violations),
            f"again: {result.again}",
            "",
        ]
    for result in broken[_SHOWN:]:
        lines.append(f"seed {result.seed}: {result.violations[0]}; again: {result.again}")
    hours = sum(result.seconds for result in results) / 3600
    requests = sum(result.requests for result in results)
    return "\n".join(
        [
            *lines,
            *table(results),
            *places(results),
            f"{len(results)} runs, {len(broken)} broken, in {seconds:.1f} s"
            f" ({len(results) / seconds:.1f}/s): {hours:.0f} h of virtual time,"
            f" {requests} requests",
        ]
    )


def places(results: Sequence[Result]) -> list[str]:
    """What became of the results that somebody waited for, for each kind of place."""
    found = Counter(delivery for result in results for delivery in result.deliveries)
    ends = ("delivered", "not_delivered")
    lines = ["".join(f"{head:<17}" for head in ("place", "results", *ends)).rstrip()]
    for place in sorted({place for place, _ in found}):
        figures = (
            sum(found[key] for key in found if key[0] == place),
            *(found[place, end] for end in ends),
        )
        lines.append("".join(f"{figure:<17}" for figure in (place, *figures)).rstrip())
    return lines


def table(results: Sequence[Result]) -> list[str]:
    """What became of the videos, for each kind of provider."""
    lines = ["".join(f"{head:<17}" for head in (*_HEADS, *_ENDS)).rstrip()]
    for kind in plans.KINDS:
        of_kind = [result for result in results if result.kind == kind]
        statuses = Counter(status for result in of_kind for status in result.statuses)
        figures = [
            sum(statuses.values()),
            sum(result.several_jobs for result in of_kind),
            sum(result.paid_but_failed for result in of_kind),
            *(statuses[end] for end in _ENDS),
        ]
        lines.append("".join(f"{figure:<17}" for figure in (kind, *figures)).rstrip())
    return lines
