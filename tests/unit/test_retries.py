"""Making a video again: what can be, what may cost twice, and that there is one retry of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from actionreel.accounts import NO_CAPS, Caps
from actionreel.errors import (
    InvalidActionError,
    RequestError,
    StaleVideoError,
    VideoNotFoundError,
    WorkflowError,
)
from actionreel.models import Failure, Video, is_video_id
from actionreel.registry import Registry
from actionreel.retries import retry
from tests.fake_chats import CALLBACK, PLACE
from tests.fakes import NOON, OPEN, REFUSED, VIDEO_ID, FakeServices, a_video, at, record

CHARGED = Failure(code="timeout", message="Too late.", maybe_charged=True)


def refused(services: FakeServices, *, accept_double_charge: bool = False) -> str:
    """The code with which it is refused; nothing is written or started."""
    with pytest.raises(RequestError) as error:
        retry("default", VIDEO_ID, services, accept_double_charge=accept_double_charge)
    assert error.value.status == 409
    assert str(error.value).endswith(".")
    assert services.log == []
    return error.value.word


def test_a_video_that_failed_is_made_again_as_a_new_one() -> None:
    services = at(
        "failed",
        failure=REFUSED,
        created_at=NOON,
        conversation_id="c",
        message_id="m",
        notices=("n",),
        resumes=2,
        ambiguous=True,
        resent=True,
    )
    services.wait(100)
    again = retry("default", VIDEO_ID, services)
    assert services.log == ["record queued", "started"]
    assert again == a_video(
        video_id=again.video_id,
        retry_of=VIDEO_ID,
        deadline_seconds=services.registry.find().deadline_seconds,
        conversation_id="c",
        notices=("n",),
        created_at=services.clock,
        next_check_at=services.clock,
        reservation={"day": "2026-11-22", "seconds": 8, "usd": "0.80"},
    )
    assert is_video_id(again.video_id)
    assert record(services, again.video_id) == services.workflow.started[0] == again
    assert (record(services).status, record(services).retried_as) == ("failed", again.video_id)


def test_a_video_that_expired_can_be_made_again() -> None:
    services = at("expired", failure=REFUSED)
    assert retry("default", VIDEO_ID, services).retry_of == VIDEO_ID


def test_what_may_have_been_charged_takes_a_yes_to_be_charged_again() -> None:
    services = at("unknown", failure=CHARGED)
    assert refused(services) == "may_be_charged"
    assert retry("default", VIDEO_ID, services, accept_double_charge=True).status == "queued"


@pytest.mark.parametrize("yes", [False, True])
@pytest.mark.parametrize("status", OPEN)
def test_a_video_that_is_being_made_is_not_made_again(status: str, yes: bool) -> None:
    assert refused(at(status), accept_double_charge=yes) == "not_now"


@pytest.mark.parametrize("yes", [False, True])
@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_there_is_nothing_to_try_again(status: str, yes: bool) -> None:
    assert refused(at(status), accept_double_charge=yes) == "nothing_to_retry"


@pytest.mark.parametrize("video_id", ["", "v1", "../x", VIDEO_ID.upper(), "v" * 5000])
def test_what_is_no_id_is_not_found(video_id: str) -> None:
    with pytest.raises(VideoNotFoundError):
        retry("default", video_id, at("failed"))


def test_another_tenant_s_video_is_not_found() -> None:
    services = at("failed")
    with pytest.raises(VideoNotFoundError):
        retry("other", VIDEO_ID, services)
    assert services.log == []


def test_a_model_that_is_gone_says_so() -> None:
    services = at("failed")
    model = services.registry.find().model_copy(update={"id": "new", "aliases": ()})
    services.registry = Registry(default="new", models=(model,))
    with pytest.raises(InvalidActionError):
        retry("default", VIDEO_ID, services)
    assert services.log == []


@pytest.mark.parametrize("status", ["failed", "expired", "unknown"])
def test_the_second_retry_gives_the_first(status: str) -> None:
    services = at(status)
    first = retry("default", VIDEO_ID, services, accept_double_charge=True)
    services.videos.advance("default", first.video_id, {"queued"}, status="submitting")
    again = retry("default", VIDEO_ID, services)
    assert (again.video_id, again.status) == (first.video_id, "submitting")
    assert len(services.workflow.started) == 1


def test_a_retry_that_was_not_started_is_started_by_the_second_one() -> None:
    services = at("failed")
    services.workflow.trouble = WorkflowError("no")
    first = retry("default", VIDEO_ID, services)
    assert (first.status, services.workflow.started) == ("queued", [])
    services.workflow.trouble = None
    assert retry("default", VIDEO_ID, services) == first
    assert services.workflow.started == [first]


def test_the_retry_of_a_retry_is_a_third_video() -> None:
    services = at("failed")
    second = retry("default", VIDEO_ID, services)
    services.videos.advance("default", second.video_id, {"queued"}, status="failed")
    third = retry("default", second.video_id, services)
    assert third.retry_of == second.video_id
    assert len({VIDEO_ID, second.video_id, third.video_id}) == 3


def test_two_at_once_give_one_retry() -> None:
    services = at("failed")
    add_retry = services.videos.add_retry
    other = []

    def slower(video: Video, caps: Sequence[Caps] = NO_CAPS) -> None:
        services.videos.add_retry = add_retry  # type: ignore[method-assign]
        other.append(retry("default", VIDEO_ID, services))
        add_retry(video)

    services.videos.add_retry = slower  # type: ignore[method-assign]
    again = retry("default", VIDEO_ID, services)
    assert [again] == other
    assert len(services.videos.records) == 2


def test_a_record_that_goes_away_meanwhile_is_told() -> None:
    services = at("failed")

    def gone(video: Video, caps: Sequence[Caps] = NO_CAPS) -> None:
        raise StaleVideoError(None)

    services.videos.add_retry = gone  # type: ignore[method-assign]
    with pytest.raises(StaleVideoError):
        retry("default", VIDEO_ID, services)
    assert services.workflow.started == []


def test_the_retry_s_result_goes_where_the_older_one_s_went() -> None:
    waits = PLACE.model_copy(update={"deferred": True, "follows_up": True})
    services = at("failed", failure=REFUSED, place=waits, delivery="delivered", announcement="a")
    again = retry("default", VIDEO_ID, services)
    assert again.place == waits.model_copy(update={"deferred": False}), "it was filled"
    assert (again.delivery, again.announcement, again.announcing) == (None, None, False)
    assert record(services).delivery == "delivered"


def test_the_retry_s_result_goes_where_it_is_asked_for() -> None:
    services = at("failed", failure=REFUSED, place=CALLBACK)
    assert retry("default", VIDEO_ID, services, place=PLACE).place == PLACE


def test_a_retry_of_a_retry_known_keeps_its_place() -> None:
    services = at("failed", failure=REFUSED, place=CALLBACK)
    first = retry("default", VIDEO_ID, services, place=PLACE)
    assert retry("default", VIDEO_ID, services, place=CALLBACK) == first


def test_a_retry_for_nobody_has_no_place() -> None:
    assert retry("default", VIDEO_ID, at("failed", failure=REFUSED)).place is None


def test_a_retry_that_was_deleted_is_not_shown_again() -> None:
    services = at("failed", failure=REFUSED)
    again = retry("default", VIDEO_ID, services)
    services.videos.advance("default", again.video_id, {"queued"}, status="failed", failure=REFUSED)
    services.videos.advance("default", again.video_id, {"failed"}, deleted_at=NOON)
    with pytest.raises(RequestError, match="was deleted; ask for a new one") as refused:
        retry("default", VIDEO_ID, services)
    assert (refused.value.status, refused.value.word) == (409, "nothing_to_retry")
