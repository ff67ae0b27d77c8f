"""When a job is looked at."""

from __future__ import annotations

import pytest

from actionreel.schedule import LEARNED_FROM, first_wait, next_wait


@pytest.mark.parametrize(
    ("durations", "expected"),
    [
        ([], 7),
        ([60] * (LEARNED_FROM - 1), 7),
        ([60] * LEARNED_FROM, 59),
        ([*range(100, 90, -1)], 90),  # of ten, the shortest
        ([*range(1, 101)], 9),  # of a hundred, the tenth
        ([0] * 20, 1),
        ([1] * 20, 1),
    ],
)
def test_the_first_wait_is_learned(durations: list[int], expected: int) -> None:
    assert first_wait(durations, otherwise=7) == expected


@pytest.mark.parametrize(
    ("elapsed", "expected"),
    [(0, 3), (37, 3), (100, 8), (200, 16), (375, 30), (1800, 30), (-5, 3)],
)
def test_later_waits_grow_with_the_age_of_the_job(elapsed: float, expected: int) -> None:
    assert next_wait(elapsed) == expected


@pytest.mark.parametrize(("elapsed", "expected"), [(0, 12), (100, 32), (375, 120), (1800, 120)])
def test_who_is_told_looks_a_quarter_as_often(elapsed: float, expected: int) -> None:
    assert next_wait(elapsed, until_webhook=True) == expected


def test_a_job_of_two_minutes_is_seen_soon_after_its_end_with_few_looks() -> None:
    elapsed, looks = float(first_wait([], otherwise=3)), 1
    while elapsed < 120:
        elapsed += next_wait(elapsed)
        looks += 1
    assert elapsed - 120 <= 12
    assert looks <= 40
