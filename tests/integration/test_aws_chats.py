"""The records of chats in DynamoDB as moto plays it, and in the fake of the unit tests; and results
that are owed, in the index of open videos."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from uuid6 import uuid7

from actionreel.aws import dynamodb_items as items
from actionreel.aws.dynamodb import DynamoDBVideoRepository
from actionreel.aws.dynamodb_chats import KEPT_LINES, DynamoDBChatRepository
from actionreel.chat_ports import ChatRepository
from actionreel.chats import ChatMessage, Line, Turn
from actionreel.errors import StaleVideoError
from actionreel.models import OPEN_STATUSES, Place, Video
from local.stack import Stack
from tests.fake_chats import PLACE, FakeChats
from tests.fakes import ENDED, NOON, a_video

tenants = (f"chats-{number}" for number in itertools.count())
years = itertools.count(1600, -1)  # of each test a year before those of the others


@pytest.fixture
def tenant() -> str:
    return next(tenants)


@pytest.fixture
def dynamodb(stack: Stack) -> DynamoDBChatRepository:
    return DynamoDBChatRepository(boto3.client("dynamodb"), "VideoTable")


@pytest.fixture(params=["DynamoDB", "the fake"])
def chats(request: pytest.FixtureRequest, dynamodb: DynamoDBChatRepository) -> ChatRepository:
    return dynamodb if request.param == "DynamoDB" else FakeChats()


@pytest.fixture
def videos(stack: Stack) -> DynamoDBVideoRepository:
    return DynamoDBVideoRepository(boto3.client("dynamodb"), "VideoTable")


def a_turn(tenant: str, **changes: Any) -> Turn:
    place = PLACE.model_copy(update={"deferred": True, "turn_id": "t"})
    message = ChatMessage(kind="talk", event_id="", place=place, text="", reply_token="r")
    fields = {"message": message, "base_url": "https://api.test", "received_at": NOON}
    return Turn.model_validate({"tenant": tenant, "turn_id": "t", **fields, **changes})


def said(*texts: str) -> list[Line]:
    return [Line(role="user", text=text) for text in texts]


# Turns


@pytest.mark.parametrize("changes", [{}, {"number": 6, "written": "", "said": True}])
def test_a_turn_comes_back_as_it_was(
    chats: ChatRepository, tenant: str, changes: dict[str, Any]
) -> None:
    turn = a_turn(tenant, **changes)
    assert chats.add_turn(turn) == turn
    assert chats.turn(tenant, "t") == turn
    assert chats.turn(tenant, "u") is None
    assert chats.turn("another", "t") is None


def test_a_turn_that_comes_again_is_the_first(chats: ChatRepository, tenant: str) -> None:
    first = chats.add_turn(a_turn(tenant))
    chats.claim_words(tenant, "t")
    again = chats.add_turn(a_turn(tenant, base_url="https://other.test"))
    assert again == first.model_copy(update={"said": True})


def test_what_was_written_first_stays(chats: ChatRepository, tenant: str) -> None:
    chats.add_turn(a_turn(tenant))
    assert chats.keep_written(tenant, "t", "one") == "one"
    assert chats.keep_written(tenant, "t", "two") == "one"
    turn = chats.turn(tenant, "t")
    assert turn is not None and turn.written == "one"


def test_words_are_claimed_once_and_can_be_given_back(chats: ChatRepository, tenant: str) -> None:
    chats.add_turn(a_turn(tenant))
    assert [chats.claim_words(tenant, "t") for _ in range(3)] == [True, False, False]
    chats.give_words_back(tenant, "t")
    assert [chats.claim_words(tenant, "t") for _ in range(2)] == [True, False]


def test_of_many_who_claim_words_at_once_one_has_them(
    dynamodb: DynamoDBChatRepository, tenant: str
) -> None:
    dynamodb.add_turn(a_turn(tenant))
    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda _: dynamodb.claim_words(tenant, "t"), range(16)))
    assert claimed.count(True) == 1


def test_of_many_who_write_a_turn_at_once_all_have_the_same(
    dynamodb: DynamoDBChatRepository, tenant: str
) -> None:
    with ThreadPoolExecutor(4) as pool:
        turns = list(
            pool.map(
                lambda number: dynamodb.add_turn(a_turn(tenant, base_url=f"https://{number}")),
                range(16),
            )
        )
    assert len({turn.base_url for turn in turns}) == 1


def test_a_turn_goes_by_itself(dynamodb: DynamoDBChatRepository, tenant: str) -> None:
    dynamodb.add_turn(a_turn(tenant))
    dynamodb.add_lines(tenant, PLACE, said("a"))
    client = boto3.client("dynamodb")
    for key in (items.turn_key(tenant, "t"), items.thread_key(tenant, PLACE)):
        item = client.get_item(TableName="VideoTable", Key=items.typed(key))["Item"]
        left = int(item["expires_at"]["N"]) - datetime.now(UTC).timestamp()
        assert timedelta(days=29).total_seconds() < left < timedelta(days=31).total_seconds()


# Lines


def test_lines_are_in_their_order_and_of_their_thread(chats: ChatRepository, tenant: str) -> None:
    chats.add_lines(tenant, PLACE, [*said("a"), Line(role="assistant", text="b")])
    chats.add_lines(tenant, PLACE, said("c", ""))
    assert [line.text for line in chats.lines(tenant, PLACE)] == ["a", "b", "c", ""]
    for change in ({"thread": "T"}, {"channel": "C2"}, {"platform": "slack"}):
        assert chats.lines(tenant, Place.model_validate(PLACE.model_dump() | change)) == []
    assert chats.lines("another", PLACE) == []
    same = PLACE.model_copy(update={"author": "U9", "turn_id": "other", "deferred": True})
    assert len(chats.lines(tenant, same)) == 4


def test_the_last_twenty_lines_are_kept(dynamodb: DynamoDBChatRepository, tenant: str) -> None:
    for number in range(0, 60, 2):
        dynamodb.add_lines(tenant, PLACE, said(str(number), str(number + 1)))
        kept = [int(line.text) for line in dynamodb.lines(tenant, PLACE)]
        assert kept == list(range(number + 2))[-KEPT_LINES:]
    key = items.typed(items.thread_key(tenant, PLACE))
    item = boto3.client("dynamodb").get_item(TableName="VideoTable", Key=key)["Item"]
    assert len(item["lines"]["L"]) == KEPT_LINES


def test_many_lines_at_once_are_kept_in_their_order(
    dynamodb: DynamoDBChatRepository, tenant: str
) -> None:
    dynamodb.add_lines(tenant, PLACE, said(*map(str, range(50))))
    kept = [int(line.text) for line in dynamodb.lines(tenant, PLACE)]
    assert kept == list(range(30, 50))


def test_long_lines_do_not_fill_a_thread_for_good(
    dynamodb: DynamoDBChatRepository, tenant: str
) -> None:
    for number in range(30):
        dynamodb.add_lines(tenant, PLACE, said(f"{number} {'x' * 40_000}"))
    assert dynamodb.lines(tenant, PLACE)[-1].text.startswith("29 ")


# Results that are owed


def added(videos: DynamoDBVideoRepository, tenant: str, year: int, **changes: Any) -> Video:
    known = {"place": PLACE, "next_check_at": datetime(year, 1, 1, tzinfo=UTC)}
    video = a_video(tenant=tenant, video_id=str(uuid7()), **{**known, **changes})
    videos.add(tenant, [video], None)
    return video


def overdue(videos: DynamoDBVideoRepository, year: int) -> list[str]:
    found = videos.overdue(datetime(year, 12, 31, tzinfo=UTC), 100)
    return [
        video.video_id
        for video in found
        if video.next_check_at and video.next_check_at.year == year
    ]


@pytest.mark.parametrize("ending", ENDED)
@pytest.mark.parametrize("settled", ["delivered", "not_delivered"])
def test_a_video_whose_result_is_owed_stays_in_the_index_until_it_is_told(
    videos: DynamoDBVideoRepository, tenant: str, ending: Any, settled: Any
) -> None:
    year = next(years)
    video = added(videos, tenant, year, status="storing")
    names = tenant, video.video_id
    videos.advance(*names, {"storing"}, status=ending, delivery=video.owed["delivery"])
    assert overdue(videos, year) == [video.video_id]
    videos.advance(*names, {ending}, expect={"delivery": "owed"}, delivery="sending")
    assert overdue(videos, year) == [video.video_id]
    videos.advance(*names, {ending}, expect={"delivery": "sending"}, delivery="owed")
    assert overdue(videos, year) == [video.video_id]
    videos.advance(*names, {ending}, delivery=settled, delivery_reason="r")
    assert overdue(videos, year) == []
    videos.advance(*names, (*OPEN_STATUSES, ending), announcement="late", shown="s")
    assert overdue(videos, year) == []
    told = videos.get(*names)
    assert told is not None
    assert (told.delivery, told.delivery_reason, told.announcement) == (settled, "r", "late")


def test_a_video_for_which_nobody_waits_leaves_the_index_at_its_end(
    videos: DynamoDBVideoRepository, tenant: str
) -> None:
    year = next(years)
    video = added(videos, tenant, year, place=None)
    assert video.owed == {}
    videos.advance(tenant, video.video_id, {"queued"}, status="failed")
    assert overdue(videos, year) == []


def test_a_delivery_is_marked_by_one(videos: DynamoDBVideoRepository, tenant: str) -> None:
    video = added(videos, tenant, next(years), status="completed", delivery="owed")
    mark: Any = {"expect": {"delivery": "owed"}, "delivery": "sending"}
    videos.advance(tenant, video.video_id, {"completed"}, **mark)
    with pytest.raises(StaleVideoError):
        videos.advance(tenant, video.video_id, {"completed"}, **mark)


def test_an_announcement_is_written_by_one(videos: DynamoDBVideoRepository, tenant: str) -> None:
    video = added(videos, tenant, next(years))
    mark: Any = {"expect": {"announcing": False, "announcement": None}, "announcing": True}
    assert videos.advance(tenant, video.video_id, OPEN_STATUSES, **mark).announcing
    with pytest.raises(StaleVideoError):
        videos.advance(tenant, video.video_id, OPEN_STATUSES, **mark)
    videos.advance(tenant, video.video_id, OPEN_STATUSES, announcing=False)
    assert videos.advance(tenant, video.video_id, OPEN_STATUSES, **mark).announcing
    videos.advance(tenant, video.video_id, OPEN_STATUSES, announcement="")
    found = videos.get(tenant, video.video_id)
    assert found is not None and found.announcement == ""
