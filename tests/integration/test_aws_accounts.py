"""What is counted in DynamoDB, as moto plays it: with the records, exactly, and within the caps.

The fake of the unit tests is tried beside it, and must do the same.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest

from actionreel import messages
from actionreel.accounts import NO_CAPS, Account, Amount, Caps
from actionreel.api_models import ActionsRequest
from actionreel.aws import dynamodb_items as items
from actionreel.aws.dynamodb import DynamoDBVideoRepository
from actionreel.aws.dynamodb_accounts import DynamoDBAccountRepository
from actionreel.aws.dynamodb_items import typed
from actionreel.errors import CapReachedError, QuotaError, StaleVideoError
from actionreel.models import Failure, Reservation, Video
from actionreel.registry import Registry
from actionreel.retries import retry
from local.stack import Stack
from tests.fakes import NOON, FakeServices, a_video, seed_model

tenants = (f"tenant-{number}" for number in itertools.count(40_000))
DAY = NOON.date()
BODY: dict[str, object] = {"prompt": "a paper boat", "seconds": 8}
COST = Amount(1, 8, Decimal("0.80"))


@pytest.fixture
def tenant() -> str:
    return next(tenants)


@pytest.fixture(params=["DynamoDB", "the fake"])
def services(request: pytest.FixtureRequest, stack: Stack) -> FakeServices:
    """Everything in memory, and the records in DynamoDB or there as well."""
    made: Any = FakeServices()
    if request.param == "DynamoDB":
        client = boto3.client("dynamodb")
        made.videos = DynamoDBVideoRepository(client, "VideoTable")
        made.accounts = DynamoDBAccountRepository(client, "VideoTable")
    services: FakeServices = made
    return services


def cap(services: FakeServices, tenant: str, **caps: Any) -> None:
    services.accounts.set_caps(tenant, Caps(**caps))


def create(services: FakeServices, tenant: str, **body: object) -> Video:
    return messages.create({**BODY, **body}, tenant, services)


def account(services: FakeServices, tenant: str) -> Account:
    return services.accounts.of(tenant, DAY)[0]


def end(services: FakeServices, video: Video, status: Any, **changes: Any) -> Video:
    return services.videos.advance(
        video.tenant, video.video_id, {"queued"}, status=status, **changes
    )


FREE = Failure(code="moderation", message="Refused.")
CHARGED = Failure(code="timeout", message="It took too long.", maybe_charged=True)


def test_a_video_is_counted_when_it_is_asked_for(services: FakeServices, tenant: str) -> None:
    before = services.accounts.of("nobody", DAY)[1]
    create(services, tenant)
    own, everybodys = services.accounts.of(tenant, DAY)
    assert (own.used, own.running) == (COST, 1)
    assert everybodys.used == before.used.plus(COST)
    assert everybodys.running == before.running + 1
    assert services.accounts.of(tenant, DAY + timedelta(days=1))[0].used == Amount()


@pytest.mark.parametrize(
    ("status", "changes", "left"),
    [
        ("completed", {"cost_usd": Decimal("0.80")}, COST),
        ("completed", {"cost_usd": Decimal("1.23")}, Amount(1, 8, Decimal("1.23"))),
        ("completed", {}, COST),
        ("failed", {"failure": FREE}, Amount()),
        ("cancelled", {"failure": FREE}, Amount()),
        ("unknown", {"failure": CHARGED}, COST),
        ("expired", {"failure": CHARGED, "cost_usd": Decimal(0)}, Amount(1, 8, Decimal(0))),
    ],
)
def test_its_end_settles(
    services: FakeServices, tenant: str, status: str, changes: dict[str, Any], left: Amount
) -> None:
    video = create(services, tenant)
    ended = end(services, video, status, **changes)
    assert ended.status == status
    now = account(services, tenant)
    assert (now.used, now.running) == (left, 0)
    with pytest.raises(StaleVideoError):
        end(services, video, "failed", failure=FREE)
    assert account(services, tenant) == now


def test_a_fallback_is_settled_at_what_it_came_to(services: FakeServices, tenant: str) -> None:
    video = create(services, tenant)
    claimed = services.videos.claim(tenant, video.video_id, "fence", (), seconds=12)
    services.videos.advance(
        tenant, claimed.video_id, {"submitting"}, status="completed", cost_usd=Decimal("1.20")
    )
    assert account(services, tenant).used == Amount(1, 12, Decimal("1.20"))


def test_a_record_of_an_older_release_is_not_counted(services: FakeServices, tenant: str) -> None:
    video = a_video(tenant=tenant)
    services.videos.add(tenant, [video], None)
    end(services, video, "failed", failure=FREE)
    assert (account(services, tenant).used, account(services, tenant).running) == (Amount(), 0)


@pytest.mark.parametrize(
    ("caps", "words"),
    [
        ({"videos": 2}, "cap of 2 videos a day is reached. It frees at 2026-11-23 00:00 UTC."),
        ({"seconds": 20}, "has 8 seconds, and 4 are left of this account's cap of 20 seconds"),
        ({"usd": "2.00"}, "$0.80, and $0.40 are left of this account's cap of $2.00 a day"),
        ({"concurrent": 2}, "cap of 2 videos at one time is reached. It frees when one of"),
    ],
)
def test_the_third_is_refused(
    services: FakeServices, tenant: str, caps: dict[str, Any], words: str
) -> None:
    cap(services, tenant, **caps)
    first, _ = create(services, tenant), create(services, tenant)
    with pytest.raises(QuotaError) as refused:
        create(services, tenant)
    assert words in str(refused.value)
    assert refused.value.retry_after == (None if "concurrent" in caps else 12 * 3600)
    assert account(services, tenant).used.videos == 2
    assert len(services.videos.page(tenant, 10, None, None)[0]) == 2
    end(services, first, "failed", failure=FREE)
    create(services, tenant)  # what was not charged is given back
    with pytest.raises(QuotaError):
        create(services, tenant)


def test_the_next_day_is_another(services: FakeServices, tenant: str) -> None:
    cap(services, tenant, videos=1, concurrent=5)
    create(services, tenant)
    services.clock += timedelta(days=1)
    create(services, tenant)
    with pytest.raises(QuotaError):
        create(services, tenant)


def test_what_one_tenant_uses_another_keeps(services: FakeServices, tenant: str) -> None:
    cap(services, tenant, videos=0)
    with pytest.raises(QuotaError, match="cap of videos a day is 0: no video can be made"):
        create(services, tenant)
    create(services, f"{tenant}-other")


def test_of_one_message_as_many_as_fit(services: FakeServices, tenant: str) -> None:
    cap(services, tenant, videos=2)
    text = '<createAIVideo>{"prompt": "p"}</createAIVideo>' * 3
    asked = ActionsRequest(text=text, message_id="m")
    first = messages.act(asked, tenant, services)
    assert [isinstance(one, Video) for one in first] == [True, True, False]
    again = messages.act(asked, tenant, services)
    assert again[:2] == first[:2]
    assert isinstance(again[2], QuotaError)
    assert account(services, tenant).used.videos == 2


def test_a_message_of_which_nothing_fits_can_come_again(
    services: FakeServices, tenant: str
) -> None:
    cap(services, tenant, videos=0)
    asked = ActionsRequest(text='<createAIVideo>{"prompt": "p"}</createAIVideo>', message_id="m")
    [refused] = messages.act(asked, tenant, services)
    assert isinstance(refused, QuotaError)
    cap(services, tenant, videos=1)
    [made] = messages.act(asked, tenant, services)
    assert isinstance(made, Video)
    cap(services, tenant, videos=0)
    assert messages.act(asked, tenant, services) == [made]  # it is not asked for once more


def test_a_retry_is_counted_and_capped(services: FakeServices, tenant: str) -> None:
    video = end(services, create(services, tenant), "failed", failure=FREE)
    cap(services, tenant, videos=0)
    with pytest.raises(QuotaError):
        retry(tenant, video.video_id, services)
    cap(services, tenant, videos=1)
    again = retry(tenant, video.video_id, services)
    assert account(services, tenant).used.videos == 1
    assert retry(tenant, video.video_id, services) == again
    assert account(services, tenant).used.videos == 1


def test_an_account_has_moved_when_one_ended_and_another_began(stack: Stack, tenant: str) -> None:
    """Or a count of what is running, made meanwhile, would be taken for that of now."""
    services: Any = FakeServices()
    client = boto3.client("dynamodb")
    services.videos = DynamoDBVideoRepository(client, "VideoTable")
    services.accounts = DynamoDBAccountRepository(client, "VideoTable")
    key = typed(items.account_key(tenant))
    first = create(services, tenant)
    before = client.get_item(TableName="VideoTable", Key=key)["Item"]
    end(services, first, "failed", failure=FREE)
    create(services, tenant)
    after = client.get_item(TableName="VideoTable", Key=key)["Item"]
    assert before["running"] == after["running"] == {"N": "1"}
    assert before["moves"] != after["moves"]


def test_who_is_paused_starts_nothing(services: FakeServices, tenant: str) -> None:
    services.accounts.pause(tenant, paused=True)
    assert services.accounts.paused(tenant)
    with pytest.raises(QuotaError, match="paused by its operator"):
        create(services, tenant)
    assert not services.accounts.paused(f"{tenant}-other")
    services.accounts.pause(tenant, paused=False)
    create(services, tenant)


@pytest.fixture
def nobody_else(services: FakeServices) -> Iterator[None]:
    yield
    services.accounts.pause(None, paused=False)
    services.accounts.set_caps(None, Caps())


@pytest.mark.usefixtures("nobody_else")
def test_the_deployment_is_capped_and_paused(services: FakeServices, tenant: str) -> None:
    services.clock += timedelta(days=next(_days))  # on which nobody else has started anything
    services.accounts.set_caps(None, Caps(videos=1))
    create(services, tenant)
    with pytest.raises(QuotaError, match="The whole deployment's cap of 1 video a day"):
        create(services, f"{tenant}-other")
    services.accounts.set_caps(None, Caps())
    services.accounts.pause(None, paused=True)
    assert services.accounts.paused(tenant)
    with pytest.raises(QuotaError, match="This deployment is paused"):
        create(services, tenant)


_days = itertools.count(1000)


def test_what_changed_meanwhile_is_refused(services: FakeServices, tenant: str) -> None:
    """The condition decides, and not what was read before."""
    reserved = Reservation(day=DAY, seconds=8, usd=Decimal("0.80"))
    caps = (Caps(videos=1), Caps())
    first, second = (
        a_video(tenant=tenant, video_id=f"0199f3a0-0000-7000-8000-00000000000{n}") for n in "12"
    )
    reservation = {"reservation": reserved}
    services.videos.add(tenant, [first.model_copy(update=reservation)], None, caps)
    with pytest.raises(CapReachedError):
        services.videos.add(tenant, [second.model_copy(update=reservation)], None, caps)
    assert services.videos.get(tenant, second.video_id) is None
    services.accounts.pause(tenant, paused=True)
    with pytest.raises(CapReachedError):
        services.videos.add(tenant, [second.model_copy(update=reservation)], None, NO_CAPS)
    assert account(services, tenant).used == COST


def test_days_are_told(services: FakeServices, tenant: str) -> None:
    create(services, tenant)
    asked = [DAY, DAY - timedelta(days=1)]
    assert services.accounts.usage(tenant, asked) == {asked[0]: COST, asked[1]: Amount()}


def test_what_costs_nothing_is_made_where_no_dollar_is_left(
    services: FakeServices, tenant: str
) -> None:
    cap(services, tenant, usd=Decimal(1))
    create(services, tenant, seconds=8)
    cap(services, tenant, usd=Decimal("0.10"))
    free = seed_model("free", "0", "gratis")
    services.registry = Registry(default="free", models=(free,))
    assert create(services, tenant).model == "free"


@pytest.mark.parametrize("conflicts", [0.0, 0.3])
def test_200_at_once_at_a_cap_of_50_are_exactly_50(
    stack: Stack, tenant: str, conflicts: float
) -> None:
    """Each in a thread with its own read before its write; with `conflicts`, as DynamoDB has them
    where many transactions meet on one item."""
    client = boto3.client("dynamodb", config=_patient())
    services: Any = FakeServices()
    services.videos = DynamoDBVideoRepository(client, "VideoTable")
    services.accounts = DynamoDBAccountRepository(client, "VideoTable")
    services.accounts.set_caps(tenant, Caps(videos=50, seconds=399, usd=Decimal("39.92")))
    dice, started = random.Random(7), threading.Barrier(50)
    collide = _conflicts(client, dice, conflicts)

    def one(number: int) -> Video | QuotaError:
        if number < 50:
            started.wait()
        try:
            return create(services, tenant, seconds=8 if number % 2 else 4)
        except QuotaError as refused:
            return refused

    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(one, range(200)))
    made = [outcome for outcome in outcomes if isinstance(outcome, Video)]
    own = account(services, tenant)
    records = services.videos.page(tenant, 100, None, None)[0]
    assert len(made) == len(records) == own.used.videos == own.running == 50
    assert {video.video_id for video in made} == {video.video_id for video in records}
    assert own.used.seconds == sum(video.seconds for video in made) <= 399
    assert conflicts == 0 or collide["struck"] > 20

    for video in made:
        end(services, video, "failed", failure=FREE)
    assert (account(services, tenant).used, account(services, tenant).running) == (Amount(), 0)


def test_a_pause_that_was_written_by_hand_is_one(stack: Stack, tenant: str) -> None:
    """Whatever it says: reading and writing have to agree, or starts are tried and refused."""
    client = boto3.client("dynamodb")
    item: Any = {"PK": {"S": f"TENANT#{tenant}"}, "SK": {"S": "ACCOUNT"}, "paused": {"BOOL": False}}
    client.put_item(TableName="VideoTable", Item=item)
    services: Any = FakeServices()
    services.videos = DynamoDBVideoRepository(client, "VideoTable")
    services.accounts = DynamoDBAccountRepository(client, "VideoTable")
    assert services.accounts.paused(tenant)
    with pytest.raises(QuotaError, match="paused by its operator"):
        create(services, tenant)


def test_where_too_many_meet_it_is_a_refusal_and_no_error(
    monkeypatch: pytest.MonkeyPatch, stack: Stack, tenant: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    client = boto3.client("dynamodb")
    services: Any = FakeServices()
    services.videos = DynamoDBVideoRepository(client, "VideoTable")
    services.accounts = DynamoDBAccountRepository(client, "VideoTable")
    video = end(services, create(services, tenant), "failed", failure=FREE)
    collide = _conflicts(client, random.Random(7), 1)
    with pytest.raises(QuotaError, match="Too many videos are asked for") as refused:
        create(services, tenant)
    assert refused.value.retry_after == 1
    with pytest.raises(QuotaError, match="Too many videos are asked for"):
        retry(tenant, video.video_id, services)
    assert collide["struck"] == 20, "ten times each, and then it is said"
    assert account(services, tenant).running == 0


@pytest.mark.parametrize("paused", [True, False])
def test_the_operator_gets_through_where_many_start_videos(
    monkeypatch: pytest.MonkeyPatch, stack: Stack, tenant: str, paused: bool
) -> None:
    """DynamoDB turns a plain write away while a transaction is under way on its item."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    client = boto3.client("dynamodb")
    accounts = DynamoDBAccountRepository(client, "VideoTable")
    accounts.pause(tenant, paused=not paused)
    send, busy = client.update_item, [True] * 5

    def meets(**asked: Any) -> Any:
        if not busy:
            return send(**asked)
        busy.pop()
        told: Any = {"Error": {"Code": "TransactionConflictException"}}
        raise client.exceptions.TransactionConflictException(told, "UpdateItem")

    monkeypatch.setattr(client, "update_item", meets)
    accounts.pause(tenant, paused=paused)
    assert accounts.paused(tenant) is paused


def _patient() -> Any:
    from botocore.config import Config

    return Config(max_pool_connections=50)


def _conflicts(client: Any, dice: random.Random, share: float) -> dict[str, int]:
    """Has that share of the transactions meet others."""
    count, send = {"struck": 0}, client.transact_write_items

    def meets(**asked: Any) -> Any:
        if dice.random() >= share:
            return send(**asked)
        count["struck"] += 1
        reasons = [{"Code": "TransactionConflict"} for _ in asked["TransactItems"]]
        told = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
        raise client.exceptions.TransactionCanceledException(told, "TransactWriteItems")

    client.transact_write_items = meets
    return count
