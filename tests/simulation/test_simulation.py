"""The simulation, as part of the tests: hundreds of runs, every crash point, and that it can fail.

The runs have processes of their own, because they take hold of time, chance and sockets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from multiprocessing.pool import Pool

import pytest

from tests.simulation import campaign, mutations
from tests.simulation.chatroom import PLATFORMS
from tests.simulation.runs import Result

SEEDS = 300


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with campaign.processes(os.cpu_count() or 1) as running:
        yield running


@pytest.fixture(scope="module")
def results(pool: Pool) -> list[Result]:
    """The runs of the first seeds."""
    return list(campaign.seeds(pool, range(SEEDS)))


def assert_sound(results: list[Result]) -> None:
    broken = [result for result in results if result.violations]
    assert not broken, campaign.report(broken, 1)


@pytest.mark.minutes
def test_every_seed_is_sound(results: list[Result]) -> None:
    assert_sound(results)
    assert len(results) == SEEDS


def test_most_videos_are_made(results: list[Result]) -> None:
    """A product that gives up at every trouble breaks no rule; so this is one."""
    statuses = [status for result in results for status in result.statuses]
    table = "\n".join(campaign.table(results))
    assert len(statuses) > SEEDS
    assert statuses.count("completed") > 0.55 * len(statuses), table
    assert {"completed", "unknown", "failed", "cancelled"} <= set(statuses), table


def test_most_results_are_told(results: list[Result]) -> None:
    """So is one that tells nobody anything, and says why not."""
    deliveries = [delivery for result in results for delivery in result.deliveries]
    table = "\n".join(campaign.places(results))
    for place in (*PLATFORMS, "callback"):
        ends = [end for where, end in deliveries if where == place]
        assert len(ends) > SEEDS / 6
        assert ends.count("delivered") > 0.9 * len(ends), table
    assert ("telegram", "not_delivered") in deliveries, table


def test_every_crash_point_is_sound(pool: Pool) -> None:
    results = list(campaign.crashes(pool))
    assert_sound(results)
    assert len(results) > 200


@pytest.mark.parametrize("rule", mutations.RULES)
def test_goes_red_without(pool: Pool, rule: str) -> None:
    first = 60 if rule == "sending" else 0  # what it takes is rare
    results = campaign.seeds(pool, range(first, first + 20), without=rule)
    assert any(result.violations for result in results), f"nothing needs the {rule}"


def test_a_seed_gives_the_same_run_wherever_and_whenever_it_is_run(
    pool: Pool, results: list[Result]
) -> None:
    for result in pool.map(campaign.seed, [41, 7, 12, 19, 3], 1):
        assert result.trace == results[result.seed].trace
