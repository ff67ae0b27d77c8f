"""Cancelling: in every state of a video, and while that changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from actionreel import endings, jobs
from actionreel.cancellation import cancel
from actionreel.errors import ProviderUnavailableError, RequestError, VideoNotFoundError
from actionreel.models import Cancellation, ProviderAnswer
from tests.fake_chats import CALLBACK, PLACE
from tests.fakes import (
    HANDLE,
    PENDING,
    REFUSED,
    VIDEO_ID,
    FakeServices,
    a_job,
    a_video,
    at,
    generating,
    record,
)


def cancelled(services: FakeServices) -> Cancellation:
    """What comes of it; the record that it tells of is the one that there is."""
    done = cancel("default", VIDEO_ID, services)
    assert done.video == record(services)
    return done


def test_a_video_that_nobody_asked_for_is_cancelled_for_nothing() -> None:
    services = at("queued")
    assert cancelled(services).outcome == "cancelled"
    failure = record(services).failure
    assert failure is not None
    assert (record(services).status, failure.code, failure.maybe_charged) == (
        "cancelled",
        "cancelled",
        False,
    )
    assert jobs.create(a_job(), services).status == "failed"
    assert services.studio.keys == []


def test_a_video_that_may_have_been_asked_for_says_so_when_it_is_cancelled() -> None:
    services = at("queued", ambiguous=True)
    assert cancelled(services).outcome == "cancelled"
    failure = record(services).failure
    assert failure is not None and failure.maybe_charged
    assert "cancelled here; a request to the provider that was not" in failure.message
    assert services.studio.keys == []


def test_a_video_that_is_being_asked_for_cannot_be_cancelled_now() -> None:
    services = at("submitting")
    with pytest.raises(RequestError) as refused:
        cancel("default", VIDEO_ID, services)
    assert (refused.value.status, record(services).status) == (409, "submitting")
    assert services.log == []


def test_a_job_is_cancelled_at_the_provider_first() -> None:
    services = at("generating")
    services.studio.stopping = "cancelled"
    assert cancelled(services).outcome == "cancelled"
    assert services.log == ["cancelled video_1", "record cancelled"]
    failure = record(services).failure
    assert failure is not None and failure.maybe_charged


@pytest.mark.parametrize("outcome", ["too_late", "unsupported"])
def test_a_job_that_the_provider_does_not_cancel_goes_on(outcome: Any) -> None:
    services = at("generating")
    services.studio.stopping = outcome
    assert cancelled(services).outcome == outcome
    assert record(services).status == "generating"


def test_a_provider_that_cannot_be_reached_leaves_the_video_as_it_is() -> None:
    services = at("generating")
    services.studio.stopping = ProviderUnavailableError("off")
    with pytest.raises(ProviderUnavailableError):
        cancel("default", VIDEO_ID, services)
    assert record(services).status == "generating"


@pytest.mark.parametrize("status", ["storing", "completed", "failed", "expired", "unknown"])
def test_it_is_too_late_for_a_video_that_is_made_or_has_ended(status: str) -> None:
    services = at(status, failure=REFUSED)
    assert cancelled(services).outcome == "too_late"
    assert (record(services).status, services.log) == (status, [])


def test_cancelling_twice_is_cancelling_once() -> None:
    services = at("generating")
    services.studio.stopping = "cancelled"
    first = cancelled(services)
    assert cancelled(services) == first
    assert services.log.count("cancelled video_1") == 1


@pytest.mark.parametrize("video_id", ["", "v1", "../x", VIDEO_ID.upper(), "v" * 5000])
def test_what_is_no_id_is_not_found(video_id: str) -> None:
    with pytest.raises(VideoNotFoundError):
        cancel("default", video_id, at("queued"))


def test_another_tenant_s_video_is_not_found() -> None:
    services = at("generating")
    with pytest.raises(VideoNotFoundError):
        cancel("other", VIDEO_ID, services)
    assert services.log == []


# While it changes


def meanwhile(services: FakeServices, status: str, **changes: Any) -> None:
    """Another one writes just before the next write."""

    def hook(write: str, changed: Mapping[str, Any]) -> None:
        services.videos.before = lambda *_: None
        video = record(services)
        changed = {"status": status, **changes}
        services.videos.advance("default", VIDEO_ID, {video.status}, **changed)

    services.videos.before = hook


@pytest.mark.parametrize("status", ["submitting", "generating"])
def test_a_video_that_is_asked_for_just_now_is_not_cancelled(status: str) -> None:
    services = at("queued")
    meanwhile(services, status, fence="new")
    with pytest.raises(RequestError) as refused:
        cancel("default", VIDEO_ID, services)
    assert (refused.value.status, record(services).status) == (409, status)


@pytest.mark.parametrize(
    ("status", "outcome"), [("completed", "too_late"), ("cancelled", "cancelled")]
)
def test_a_video_that_ends_just_now_keeps_its_ending(status: str, outcome: str) -> None:
    services = at("generating")
    services.studio.stopping = "cancelled"
    meanwhile(services, status)
    assert cancelled(services).outcome == outcome
    assert record(services).status == status


def test_a_file_that_is_fetched_just_now_does_not_bring_a_cancelled_video_back() -> None:
    services = at("generating")
    services.studio.stopping = "cancelled"
    meanwhile(services, "storing")
    assert cancelled(services).outcome == "cancelled"
    job = jobs.store(generating(), services)
    assert (job.status, record(services).status) == ("failed", "cancelled")


def test_the_look_that_finds_the_cancelled_job_keeps_the_ending() -> None:
    services = at("generating", ProviderAnswer(phase="cancelled", handle=HANDLE), PENDING)
    services.studio.stopping = "cancelled"
    before = cancelled(services).video
    endings.fail(jobs.poll(generating(), services), services)
    assert jobs.poll(generating(), services).status == "failed"
    assert record(services) == before


def test_an_answer_that_comes_after_the_cancellation_is_not_written() -> None:
    services = at("queued")
    services.videos.add("default", [a_video()], None)
    cancelled(services)
    services.studio.answers = [PENDING]
    jobs.create(a_job(), services)
    assert (record(services).status, services.studio.keys) == ("cancelled", [])


@pytest.mark.parametrize("place", [PLACE, CALLBACK])
@pytest.mark.parametrize("status", ["queued", "generating"])
def test_who_waits_for_a_cancelled_video_is_owed_the_news(status: str, place: Any) -> None:
    services = at(status, place=place)
    services.studio.stopping = "cancelled"
    assert cancelled(services).outcome == "cancelled"
    assert record(services).delivery == "owed"


def test_a_cancelled_video_for_which_nobody_waits_owes_nothing() -> None:
    services = at("queued")
    cancelled(services)
    assert record(services).delivery is None


def test_cancelling_again_does_not_owe_the_news_again() -> None:
    services = at("cancelled", place=PLACE, delivery="delivered")
    assert cancelled(services).outcome == "cancelled"
    assert record(services).delivery == "delivered"
