"""Once nobody can tell what became of a request, no later word makes the video a failed one."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionreel import endings, jobs, upkeep
from actionreel.errors import (
    NotListedError,
    OutcomeUnknownError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.models import Handle, Recovery, VideoJob
from actionreel.reconciliation import reconcile
from tests.fakes import VIDEO_ID, FakeServices, a_job, at, record, steady
from tests.unanswered import CAUGHT

CERTAIN = [
    ProviderThrottledError("429", retry_after=1),
    ProviderUnavailableError("off"),
    ProviderRejectedError("No credit.", "quota"),
    ProviderRejectedError("Refused for its content.", "moderation"),
]
UNCLEAR = [OutcomeUnknownError("It did not answer."), KeyError("a crash, after the request")]
LISTS: list[list[Handle] | Exception] = [
    [],
    [],
    ProviderUnavailableError("503"),
    NotListedError("no list"),
]


def told_to_the_end(
    services: FakeServices, answers: list[Exception], lists: list[list[Handle] | Exception]
) -> None:
    """Plays the state machine until the record has its ending."""
    services.studio.answers = [*answers, *[ProviderRejectedError("No.")] * 10]
    services.studio.listed = [*lists, *[[]] * 100]
    job = a_job()
    while job.status in ("queued", "ambiguous"):
        services.wait(job.wait_seconds or 0)
        try:
            job = (reconcile if job.status == "ambiguous" else jobs.create)(job, services)
        except KeyError:
            job = reconcile(caught(job), services)
    endings.fail(job, services)


def caught(job: VideoJob) -> VideoJob:
    return VideoJob.model_validate({**job.model_dump(), "caught": CAUGHT})


@steady
@given(
    recovery=st.sampled_from(get_args(Recovery)),
    answers=st.lists(st.sampled_from([*CERTAIN, *UNCLEAR]), min_size=1, max_size=8),
    lists=st.lists(st.sampled_from(LISTS), max_size=14),
)
def test_an_ending_says_whether_a_request_may_have_been_accepted(
    recovery: Recovery, answers: list[Exception], lists: list[list[Handle] | Exception]
) -> None:
    """Unknown if one of those that were sent was unclear, and failed only if none was."""
    services = at("queued")
    services.studio.recovery = recovery
    told_to_the_end(services, answers, lists)
    sent = answers[: len(services.studio.keys)]
    unclear = any(answer in UNCLEAR for answer in sent)
    failure = record(services).failure
    assert failure is not None
    assert record(services).status == ("unknown" if unclear else "failed")
    assert failure.maybe_charged == unclear
    assert not (unclear and failure.retryable), "a model would pay twice"


@pytest.mark.parametrize("recovery", get_args(Recovery))
@pytest.mark.parametrize("later", CERTAIN)
@pytest.mark.parametrize("unclear", UNCLEAR)
def test_a_later_refusal_does_not_say_what_the_first_request_came_to(
    recovery: Recovery, later: Exception, unclear: Exception
) -> None:
    services = at("queued")
    services.studio.recovery = recovery
    told_to_the_end(services, [unclear, later], [])
    assert record(services).status == "unknown"


@pytest.mark.parametrize("status", ["queued", "submitting", "generating", "storing"])
def test_an_execution_that_dies_does_not_wash_it_off(status: str) -> None:
    services = at(status, ambiguous=True)
    upkeep.execution_ended("default", VIDEO_ID, VIDEO_ID, services, stopped=True)
    assert record(services).status == "unknown"
