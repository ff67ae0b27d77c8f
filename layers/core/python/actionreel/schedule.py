"""When to ask, and when to look at a job: the waits of the state machine, in whole seconds.

Almost all of the gain over a fixed interval is in the first wait, which is learned; after it an
interval that grows with the job's age keeps the delay in proportion to the wait.
"""

from __future__ import annotations

import math
import random
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


def next_wait(elapsed: float, until_webhook: bool = False) -> int:
    """The wait before a further poll of a job that was submitted `elapsed` seconds ago.

    Four times as long where a webhook will end it and a look shows nothing before: then polls are
    only there for a webhook that gets lost.
    """
    wait = min(max(0.08 * elapsed, 3), 30)
    return round(4 * wait if until_webhook else wait)


# The looks for a job whose create went unanswered; together they are more than twice as long as the
# function that asked can live, so that nothing is on its way any more when they are over.
RECONCILE_WAITS = (5, 10, 20, 40, 80)

_LONGEST_RETRY_AFTER = 300
_LONGEST_BACK_OFF = 60


def wait_to_ask_again(refusals: int, retry_after: float | None) -> int:
    """The wait after the provider has refused for now, `refusals` times by now.

    What the provider says, between 1 and 300 seconds; if it says nothing, at random up to a bound
    that doubles, so that those who were refused together do not come back together.
    """
    if retry_after is not None and math.isfinite(retry_after):
        return math.ceil(min(max(retry_after, 1), _LONGEST_RETRY_AFTER))
    return max(1, round(random.uniform(0, min(3 * 2**refusals, _LONGEST_BACK_OFF))))
