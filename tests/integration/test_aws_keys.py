"""API keys in DynamoDB, as moto plays it; beside it the fake, which must do the same."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from actionreel.api_keys import ApiKey, key_hash, new_key
from actionreel.authorization import authorize
from actionreel.aws.dynamodb_items import typed
from actionreel.aws.dynamodb_keys import DynamoDBKeyRepository
from actionreel.ports import KeyRepository
from local.stack import Stack
from tests.fakes import NOON, FakeKeys, FakeServices, cases

tenants = (f"tenant-{number}" for number in itertools.count(60_000))
TABLE = "VideoTable"


@pytest.fixture
def tenant() -> str:
    return next(tenants)


@pytest.fixture
def stored(stack: Stack) -> DynamoDBKeyRepository:
    return DynamoDBKeyRepository(boto3.client("dynamodb"), TABLE)


@pytest.fixture(params=["DynamoDB", "the fake"])
def keys(request: pytest.FixtureRequest, stored: DynamoDBKeyRepository) -> KeyRepository:
    return stored if request.param == "DynamoDB" else FakeKeys()


def a_key(tenant: str, **changes: Any) -> ApiKey:
    fields = {"tenant": tenant, "key_hash": key_hash(new_key()), "created_at": NOON}
    return ApiKey.model_validate({**fields, **changes})


def test_a_key_is_found_by_its_hash_and_by_its_tenant(keys: KeyRepository, tenant: str) -> None:
    late = a_key(tenant, name="ci", created_at=NOON + timedelta(seconds=1))
    early = a_key(tenant)
    for key in (late, early):
        keys.add(key)
        assert keys.get(key.key_hash) == key
    assert sorted(keys.of(tenant), key=lambda key: key.created_at) == [early, late]
    assert keys.of(next(tenants)) == []
    assert keys.get(key_hash("ar_nobody")) is None


def test_the_oldest_is_listed_first(stored: DynamoDBKeyRepository, tenant: str) -> None:
    made = [a_key(tenant, created_at=NOON - timedelta(days=day)) for day in range(5)]
    for key in made:
        stored.add(key)
    assert stored.of(tenant) == made[::-1]


def test_a_key_of_one_tenant_is_no_key_of_one_with_a_like_name(
    stored: DynamoDBKeyRepository, tenant: str
) -> None:
    stored.add(a_key(tenant))
    assert stored.of(tenant[:-1]) == stored.of(f"{tenant}-2") == []


def test_a_revoked_key_stays_as_it_was_revoked(keys: KeyRepository, tenant: str) -> None:
    key = a_key(tenant)
    keys.add(key)
    keys.revoke(key, NOON)
    revoked = key.model_copy(update={"revoked_at": NOON})
    assert keys.get(key.key_hash) == revoked
    assert keys.of(tenant) == [revoked]
    keys.revoke(revoked, NOON + timedelta(days=1))
    assert keys.get(key.key_hash) == revoked


def test_a_key_is_not_written_over(stored: DynamoDBKeyRepository, tenant: str) -> None:
    key = a_key(tenant)
    stored.add(key)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        stored.add(key.model_copy(update={"tenant": "another"}))
    assert stored.get(key.key_hash) == key


def test_nothing_that_is_stored_is_the_key(stack: Stack, tenant: str) -> None:
    secret = stack.key(tenant)
    items = boto3.client("dynamodb").scan(TableName=TABLE)["Items"]
    assert any(key_hash(secret) in str(item) for item in items)
    assert not any(secret in str(item) or secret[3:] in str(item) for item in items)


def put(secret: str, **fields: Any) -> None:
    """An item as somebody may have left it who writes into the table by hand."""
    item = {"PK": f"KEY#{key_hash(secret)}", "SK": "KEY", **fields}
    boto3.client("dynamodb").put_item(TableName=TABLE, Item=typed(item))


GOOD = {"tenant": "acme", "key_hash": "0" * 64, "created_at": NOON.isoformat()}


@pytest.mark.parametrize(
    "fields",
    cases(
        {
            "empty": {},
            "no tenant": {**GOOD, "tenant": ""},
            "a tenant that none can be": {**GOOD, "tenant": "Acme#VIDEO"},
            "a number for a tenant": {**GOOD, "tenant": 7},
            "no time": {**GOOD, "created_at": "yesterday"},
            "revoked at no time": {**GOOD, "revoked_at": "yes"},
            "only revoked": {"revoked_at": NOON.isoformat()},
        }
    ),
)
def test_a_record_that_is_broken_opens_nothing(
    stored: DynamoDBKeyRepository, fields: dict[str, Any]
) -> None:
    services: Any = FakeServices()
    services.keys = stored
    secret = new_key()
    put(secret, **fields)
    with pytest.raises(ValidationError):  # a 500: trouble of ours, of which the log tells
        authorize(f"Bearer {secret}", services)


def test_a_key_can_be_revoked_whose_other_item_is_gone(
    stored: DynamoDBKeyRepository, tenant: str
) -> None:
    key = a_key(tenant)
    stored.add(key)
    client = boto3.client("dynamodb")
    client.delete_item(TableName=TABLE, Key=typed({"PK": f"KEY#{key.key_hash}", "SK": "KEY"}))
    stored.revoke(key, NOON)
    assert stored.get(key.key_hash) == key.model_copy(update={"revoked_at": NOON})
