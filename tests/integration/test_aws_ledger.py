"""The conditions of the ledger, in DynamoDB as moto plays it and in the fake of the unit tests:
whoever comes late, with what he knew of a record, changes nothing."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import boto3
import pytest
from uuid6 import uuid7

from actionreel.aws.dynamodb import DynamoDBVideoRepository
from actionreel.errors import StaleVideoError
from actionreel.models import Failure, Handle, Video, VideoStatus
from actionreel.ports import Services, VideoRepository
from actionreel.retries import retry
from local.stack import Stack
from tests.fake_repository import ENDED_BADLY, FakeVideoRepository
from tests.fakes import ENDED, NOON, OPEN, FakeServices, a_video

HANDLE: Handle = {"id": "video_1", "deep": {"b": [1, None], "a": "="}}
tenants = (f"ledger-{number}" for number in itertools.count())


@pytest.fixture
def tenant() -> str:
    return next(tenants)


@pytest.fixture
def dynamodb(stack: Stack) -> DynamoDBVideoRepository:
    return DynamoDBVideoRepository(boto3.client("dynamodb"), "VideoTable")


@pytest.fixture(params=["DynamoDB", "the fake"])
def videos(request: pytest.FixtureRequest, dynamodb: DynamoDBVideoRepository) -> VideoRepository:
    return dynamodb if request.param == "DynamoDB" else FakeVideoRepository([])


def added(videos: VideoRepository, tenant: str, **changes: Any) -> Video:
    video = a_video(tenant=tenant, video_id=str(uuid7()), **changes)
    videos.add(tenant, [video], None)
    return video


def unchanged(videos: VideoRepository, video: Video) -> bool:
    return videos.get(video.tenant, video.video_id) == video


# The claim


def test_what_waits_can_be_claimed_once(videos: VideoRepository, tenant: str) -> None:
    video = added(videos, tenant)
    claimed = videos.claim(tenant, video.video_id, "first", (), asked_at=NOON, next_check_at=NOON)
    taken = {"status": "submitting", "fence": "first", "asked_at": NOON, "next_check_at": NOON}
    assert claimed == video.model_copy(update=taken)
    with pytest.raises(StaleVideoError) as stale:
        videos.claim(tenant, video.video_id, "second", (), asked_at=NOON)
    assert stale.value.video == claimed
    assert unchanged(videos, claimed)


def test_what_made_nothing_can_be_claimed_by_who_knows_it(
    videos: VideoRepository, tenant: str
) -> None:
    video = added(videos, tenant, status="submitting", fence="first")
    for released in ((), ("another",), ("", "firs", "First")):
        with pytest.raises(StaleVideoError):
            videos.claim(tenant, video.video_id, "second", released)
    claimed = videos.claim(tenant, video.video_id, "second", ("zero", "first"))
    assert (claimed.status, claimed.fence) == ("submitting", "second")
    with pytest.raises(StaleVideoError):
        videos.claim(tenant, video.video_id, "third", ("zero", "first"))


@pytest.mark.parametrize("status", ["generating", "storing", *ENDED])
def test_what_was_accepted_or_has_ended_cannot_be_claimed(
    videos: VideoRepository, tenant: str, status: VideoStatus
) -> None:
    video = added(videos, tenant, status=status, fence="first")
    with pytest.raises(StaleVideoError) as stale:
        videos.claim(tenant, video.video_id, "second", ("first",))
    assert stale.value.video == video
    assert unchanged(videos, video)


def test_a_record_that_is_gone_cannot_be_claimed(videos: VideoRepository, tenant: str) -> None:
    with pytest.raises(StaleVideoError) as stale:
        videos.claim(tenant, str(uuid7()), "first", ())
    assert stale.value.video is None


def test_a_claim_whose_answer_got_lost_is_known_when_the_client_repeats_it(
    dynamodb: DynamoDBVideoRepository, tenant: str
) -> None:
    """botocore does so by itself after a time-out; then the condition fails for our own write."""
    video = added(dynamodb, tenant)
    first = dynamodb.claim(tenant, video.video_id, "first", (), asked_at=NOON)
    assert dynamodb.claim(tenant, video.video_id, "first", (), asked_at=NOON) == first


def test_of_many_who_claim_at_once_one_does(dynamodb: DynamoDBVideoRepository, tenant: str) -> None:
    contested = [added(dynamodb, tenant) for _ in range(10)]

    def claim(number: int) -> bool:
        video = contested[number % len(contested)]
        try:
            dynamodb.claim(tenant, video.video_id, str(number), ())
        except StaleVideoError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(claim, range(4 * len(contested)))) == len(contested)


# Every other write


WRITES: dict[str, dict[str, Any]] = {
    "given back": {"allowed": {"submitting"}, "status": "queued"},
    "accepted": {"allowed": {"submitting"}, "status": "generating", "handle": HANDLE},
    "marked": {"allowed": {"submitting"}, "ambiguous": True},
    "looked at": {"allowed": {"generating"}, "progress": 50},
    "storing": {"allowed": {"generating", "storing"}, "status": "storing"},
    "completed": {"allowed": {"storing"}, "status": "completed", "bytes": 7},
    "failed": {"allowed": set(OPEN), "status": "failed"},
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("knows", [None, "an older one", "", "nex"])
def test_a_late_writer_of_an_old_request_changes_nothing(
    videos: VideoRepository, tenant: str, write: str, knows: str | None
) -> None:
    changes = dict(WRITES[write])
    allowed = changes.pop("allowed")
    video = added(videos, tenant, status=sorted(allowed)[0], fence="next")
    with pytest.raises(StaleVideoError) as stale:
        videos.advance(tenant, video.video_id, allowed, expect={"fence": knows}, **changes)
    assert stale.value.video == video
    assert unchanged(videos, video)
    written = videos.advance(tenant, video.video_id, allowed, expect={"fence": "next"}, **changes)
    assert written == video.model_copy(update=changes)


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("ending", ENDED)
def test_an_ending_is_never_overwritten(
    videos: VideoRepository, tenant: str, write: str, ending: VideoStatus
) -> None:
    changes = dict(WRITES[write])
    allowed = changes.pop("allowed")
    video = added(videos, tenant, status=ending, fence="first")
    with pytest.raises(StaleVideoError):
        videos.advance(tenant, video.video_id, allowed, expect={"fence": "first"}, **changes)
    assert unchanged(videos, video)


def test_a_video_that_was_never_asked_for_has_no_fence(
    videos: VideoRepository, tenant: str
) -> None:
    video = added(videos, tenant)
    failure = Failure(code="internal", message="m")
    ending = {"status": "failed", "failure": failure}
    with pytest.raises(StaleVideoError):
        videos.advance(tenant, video.video_id, {"queued"}, expect={"fence": ""}, **ending)
    closed = videos.advance(tenant, video.video_id, {"queued"}, expect={"fence": None}, **ending)
    assert closed == video.model_copy(update=ending)


def test_every_field_that_is_expected_counts(videos: VideoRepository, tenant: str) -> None:
    due = NOON + timedelta(days=36_500)  # the sweep of a stack that runs here leaves it alone
    video = added(videos, tenant, status="generating", fence="f", next_check_at=due, resumes=1)
    later = due + timedelta(microseconds=1)
    known: dict[str, Any] = {"fence": "f", "next_check_at": due, "resumes": 1}
    for wrong in ({"fence": "g"}, {"next_check_at": later}, {"resumes": 0}, {"handle": HANDLE}):
        with pytest.raises(StaleVideoError):
            videos.advance(tenant, video.video_id, {"generating"}, known | wrong, progress=1)
    assert unchanged(videos, video)
    assert videos.advance(tenant, video.video_id, {"generating"}, known, progress=1).progress == 1


# Whose a job is


def takes(
    videos: VideoRepository, provider: str, handle: Handle, video: Video, fence: str = "f"
) -> bool:
    """Whether the video gets the job, under that fence."""
    return videos.take_job(
        provider,
        handle,
        video.tenant,
        video.video_id,
        {"submitting"},
        {"fence": fence},
        status="generating",
    )


def test_a_job_is_one_video_s(videos: VideoRepository, tenant: str) -> None:
    provider = f"provider of {tenant}"
    first, second, third = (added(videos, tenant, status="submitting", fence="f") for _ in range(3))
    assert takes(videos, provider, HANDLE, first)
    assert not takes(videos, provider, HANDLE, second)
    assert unchanged(videos, second)
    assert takes(videos, provider, {"id": "video_2"}, second)
    assert takes(videos, f"another {provider}", HANDLE, third)
    taken = videos.get(tenant, first.video_id)
    assert taken is not None
    assert (taken.status, taken.handle) == ("generating", HANDLE)


def test_who_comes_too_late_takes_no_job(videos: VideoRepository, tenant: str) -> None:
    """Or it would belong to a video that has another one, and nobody could find it."""
    provider = f"provider of {tenant}"
    late, other = (added(videos, tenant, status="submitting", fence="f") for _ in range(2))
    with pytest.raises(StaleVideoError):
        takes(videos, provider, HANDLE, late, fence="of a request before")
    assert unchanged(videos, late)
    assert takes(videos, provider, HANDLE, other)


def test_of_many_who_find_a_job_at_once_one_has_it(
    dynamodb: DynamoDBVideoRepository, tenant: str
) -> None:
    finders = [added(dynamodb, tenant, status="submitting", fence="f") for _ in range(12)]
    with ThreadPoolExecutor(4) as pool:
        owned = pool.map(lambda video: takes(dynamodb, tenant, HANDLE, video), finders)
    assert sum(owned) == 1


# Retries


@pytest.mark.parametrize("status", ENDED_BADLY)
def test_a_video_is_retried_once(videos: VideoRepository, tenant: str, status: VideoStatus) -> None:
    older = added(videos, tenant, status=status)
    first, second = (
        older.model_copy(update={"video_id": str(uuid7()), "status": "queued", "retry_of": of})
        for of in (older.video_id, older.video_id)
    )
    videos.add_retry(first)
    noted = older.model_copy(update={"retried_as": first.video_id})
    assert (unchanged(videos, noted), unchanged(videos, first)) == (True, True)
    with pytest.raises(StaleVideoError) as stale:
        videos.add_retry(second)
    assert stale.value.video == noted
    assert videos.get(tenant, second.video_id) is None


def test_what_was_deleted_is_not_retried(videos: VideoRepository, tenant: str) -> None:
    older = added(videos, tenant, status="failed", deleted_at=NOON)
    again = older.model_copy(update={"video_id": str(uuid7()), "retry_of": older.video_id})
    with pytest.raises(StaleVideoError):
        videos.add_retry(again.model_copy(update={"deleted_at": None}))
    assert unchanged(videos, older)
    assert videos.get(tenant, again.video_id) is None


def test_of_many_who_retry_at_once_all_get_one_video(
    dynamodb: DynamoDBVideoRepository, tenant: str
) -> None:
    older = added(dynamodb, tenant, status="failed")
    services = FakeServices()
    with ThreadPoolExecutor(4) as pool:
        tries = pool.map(
            lambda _: retry(tenant, older.video_id, with_records(services, dynamodb)), range(8)
        )
        assert len({video.video_id for video in tries}) == 1
    assert len(dynamodb.page(tenant, 100, None, None)[0]) == 2


def with_records(services: FakeServices, videos: VideoRepository) -> Services:
    services.videos = videos  # type: ignore[assignment]
    return services


@pytest.mark.parametrize("status", [*OPEN, "completed", "cancelled"])
def test_what_cannot_be_retried_is_left_alone(
    videos: VideoRepository, tenant: str, status: VideoStatus
) -> None:
    older = added(videos, tenant, status=status)
    again = older.model_copy(update={"video_id": str(uuid7()), "retry_of": older.video_id})
    with pytest.raises(StaleVideoError) as stale:
        videos.add_retry(again)
    assert stale.value.video == older
    assert unchanged(videos, older)
    assert videos.get(tenant, again.video_id) is None
