"""When to look at a job: the waits of the state machine, in whole seconds. Pure.

Almost all of the gain over a fixed interval is in the first wait, which is learned; after it an
interval that grows with the job's age keeps the delay in proportion to the wait.
"""

from __future__ import annotations

from collections.abc import Sequence

LEARNED_FROM = 10  # durations that a model must have before we trust its 10th percentile


def first_wait(durations: Sequence[int], otherwise: int) -> int:
    """The wait before the first poll: the 10th percentile of the model's durations, less a second.

    `otherwise` (the registry's figure) while there are too few durations to learn from.
    """
    if len(durations) < LEARNED_FROM:
        return otherwise
    tenth = sorted(durations)[(len(durations) - 1) // 10]
    return max(1, tenth - 1)


def next_wait(elapsed: float) -> int:
    """The wait before a further poll of a job that was submitted `elapsed` seconds ago."""
    return round(min(max(0.08 * elapsed, 3), 30))
