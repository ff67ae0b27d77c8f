"""Reconcile Video where the provider lists its jobs: one is adopted, or asked for once more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from actionreel import jobs
from actionreel.errors import (
    JobNotFoundError,
    NotListedError,
    OutcomeUnknownError,
    ProviderError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.models import Handle, ProviderAnswer, VideoJob, VideoRequest
from actionreel.orders import Order
from actionreel.reconciliation import CLOCK_SKEW, reconcile
from actionreel.registry import Registry
from actionreel.schedule import RECONCILE_WAITS
from tests.fakes import FENCE, HANDLE, NOON, FakeServices, a_video, failing, generating, record
from tests.unanswered import UNKNOWN, cut_off, ended, looked_to_the_end, told, unanswered

LOOKS = len(RECONCILE_WAITS) + 1
MINE: Handle = {"id": "mine"}
OTHER = "0199f3a0-0000-7000-8000-000000000002"


def listing(*lists: list[Handle] | Exception) -> FakeServices:
    """A request went unanswered, and these are what the provider's list shows, one by one."""
    services = unanswered("list")
    services.studio.listed = list(lists)
    return services


def taken(services: FakeServices, handle: Handle, video_id: str = OTHER) -> None:
    """The job is another video's."""
    services.videos.give_job("openai_videos", handle, "default", video_id)


@pytest.mark.parametrize("job", [told(), cut_off()])
def test_the_job_that_is_listed_is_adopted(job: VideoJob) -> None:
    services = listing([MINE])
    services.wait(30)
    adopted = reconcile(job, services)
    assert adopted == generating(handle=MINE, wait_seconds=1)
    assert record(services) == a_video(
        status="generating",
        fence=FENCE,
        ambiguous=True,
        handle=MINE,
        asked_at=NOON,
        submitted_at=NOON,
        next_check_at=NOON + timedelta(seconds=1),
    )
    services.studio.answers = [ProviderAnswer(phase="completed")]
    assert jobs.store(jobs.poll(adopted, services), services).status == "stored"


def test_only_the_likeliest_job_is_taken() -> None:
    services = listing([MINE, HANDLE])
    reconcile(told(), services)
    assert record(services).handle == MINE
    taken(services, HANDLE)


def test_a_job_that_is_another_video_s_is_left_to_it() -> None:
    services = listing([HANDLE, MINE])
    taken(services, HANDLE)
    assert reconcile(told(), services).handle == MINE


def test_two_videos_with_the_same_prompt_never_get_one_job() -> None:
    services = listing([HANDLE], [HANDLE])
    twin = a_video(video_id=OTHER, status="submitting", fence="of the twin", asked_at=NOON)
    services.videos.add("default", [twin], None)
    first = reconcile(told(), services)
    second = reconcile(told(video_id=OTHER, fence="of the twin"), services)
    assert (first.status, second.status) == ("pending", "ambiguous")
    assert (record(services).handle, record(services, OTHER).handle) == (HANDLE, None)


def test_a_job_of_ours_is_found_again_after_a_write_that_failed() -> None:
    services = listing([MINE], [MINE])
    services.videos.before = failing("take_job", status="generating")
    with pytest.raises(ConnectionError):
        reconcile(told(), services)
    services.videos.before = lambda *_: None
    assert reconcile(told(), services).status == "pending"
    assert record(services).handle == MINE


def test_the_clocks_may_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    services = unanswered("list")
    asked: list[tuple[VideoRequest, datetime]] = []

    def find(order: Order, since: datetime) -> list[Handle]:
        asked.append((order.request, since))
        return [MINE]

    monkeypatch.setattr(services.studio, "find", find)
    services.wait(100)
    job = told()
    reconcile(job, services)
    assert asked == [(job.request, NOON - CLOCK_SKEW)]


# A list that lags, or is trouble


@pytest.mark.parametrize("lag", range(1, LOOKS))
def test_a_list_may_lag(lag: int) -> None:
    services = listing(*[[]] * lag, [MINE])
    job = looked_to_the_end(told(), services)
    assert (job.status, job.handle, job.looks) == ("pending", MINE, 0)
    assert "asked" not in services.log


@pytest.mark.parametrize(
    "error",
    [
        ProviderUnavailableError("503"),
        ProviderThrottledError("429"),
        ProviderRejectedError("401"),
        ProviderError("unreadable"),
        JobNotFoundError("empty"),
    ],
)
def test_trouble_with_the_list_is_not_trouble_with_the_job(error: ProviderError) -> None:
    services = listing(error, [], error, [MINE])
    looked = reconcile(told(), services)
    assert (looked.status, looked.looks, looked.trouble) == ("ambiguous", 1, str(error))
    assert looked_to_the_end(looked, services).handle == MINE


@pytest.mark.parametrize("error", [ProviderUnavailableError("503"), JobNotFoundError("empty")])
def test_a_list_that_is_trouble_to_the_end_can_show_no_absence(error: ProviderError) -> None:
    services = listing(*[[]] * (LOOKS - 1), error)
    job = looked_to_the_end(told(), services)
    assert ended(job, services) == UNKNOWN
    assert "asked" not in services.log


@pytest.mark.parametrize("place", range(LOOKS))
def test_after_an_empty_list_nothing_is_absent(place: int) -> None:
    """There may be several lists, of which that was one: nothing is asked for a second time."""
    looks: list[Any] = [[] for _ in range(LOOKS)]
    looks[place] = JobNotFoundError("empty")
    services = listing(*looks)
    assert ended(looked_to_the_end(told(), services), services) == UNKNOWN
    assert "asked" not in services.log
    services = listing(JobNotFoundError("empty"), [MINE])
    assert looked_to_the_end(told(), services).handle == MINE


def test_a_list_that_cannot_tell_ends_what_create_tells_of() -> None:
    services = listing(NotListedError("There is no list."))
    assert ended(reconcile(told(), services), services) == UNKNOWN


def test_a_list_that_cannot_tell_leaves_time_to_a_function_that_was_cut_off_from_us() -> None:
    services = listing(*[NotListedError("There is no list.")] * LOOKS)
    job = reconcile(cut_off(), services)
    assert job.status == "ambiguous"
    assert ended(looked_to_the_end(job, services), services) == UNKNOWN


# Asking once more


def test_what_is_not_listed_to_the_end_is_asked_for_once_more() -> None:
    services = listing(*[[]] * LOOKS)
    job = looked_to_the_end(told(), services)
    assert (job.status, job.released, job.asks, job.looks) == ("queued", (FENCE,), 1, 0)
    assert services.clock - NOON >= timedelta(seconds=150)
    assert (record(services).status, record(services).resent) == ("submitting", True)
    services.studio.answers = [ProviderAnswer(phase="pending", handle=MINE)]
    assert jobs.create(job, services).handle == MINE
    assert record(services).status == "generating"


def test_it_is_asked_once_more_and_never_twice() -> None:
    services = listing(*[[]] * 2 * LOOKS)
    services.studio.answers = [OutcomeUnknownError("?")]
    job = jobs.create(looked_to_the_end(told(), services), services)
    assert job.status == "ambiguous"
    assert ended(looked_to_the_end(job, services), services) == UNKNOWN
    assert (len(services.studio.keys), services.studio.listed) == (1, [])


def test_a_second_request_that_was_refused_for_now_may_be_repeated() -> None:
    """It is certain that it made nothing; but what the first one made, nobody knows."""
    services = listing(*[[]] * LOOKS)
    refusals = [ProviderThrottledError("429"), ProviderRejectedError("No credit.", "quota")]
    services.studio.answers = [*refusals]
    job = looked_to_the_end(told(), services)
    for _ in refusals:
        job = jobs.create(job, services)
    assert ended(job, services) == UNKNOWN


def test_the_first_job_is_found_while_the_second_request_is_looked_for() -> None:
    services = listing(*[[]] * LOOKS, [MINE])
    services.studio.answers = [OutcomeUnknownError("?")]
    job = jobs.create(looked_to_the_end(told(), services), services)
    assert looked_to_the_end(job, services).handle == MINE
    assert len(services.studio.keys) == 1


def test_asking_once_more_is_on_record_before_it_can_happen() -> None:
    services = listing(*[[]] * 2)
    services.videos.before = failing("advance", resent=True)
    last = told(looks=len(RECONCILE_WAITS))
    with pytest.raises(ConnectionError):
        reconcile(last, services)
    services.videos.before = lambda *_: None
    services.videos.after = failing("advance", resent=True)
    services.studio.listed = [[], []]
    with pytest.raises(ConnectionError):
        reconcile(last, services)
    services.videos.after = lambda *_: None
    assert reconcile(last, services).status == "unknown", "it may have been handed on"


@pytest.mark.parametrize("late", [MINE, HANDLE])
def test_a_first_request_that_is_answered_after_all_does_not_disturb_the_second(
    late: Handle,
) -> None:
    services = listing(*[[]] * LOOKS)
    job = looked_to_the_end(told(), services)
    services.studio.answers = [ProviderAnswer(phase="pending", handle=MINE)]
    jobs.create(job, services)
    before = record(services)
    services.studio.answers = [ProviderAnswer(phase="pending", progress=50)]
    stale = jobs.poll(generating(handle=late), services)
    assert record(services) == before
    assert (stale.handle, stale.fence) == (MINE, before.fence)


def test_looks_for_an_older_request_do_not_count() -> None:
    """An execution that goes on beside a resumed one: that one has asked a moment ago."""
    services = listing([])
    job = reconcile(told(fence="older", looks=len(RECONCILE_WAITS)), services)
    assert (job.status, job.fence, record(services).resent) == ("ambiguous", FENCE, False)


def test_a_model_that_left_the_registry_is_looked_for_all_the_same() -> None:
    services = listing([MINE])
    model = services.registry.find().model_copy(update={"id": "another", "aliases": ()})
    services.registry = Registry(default="another", models=(model,))
    job = reconcile(told(), services)
    assert (job.status, job.handle) == ("pending", MINE)
