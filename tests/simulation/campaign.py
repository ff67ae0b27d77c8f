"""Many runs, on all cores, and what is said of them."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

from tests.simulation import plans, runs
from tests.simulation.runs import Result

_CHUNK = 5


def simulate(
    seeds: Iterable[int], *, without: str | None = None, processes: int = 1
) -> list[Result]:
    """Runs the seeds, in processes of their own if there are several; in the order of the seeds."""
    work = partial(one, without=without)
    if processes == 1:
        return [work(seed) for seed in seeds]
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=100) as pool:
        return list(pool.imap(work, seeds, _CHUNK))


def one(seed: int, without: str | None = None) -> Result:
    """The run of one seed."""
    return runs.run(plans.of_seed(seed), without=without)


def report(results: Sequence[Result], seconds: float, *, trace: bool = False) -> str:
    """What to print: a table by kind of provider, and every run that went wrong."""
    broken = [result for result in results if result.violations]
    lines = []
    for result in results if trace else broken:
        lines += [
            f"seed {result.seed}: {result.plan}",
            *result.trace,
            *(f"  {violation}" for violation in result.violations),
            f"again: make simulate SEEDS=1 FIRST={result.seed}",
            "",
        ]
    heads = ("provider", "videos", "several jobs", "paid but failed")
    ends = ("completed", "unknown", "failed", "cancelled", "expired")
    lines.append("".join(f"{head:<17}" for head in (*heads, *ends)))
    for kind in plans.KINDS:
        of_kind = [result for result in results if result.kind == kind]
        statuses = Counter(status for result in of_kind for status in result.statuses)
        figures = [
            sum(statuses.values()),
            sum(result.several_jobs for result in of_kind),
            sum(result.paid_but_failed for result in of_kind),
            *(statuses[end] for end in ends),
        ]
        lines.append("".join(f"{figure:<17}" for figure in (kind, *figures)))
    hours = sum(result.seconds for result in results) / 3600
    requests = sum(result.requests for result in results)
    lines.append(
        f"{len(results)} runs, {len(broken)} broken, in {seconds:.1f} s"
        f" ({len(results) / seconds:.1f}/s): {hours:.0f} h of virtual time, {requests} requests"
    )
    return "\n".join(lines)
