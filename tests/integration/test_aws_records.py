"""The records in DynamoDB, as moto plays it: what is written, on which condition, and read again.

What a verb relies on is tried with the fake of the unit tests as well, which must do the same.
"""

from __future__ import annotations

import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import boto3
import pytest
from uuid6 import uuid7

from actionreel.aws.dynamodb import KEPT_DURATIONS, DynamoDBVideoRepository
from actionreel.errors import MessageMismatchError, MessageSeenError, StaleVideoError
from actionreel.models import Failure, MessageSeen, Video
from local.stack import Stack

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
tenants = (f"tenant-{number}" for number in itertools.count(10_000))


@pytest.fixture
def tenant() -> str:
    return next(tenants)


@pytest.fixture
def videos(stack: Stack) -> DynamoDBVideoRepository:
    return DynamoDBVideoRepository(boto3.client("dynamodb"), "VideoTable")


def video(tenant: str, **changes: object) -> Video:
    fields = {"prompt": "p", "model": "sora-2", "provider": "openai_videos", "seconds": 4}
    changed = {"video_id": str(uuid7()), "created_at": NOW, **fields, **changes}
    return Video.model_validate({"tenant": tenant, **changed})


def test_threads_do_not_break_each_others_writes(
    videos: DynamoDBVideoRepository, tenant: str
) -> None:
    """Not of our code but of the DynamoDB at home: by itself moto's fails here."""
    contested = [video(tenant) for _ in range(40)]
    for one in contested:
        videos.add(tenant, [one], None)

    def claim(one: Video) -> bool:
        try:
            videos.advance(tenant, one.video_id, {"queued"}, status="submitting")
        except StaleVideoError:
            return False
        videos.add(tenant, [video(tenant)], None)
        return True

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            won = list(pool.map(claim, [one for one in contested for _ in range(4)]))
    finally:
        sys.setswitchinterval(before)
    assert sum(won) == len(contested)
    assert len(videos.page(tenant, 100, None, None)[0]) == 2 * len(contested)


def test_a_record_comes_back_as_it_was(videos: DynamoDBVideoRepository, tenant: str) -> None:
    full = video(
        tenant,
        status="failed",
        handle={"id": "a/b=", "n": 1.5, "deep": {"x": [None, True]}},
        notices=("one", "two"),
        failure=Failure(code="quota", message="No credit.", maybe_charged=True),
        cost_usd=Decimal("0.40"),
        submitted_at=NOW,
        next_check_at=NOW + timedelta(seconds=3),
        bytes=7,
    )
    videos.add(tenant, [full], None)
    assert videos.get(tenant, full.video_id) == full
    assert videos.get_many(tenant, [full.video_id, "unknown"]) == {full.video_id: full}
    assert videos.get("another", full.video_id) is None


def test_a_status_only_moves_from_where_it_may(
    videos: DynamoDBVideoRepository, tenant: str
) -> None:
    queued = video(tenant)
    videos.add(tenant, [queued], None)
    moved = videos.advance(tenant, queued.video_id, {"queued"}, status="submitting")
    assert moved.status == "submitting"
    with pytest.raises(StaleVideoError) as stale:
        videos.advance(tenant, queued.video_id, {"queued"}, status="submitting")
    assert stale.value.video == moved
    with pytest.raises(StaleVideoError) as missing:
        videos.advance(tenant, "unknown", {"queued"}, status="submitting")
    assert missing.value.video is None


def test_a_message_counts_once(videos: DynamoDBVideoRepository, tenant: str) -> None:
    first, second = video(tenant), video(tenant)
    message = MessageSeen(message_id="m", text_digest="d", video_ids=(first.video_id,))
    videos.add(tenant, [first], message)
    with pytest.raises(MessageSeenError) as seen:
        videos.add(tenant, [second], message.model_copy(update={"video_ids": ("other",)}))
    assert seen.value.video_ids == [first.video_id]
    assert videos.get(tenant, second.video_id) is None, "all or nothing"
    with pytest.raises(MessageMismatchError):
        videos.add(tenant, [second], message.model_copy(update={"text_digest": "e"}))
    videos.add("another", [], message)


def test_pages(videos: DynamoDBVideoRepository, tenant: str) -> None:
    made = [video(tenant, conversation_id="c" if n % 3 == 0 else None) for n in range(25)]
    for start in range(0, 25, 5):
        videos.add(tenant, made[start : start + 5], None)
    newest_first = made[::-1]

    def read(limit: int, conversation: str | None) -> list[Video]:
        found: list[Video] = []
        cursor: str | None = None
        while True:
            page, cursor = videos.page(tenant, limit, cursor, conversation)
            assert len(page) <= limit
            found += page
            if cursor is None:
                return found

    for limit in (1, 7, 24, 25, 26):
        assert read(limit, None) == newest_first
        assert read(limit, "c") == [one for one in newest_first if one.conversation_id]
    assert videos.page("nobody", 5, None, None) == ([], None)


def test_durations_are_the_last_ones(videos: DynamoDBVideoRepository) -> None:
    assert videos.durations("m") == []
    for seconds in range(KEPT_DURATIONS + 3):
        videos.add_duration("m", seconds)
    assert videos.durations("m") == list(range(3, KEPT_DURATIONS + 3))


def test_links_are_revoked_at_any_time_and_by_many_at_once(
    videos: DynamoDBVideoRepository, tenant: str
) -> None:
    """Also of a record that an older release wrote, without a revision."""
    one = video(tenant, status="completed")
    videos.add(tenant, [one], None)
    boto3.client("dynamodb").update_item(
        TableName="VideoTable",
        Key={"PK": {"S": f"TENANT#{tenant}"}, "SK": {"S": f"VIDEO#{one.video_id}"}},
        UpdateExpression="REMOVE link_revision",
    )
    assert videos.get(tenant, one.video_id) == one
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: videos.revoke_links(tenant, one.video_id), range(12)))
    assert sorted(each.link_revision for each in made) == list(range(1, 13))
    assert videos.get(tenant, one.video_id) == one.model_copy(update={"link_revision": 12})


def test_no_record_comes_of_revoking_links_that_are_not_there(
    videos: DynamoDBVideoRepository, tenant: str
) -> None:
    video_id = str(uuid7())
    with pytest.raises(StaleVideoError):
        videos.revoke_links(tenant, video_id)
    assert videos.get(tenant, video_id) is None
