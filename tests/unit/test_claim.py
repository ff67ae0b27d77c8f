"""The claim: the right to ask a provider, which one run of Create Video at most can have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from actionreel import endings, jobs
from actionreel.ledger import MAX_ASKS
from actionreel.models import VideoJob
from tests.fakes import (
    ENDED,
    FENCE,
    PENDING,
    REFUSED,
    FakeServices,
    a_job,
    at,
    failing,
    generating,
    record,
)


def test_a_record_that_cannot_be_written_sends_nothing() -> None:
    services = at("queued", PENDING)
    services.videos.before = failing("claim")
    job = jobs.create(a_job(), services)
    assert (job.status, job.asks, job.trouble) == ("queued", 1, "ConnectionError")
    assert services.log == []
    services.videos.before = lambda *_: None
    assert jobs.create(job, services).status == "pending"


def test_durations_that_cannot_be_read_send_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    services = at("queued", PENDING)

    def broken(_: str) -> list[int]:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(services.videos, "durations", broken)
        job = jobs.create(a_job(), services)
    assert (job.status, record(services).status, services.log) == ("queued", "queued", [])
    assert jobs.create(job, services).status == "pending"


def test_a_claim_whose_answer_got_lost_is_taken_up_by_the_next_run() -> None:
    services = at("queued", PENDING)
    services.videos.after = failing("claim")
    job = jobs.create(a_job(), services)
    assert (job.status, record(services).status) == ("queued", "submitting")
    services.videos.after = lambda *_: None
    assert jobs.create(job, services).status == "pending"
    assert services.log.count("asked") == 1


def test_a_record_that_can_never_be_written_ends_without_having_asked() -> None:
    services = at("queued")
    services.videos.before = failing("claim")
    job = a_job()
    for _ in range(MAX_ASKS):
        job = jobs.create(job, services)
    endings.fail(job, services)
    failure = record(services).failure
    assert failure is not None
    assert (failure.code, failure.retryable, failure.maybe_charged) == ("internal", True, False)
    assert (record(services).status, services.studio.keys) == ("failed", [])


def test_a_claim_that_fails_forgets_no_request_that_made_nothing() -> None:
    """Neither the give-back of the first request nor the claim of the second could be written."""
    services = at("submitting", PENDING)
    services.videos.before = failing("claim")
    job = jobs.create(a_job(released=(FENCE,), asks=1), services)
    services.videos.before = lambda *_: None
    assert jobs.create(job, services).status == "pending"


@pytest.mark.parametrize("released", [(), ("another", "and another")])
def test_a_second_run_after_an_interruption_never_asks(released: tuple[str, ...]) -> None:
    services = at("submitting")
    job = jobs.create(a_job(released=released), services)
    assert (job.status, job.fence, job.wait_seconds) == ("ambiguous", None, 1)
    assert (record(services).fence, services.log) == (FENCE, [])


@pytest.mark.parametrize("status", ["generating", "storing"])
def test_a_second_run_after_the_answer_goes_on_from_the_record(status: str) -> None:
    services = at(status)
    assert jobs.create(a_job(), services) == generating(wait_seconds=1)
    assert services.log == []


@pytest.mark.parametrize("ending", ENDED)
def test_an_ending_is_believed(ending: str) -> None:
    services = at(ending, PENDING, failure=None if ending == "completed" else REFUSED)
    before = record(services)
    job = jobs.create(a_job(), services)
    assert (record(services), services.log) == (before, [])
    assert job.status == ("stored" if ending == "completed" else "failed")
    assert job.failure == before.failure


def test_a_record_that_is_gone_ends_the_execution() -> None:
    services = FakeServices()
    job = jobs.create(a_job(), services)
    assert job.failure is not None
    assert (job.status, job.failure.code, services.log) == ("failed", "internal", [])
    assert endings.fail(job, services) == job


def test_an_answer_that_comes_after_the_end_changes_nothing() -> None:
    services = at("queued", PENDING)

    def closed_meanwhile(write: str, changed: Mapping[str, Any]) -> None:
        if changed.get("status") == "generating":
            services.videos.before = lambda *_: None
            services.videos.advance("default", job.video_id, {"submitting"}, status="unknown")

    services.videos.before = closed_meanwhile
    job = a_job()
    assert jobs.create(job, services).status == "failed"
    assert (record(services).status, record(services).handle) == ("unknown", None)


def test_a_run_that_was_overtaken_hands_its_job_to_nobody() -> None:
    """An older run of this task wakes up: its answer is not written under another's fence."""
    services = at("queued", PENDING)

    def overtaken(write: str, changed: Mapping[str, Any]) -> None:
        if changed.get("status") == "generating":
            services.videos.before = lambda *_: None
            released = (str(record(services).fence),)
            services.videos.claim("default", record(services).video_id, "a later one", released)

    services.videos.before = overtaken
    job: VideoJob = jobs.create(a_job(), services)
    assert job.status == "ambiguous"
    assert (record(services).status, record(services).fence) == ("submitting", "a later one")
