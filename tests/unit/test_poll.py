"""The task Poll Video: it looks at the job, and trouble with a look is not trouble with the job."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from actionreel import endings, jobs
from actionreel.errors import (
    JobNotFoundError,
    OutcomeUnknownError,
    ProviderError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.models import Failure, ProviderAnswer
from actionreel.reconciliation import reconcile
from tests.fakes import DONE, FENCE, HANDLE, NOON, PENDING, REFUSED, a_video, at, generating, record


def test_poll_of_a_job_that_is_not_finished() -> None:
    services = at("generating", PENDING.model_copy(update={"progress": 42}))
    services.wait(100)
    job = jobs.poll(generating(wait_seconds=3), services)
    assert job == generating(wait_seconds=8)
    assert services.log == ["looked at video_1"]
    assert (record(services).progress, record(services).status) == (42, "generating")
    assert record(services).next_check_at == services.clock + timedelta(seconds=8)


def test_progress_stays_where_the_provider_tells_none() -> None:
    services = at("generating", PENDING, progress=42)
    jobs.poll(generating(), services)
    assert record(services).progress == 42


@pytest.mark.parametrize(
    ("awaits", "answer", "seconds"),
    [
        (True, PENDING, 32),
        (False, PENDING, 8),
        (True, PENDING.model_copy(update={"progress": 42}), 8),  # a look has something to show
        (True, ProviderUnavailableError("503"), 8),
    ],
)
def test_a_job_that_a_webhook_ends_is_looked_at_less(
    awaits: bool, answer: ProviderAnswer | Exception, seconds: int
) -> None:
    services = at("generating", answer)
    services.wait(100)
    job = jobs.poll(generating(awaits_webhook=awaits), services)
    assert (job.wait_seconds, job.awaits_webhook) == (seconds, awaits)
    assert record(services).next_check_at == services.clock + timedelta(seconds=seconds)


def test_poll_keeps_the_first_handle() -> None:
    """LiteLLM names another id in its answers to a poll, which finds nothing."""
    services = at("generating", PENDING.model_copy(update={"handle": {"id": "other"}}))
    assert jobs.poll(generating(), services).handle == HANDLE


def test_poll_of_a_finished_job() -> None:
    services = at("generating", DONE.model_copy(update={"cost_usd": Decimal("0.5")}))
    job = jobs.poll(generating(), services)
    assert (job.status, job.took_seconds, job.cost_usd) == ("completed", 142, Decimal("0.5"))
    assert record(services).status == "generating"


@pytest.mark.parametrize(
    ("phase", "code", "ending"),
    [
        ("failed", "moderation", "failed"),
        ("failed", "expired", "expired"),
        ("cancelled", "cancelled", "cancelled"),
    ],
)
def test_poll_of_a_job_that_ended_badly(phase: str, code: str, ending: str) -> None:
    failure = Failure.model_validate({"code": code, "message": "m"})
    answer = ProviderAnswer.model_validate({"phase": phase, "failure": failure})
    services = at("generating", answer)
    endings.fail(jobs.poll(generating(), services), services)
    assert (record(services).status, record(services).failure) == (ending, failure)


TROUBLE = [
    ProviderError("unreadable"),
    ProviderThrottledError("429"),
    ProviderUnavailableError("503"),
    ProviderRejectedError("401"),
    OutcomeUnknownError("?"),
]


@pytest.mark.parametrize("error", TROUBLE)
def test_trouble_with_a_look_is_not_trouble_with_the_job(error: ProviderError) -> None:
    services = at("generating", error, PENDING)
    job = jobs.poll(generating(), services)
    assert (job.status, job.wait_seconds, job.trouble) == ("pending", 3, str(error))
    assert jobs.poll(job, services).trouble is None


@pytest.mark.parametrize(("seconds", "status"), [(0, "pending"), (60, "pending"), (61, "unknown")])
def test_a_job_may_be_unknown_for_a_minute(seconds: int, status: str) -> None:
    gone = JobNotFoundError("The provider no longer knows this video.")
    services = at("generating", gone, gone)
    services.wait(seconds)
    once = jobs.poll(generating(), services)
    assert once.status == "pending", "one answer can be a replica that lags"
    job = jobs.poll(once, services)
    assert job.status == status
    if status == "unknown":
        assert job.failure is not None
        assert (job.failure.code, job.failure.maybe_charged) == ("provider_rejected", True)


@pytest.mark.parametrize("answer", [PENDING, ProviderUnavailableError("It says 503.")])
def test_the_deadline_is_a_timeout_with_the_last_trouble(
    answer: ProviderAnswer | Exception,
) -> None:
    services = at("generating", answer)
    services.wait(1800)
    job = jobs.poll(generating(), services)
    assert job.failure is not None
    assert (job.status, job.failure.code, job.failure.retryable) == ("unknown", "timeout", False)
    assert job.failure.maybe_charged
    assert "within 30 min" in job.failure.message
    assert ("It says 503." in job.failure.message) == isinstance(answer, Exception)


def test_what_a_job_has_cost_is_said_at_its_end() -> None:
    """Some providers say 0 until then: that would be given back for a video that comes too late."""
    services = at("generating", *[PENDING.model_copy(update={"cost_usd": Decimal(0)})] * 2)
    job = jobs.poll(generating(), services)
    services.wait(job.deadline_seconds)
    late = jobs.poll(job, services)
    assert late.failure is not None
    assert (late.failure.maybe_charged, late.cost_usd) == (True, None)


def test_the_last_look_is_at_the_deadline() -> None:
    services = at("generating", PENDING, DONE)
    services.wait(1790)
    job = jobs.poll(generating(), services)
    assert job.wait_seconds == 10
    services.wait(10)
    assert jobs.poll(job, services).status == "completed"


def test_poll_finds_a_record_that_another_run_has_closed() -> None:
    services = at("failed", PENDING, failure=REFUSED)
    job = jobs.poll(generating(), services)
    assert (job.status, job.failure) == ("failed", REFUSED)


@pytest.mark.parametrize("status", ["generating", "storing"])
def test_a_job_that_may_be_charged_for_never_ends_as_failed(status: str) -> None:
    services = at(status, PENDING)
    services.wait(1800)
    endings.fail(jobs.poll(generating(), services), services)
    assert record(services).status == "unknown"


def test_poll_brings_a_record_up_to_date_that_create_could_not_write_on() -> None:
    services = at("submitting", PENDING.model_copy(update={"progress": 7}))
    services.wait(50)
    assert jobs.poll(generating(), services).status == "pending"
    assert record(services) == a_video(
        status="generating",
        fence=FENCE,
        handle=HANDLE,
        asked_at=NOON,
        submitted_at=NOON,
        progress=7,
        next_check_at=services.clock + timedelta(seconds=4),
    )


def test_poll_that_finds_its_job_to_be_another_video_s_lets_go_of_it() -> None:
    services = at("submitting", PENDING)
    services.studio.recovery = "list"
    services.videos.give_job("openai_videos", HANDLE, "default", "another video")
    job = jobs.poll(generating(), services)
    assert job.status == "ambiguous"
    assert (record(services).status, record(services).handle) == ("submitting", None)


def test_the_job_of_another_video_is_not_taken_by_asking_again() -> None:
    """What the document knew of it is gone by then, and the new job is the video's."""
    services = at("submitting", PENDING, OutcomeUnknownError("?"))
    services.studio.recovery = "list"
    services.studio.listed = [[]]
    services.videos.give_job("openai_videos", HANDLE, "default", "another video")
    job = reconcile(jobs.poll(generating(looks=5), services), services)
    services.studio.answers = [ProviderAnswer(phase="pending", handle={"id": "video_2"})]
    job = jobs.create(job, services)
    assert (job.status, job.handle) == ("pending", {"id": "video_2"})
    assert record(services).handle == {"id": "video_2"}


@pytest.mark.parametrize("status", ["queued", "submitting", "generating"])
def test_a_look_of_an_older_request_does_not_touch_the_record(status: str) -> None:
    services = at(status, PENDING, fence="a later request")
    before = record(services)
    job = jobs.poll(generating(), services)
    assert record(services) == before
    assert job.status == ("pending" if status == "generating" else "ambiguous")
