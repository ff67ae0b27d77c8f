"""Which open videos had no news for too long: in DynamoDB's index as moto plays it, and in the fake
of the unit tests."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from uuid6 import uuid7

from actionreel.aws import dynamodb_items as items
from actionreel.aws.dynamodb import DynamoDBVideoRepository
from actionreel.models import Video, VideoStatus
from actionreel.ports import VideoRepository
from local.stack import Stack
from tests.fake_repository import FakeVideoRepository
from tests.fakes import ENDED, NOON, OPEN, a_video

tenants = (f"open-{number}" for number in itertools.count())
years = itertools.count(
    900, -1
)  # of each test a year before those of all others, in other files too


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


def overdue(videos: VideoRepository, year: int, limit: int = 100) -> list[Video]:
    return videos.overdue(datetime(year, 12, 31, tzinfo=UTC), limit)


def test_the_most_overdue_come_first(videos: VideoRepository, tenant: str) -> None:
    year = next(years)
    days = [datetime(year, month, 1, tzinfo=UTC) for month in (3, 1, 2)]
    march, january, february = (added(videos, tenant, next_check_at=day) for day in days)
    added(videos, tenant)
    assert overdue(videos, year) == [january, february, march]
    assert overdue(videos, year, limit=2) == [january, february]
    assert videos.overdue(days[0], 100) == [january, february], "not yet at the very time"


@pytest.mark.parametrize("status", OPEN)
def test_every_open_video_can_be_overdue(
    videos: VideoRepository, tenant: str, status: VideoStatus
) -> None:
    year = next(years)
    video = added(videos, tenant, status=status, next_check_at=datetime(year, 1, 1, tzinfo=UTC))
    assert overdue(videos, year) == [video]


@pytest.mark.parametrize("ending", ENDED)
def test_a_video_that_ends_is_not_overdue_any_more(
    videos: VideoRepository, tenant: str, ending: VideoStatus
) -> None:
    year = next(years)
    late = {"next_check_at": datetime(year, 1, 1, tzinfo=UTC)}
    video = added(videos, tenant, status="storing", **late)
    added(videos, tenant, status=ending, **late)
    assert overdue(videos, year) == [video]
    videos.advance(tenant, video.video_id, {"storing"}, status=ending)
    assert overdue(videos, year) == []


def test_a_video_that_was_looked_at_is_not_overdue_any_more(
    videos: VideoRepository, tenant: str
) -> None:
    year = next(years)
    video = added(videos, tenant, next_check_at=datetime(year, 1, 1, tzinfo=UTC))
    claimed = videos.claim(tenant, video.video_id, "first", (), next_check_at=NOON)
    assert overdue(videos, year) == []
    back = videos.advance(
        tenant, video.video_id, {"submitting"}, status="queued", next_check_at=video.next_check_at
    )
    assert overdue(videos, year) == [back]
    assert claimed.next_check_at == NOON


def test_an_ending_leaves_no_entry_in_the_index(
    dynamodb: DynamoDBVideoRepository, tenant: str
) -> None:
    """What it shows is read again, so an entry that stayed would be seen by its cost only."""
    video = added(dynamodb, tenant, next_check_at=NOON)
    key = items.typed(items.video_key(tenant, video.video_id))
    client = boto3.client("dynamodb")
    assert "open" in client.get_item(TableName="VideoTable", Key=key)["Item"]
    dynamodb.advance(tenant, video.video_id, {"queued"}, status="failed")
    assert "open" not in client.get_item(TableName="VideoTable", Key=key)["Item"]
    assert "next_check_at" in client.get_item(TableName="VideoTable", Key=key)["Item"]


def test_a_record_of_another_release_does_not_hide_the_others(
    dynamodb: DynamoDBVideoRepository, tenant: str
) -> None:
    year = next(years)
    days = [datetime(year, month, 1, tzinfo=UTC) for month in (1, 2)]
    odd, other = (added(dynamodb, tenant, next_check_at=day) for day in days)
    boto3.client("dynamodb").update_item(
        TableName="VideoTable",
        Key=items.typed(items.video_key(tenant, odd.video_id)),
        UpdateExpression="SET #status = :word",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues=items.typed({":word": "of_tomorrow"}),
    )
    assert overdue(dynamodb, year) == [other]
