"""The task Reconcile Video: what became of a request that the provider did not answer."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from actionreel import jobs
from actionreel.errors import OutcomeUnknownError, ProviderUnavailableError
from actionreel.ledger import MAX_ASKS
from actionreel.models import Recovery, VideoJob
from actionreel.reconciliation import reconcile
from local.template import Template
from tests.fakes import (
    ENDED,
    FENCE,
    HANDLE,
    NOON,
    PENDING,
    REFUSED,
    VIDEO_ID,
    FakeServices,
    a_job,
    at,
    failing,
    generating,
    record,
)
from tests.unanswered import UNKNOWN, cut_off, ended, looked_to_the_end, told, unanswered

# Where there is nothing to find out


@pytest.mark.parametrize("job", [told(), cut_off()])
@pytest.mark.parametrize("status", ["generating", "storing"])
def test_an_answer_that_was_written_after_all_is_believed(status: str, job: VideoJob) -> None:
    services = at(status)
    done = reconcile(job, services)
    assert done == generating(wait_seconds=1)
    assert not services.log


@pytest.mark.parametrize("ending", ENDED)
def test_an_ending_is_believed(ending: str) -> None:
    services = at(ending, failure=None if ending == "completed" else REFUSED)
    done = reconcile(cut_off(), services)
    assert done.status == ("stored" if ending == "completed" else "failed")
    assert (done.failure, done.caught, services.log) == (record(services).failure, None, [])


def test_a_record_that_is_gone_ends_the_execution() -> None:
    assert reconcile(told(), FakeServices()).status == "failed"


@pytest.mark.parametrize("recovery", get_args(Recovery))
@pytest.mark.parametrize("job", [cut_off(), told()])
def test_what_was_never_sent_is_sent_now(recovery: Recovery, job: VideoJob) -> None:
    services = at("queued", PENDING)
    services.studio.recovery = recovery
    again = reconcile(job, services)
    assert (again.status, again.asks, again.caught) == ("queued", 1, None)
    assert jobs.create(again, services).status == "pending"
    assert not record(services).ambiguous


@pytest.mark.parametrize("recovery", get_args(Recovery))
def test_a_request_that_certainly_made_nothing_is_not_looked_for(recovery: Recovery) -> None:
    """It was refused, but that could not be written; then Create was cut off before its claim."""
    services = unanswered(recovery)
    again = reconcile(cut_off(released=("another", FENCE)), services)
    assert (again.status, services.log) == ("queued", [])
    assert not record(services).ambiguous


def test_a_create_that_is_cut_off_for_ever_ends_without_a_charge() -> None:
    services = at("queued")
    job = cut_off()
    for _ in range(MAX_ASKS):
        job = reconcile(job.model_copy(update={"caught": cut_off().caught}), services)
    assert ended(job, services) == ("failed", False)


# The taint


@pytest.mark.parametrize("recovery", get_args(Recovery))
@pytest.mark.parametrize("job", [told(), cut_off()])
def test_what_cannot_be_told_is_on_record_before_anything_else(
    recovery: Recovery, job: VideoJob
) -> None:
    services = unanswered(recovery)
    services.studio.listed = [ProviderUnavailableError("off")]
    services.wait(30)
    reconcile(job, services)
    assert (record(services).status, record(services).ambiguous) == ("submitting", True)
    assert record(services).fence == FENCE
    assert record(services).next_check_at == services.clock


@pytest.mark.parametrize("recovery", get_args(Recovery))
def test_a_record_that_cannot_be_marked_is_trouble(recovery: Recovery) -> None:
    services = unanswered(recovery)
    services.videos.before = failing("advance", ambiguous=True)
    with pytest.raises(ConnectionError):
        reconcile(told(), services)
    assert "asked" not in services.log and "listed" not in services.log


def write_the_answer(services: FakeServices) -> None:
    """As the function does that was cut off from us."""
    services.videos.advance(
        "default",
        VIDEO_ID,
        {"submitting"},
        status="generating",
        handle=HANDLE,
        submitted_at=NOON,
    )


@pytest.mark.parametrize("recovery", get_args(Recovery))
def test_an_answer_that_is_written_just_now_wins(recovery: Recovery) -> None:
    """The function that was cut off from us wakes up between our reading and our writing."""
    services = unanswered(recovery)

    def answered(*_: object) -> None:
        services.videos.before = lambda *_: None
        write_the_answer(services)

    services.videos.before = answered
    assert reconcile(cut_off(), services).status == "pending"
    assert not record(services).ambiguous


# Providers that honour a key


def test_with_a_key_asking_again_is_finding_out() -> None:
    services = unanswered("key")
    job = reconcile(told(), services)
    assert (job.status, job.released, job.asks) == ("queued", (FENCE,), 1)
    services.studio.answers = [PENDING]
    assert jobs.create(job, services).status == "pending"
    assert services.studio.keys == [record(services).video_id]
    assert record(services).status == "generating"


def test_with_a_key_it_is_asked_several_times_and_then_nobody_can_tell() -> None:
    services = at("queued", *[OutcomeUnknownError("?")] * 10)
    services.studio.recovery = "key"
    job = jobs.create(a_job(), services)
    while job.status in ("ambiguous", "queued"):
        task = reconcile if job.status == "ambiguous" else jobs.create
        job = task(job, services)
    assert services.studio.keys == [record(services).video_id] * MAX_ASKS
    assert ended(job, services) == UNKNOWN


def test_the_answer_to_the_first_request_is_refused_after_the_second_was_sent() -> None:
    services = unanswered("key")
    job = reconcile(told(), services)
    services.studio.answers = [OutcomeUnknownError("?")]
    jobs.create(job, services)
    before = record(services)
    assert before.fence != FENCE
    services.studio.answers = [PENDING]
    jobs.poll(generating(), services)
    assert record(services) == before


# Providers that can do neither


def test_what_create_tells_of_itself_ends_at_once() -> None:
    services = unanswered("none")
    assert ended(reconcile(told(), services), services) == UNKNOWN


def test_a_request_that_was_only_cut_off_may_yet_be_answered() -> None:
    services = unanswered("none")
    job = reconcile(cut_off(), services)
    assert (job.status, job.caught) == ("ambiguous", None)
    write_the_answer(services)
    assert reconcile(job, services).status == "pending"


@pytest.mark.parametrize("job", [cut_off(), a_job(status="ambiguous")])
def test_it_is_given_up_when_no_function_can_be_at_it_any_more(job: VideoJob) -> None:
    services = unanswered("none")
    assert ended(looked_to_the_end(job, services), services) == UNKNOWN
    longest = Template({}).functions()["CreateVideoFunction"]["Timeout"]
    assert services.clock - NOON > timedelta(seconds=2 * longest)
    assert services.studio.keys == []


def test_looks_for_an_older_request_do_not_count() -> None:
    """An execution that goes on beside a resumed one: that one has asked a moment ago."""
    job = reconcile(a_job(status="ambiguous", fence="older", looks=5), unanswered("none"))
    assert (job.status, job.fence) == ("ambiguous", FENCE)
