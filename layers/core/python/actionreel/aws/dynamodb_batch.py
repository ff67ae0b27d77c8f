"""Reading many items of a DynamoDB table at once."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from actionreel.aws.dynamodb_items import Item, Key, plain, typed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TRIES = 8


def read_all(client: DynamoDBClient, table: str, keys: Iterable[Key]) -> list[Item]:
    """The items that there are of at most 100 keys, in any order, read consistently.

    DynamoDB may leave some for another request; raises TimeoutError if it still does in the end,
    because an item that was not read must not pass for one that is not there.
    """
    found: list[Item] = []
    left: list[dict[str, Any]] = [typed(key) for key in keys]
    for attempt in range(_TRIES):
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
