"""Calls to a DynamoDB that leaves things for later."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from actionreel.aws.dynamodb_calls import read_all, update
from actionreel.aws.dynamodb_items import typed
from actionreel.errors import CrowdedError

KEYS = [{"PK": "a", "SK": str(number)} for number in range(5)]


class Client:
    """Reads so many of the keys of each request, and says which it did not."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.asked: list[int] = []

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        keys = RequestItems["table"]["Keys"]
        self.asked.append(len(keys))
        read, left = keys[: self.at_once], keys[self.at_once :]
        there = [key for key in read if key != typed(KEYS[3])]
        unread = {"table": {"Keys": left}} if left else {}
        return {"Responses": {"table": there}, "UnprocessedKeys": unread}


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionreel.aws.dynamodb_calls.time.sleep", lambda seconds: None)


def read(client: Any) -> list[dict[str, Any]]:
    return read_all(client, "table", KEYS)


@pytest.mark.parametrize(("at_once", "asked"), [(5, [5]), (2, [5, 3, 1])])
def test_what_was_left_is_asked_for_again(at_once: int, asked: list[int]) -> None:
    client = Client(at_once)
    assert read(client) == [key for key in KEYS if key != KEYS[3]]
    assert client.asked == asked


def test_what_is_never_read_is_not_said_to_be_missing() -> None:
    with pytest.raises(TimeoutError):
        read(Client(at_once=0))


def test_no_keys_are_no_request() -> None:
    client: Any = Client(1)
    assert read_all(client, "table", []) == []
    assert client.asked == []


class Busy:
    """An item that is in others' transactions for the first `times` writes."""

    exceptions = boto3.client("dynamodb", region_name="us-east-1").exceptions

    def __init__(self, times: int) -> None:
        self.left = times

    def update_item(self, **request: Any) -> dict[str, Any]:
        self.left -= 1
        if self.left >= 0:
            told: Any = {"Error": {"Code": "TransactionConflictException"}}
            raise self.exceptions.TransactionConflictException(told, "UpdateItem")
        return request


def test_a_write_waits_for_others_transactions() -> None:
    client: Any = Busy(3)
    answer: Any = update(client, TableName="table")
    assert answer == {"TableName": "table"}
    assert client.left == -1


def test_a_write_that_others_never_let_through_says_so() -> None:
    client: Any = Busy(1000)
    with pytest.raises(CrowdedError):
        update(client)
    assert client.left > 0
