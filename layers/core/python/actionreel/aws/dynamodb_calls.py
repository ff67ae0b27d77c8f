"""Calls that DynamoDB may leave undone, made until they are done."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from actionreel.aws.dynamodb_items import Item, Key, plain, typed
from actionreel.errors import CrowdedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import UpdateItemOutputTypeDef

_READS = 8
_UPDATES = 50


def read_all(client: DynamoDBClient, table: str, keys: Iterable[Key]) -> list[Item]:
    """The items that there are of at most 100 keys, in any order, read consistently.

    DynamoDB may leave some for another request; raises TimeoutError if it still does in the end,
    because an item that was not read must not pass for one that is not there.
    """
    found: list[Item] = []
    left: list[dict[str, Any]] = [typed(key) for key in keys]
    for attempt in range(_READS):
        if not left:
            return found
        time.sleep(0.05 * attempt)
        request: Any = {table: {"Keys": left, "ConsistentRead": True}}
        answer = client.batch_get_item(RequestItems=request)
        found += map(plain, answer["Responses"].get(table, []))
        unread = answer.get("UnprocessedKeys", {}).get(table)
        left = [dict(key) for key in unread["Keys"]] if unread else []
    if left:
        raise TimeoutError("DynamoDB did not read all items in time.")
    return found


def update(client: DynamoDBClient, **request: Any) -> UpdateItemOutputTypeDef:
    """A plain write to one item, which DynamoDB turns away while a transaction writes it; the SDK
    does not repeat that. Raises CrowdedError if it goes on, and what a condition raises."""
    for _ in range(_UPDATES):
        try:
            return client.update_item(**request)
        except client.exceptions.TransactionConflictException:
            time.sleep(random.uniform(0.01, 0.1))
    raise CrowdedError
