"""The records of what was written in chats, in the same DynamoDB table (its items:
`dynamodb_items`). They go by themselves after some time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from actionreel.aws import dynamodb_items as items
from actionreel.aws.dynamodb_items import Item, plain, typed
from actionreel.chats import MAX_TURNS, Line, Turn
from actionreel.models import Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_LINES = 20
KEPT_BYTES = 8 * 1024  # of each line: an item can have 400 KB


class DynamoDBChatRepository:
    """Turns, and the last lines of threads. Reads are consistent, and writes conditional."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._errors = client.exceptions  # made at the first use, and not safely between threads
        self._table = table

    def add_turn(self, turn: Turn) -> Turn:
        """Writes the record of a message; gives the one that is there if it came before."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=typed(items.turn_item(turn)),
                ConditionExpression="attribute_not_exists(PK)",
            )
        except self._errors.ConditionalCheckFailedException:
            return self.turn(turn.tenant, turn.turn_id) or turn
        return turn

    def turn(self, tenant: str, turn_id: str) -> Turn | None:
        """The record, or None."""
        item = self._get(items.turn_key(tenant, turn_id))
        return items.turn(item) if item else None

    def keep_written(self, tenant: str, turn_id: str, written: str) -> str:
        """Keeps what the model wrote, and gives it; what is there already, if there is."""
        answer = self._update(
            items.turn_key(tenant, turn_id),
            "SET written = if_not_exists(written, :written)",
            {":written": written},
        )
        return str(answer["written"])

    def claim_words(self, tenant: str, turn_id: str) -> bool:
        """Takes the right to say the turn's words; False if it was taken before."""
        key, us = items.turn_key(tenant, turn_id), str(uuid4())
        try:
            self._update(
                key,
                "SET said = :true, said_by = :us",
                {":true": True, ":false": False, ":us": us},
                ConditionExpression="said = :false",
            )
        except self._errors.ConditionalCheckFailedException:
            # One that was taken, but whose answer got lost, is known by its name.
            return (self._get(key) or {}).get("said_by") == us
        return True

    def give_words_back(self, tenant: str, turn_id: str) -> None:
        """Gives that right back: they were certainly not said."""
        self._update(items.turn_key(tenant, turn_id), "SET said = :false", {":false": False})

    def take_turn(self, tenant: str, root: str, turn_id: str) -> bool:
        """Counts a turn that the message of `root` leads to, once; False if there were too many."""
        try:
            self._update(
                items.turn_key(tenant, root),
                "ADD followers :ids",
                {":ids": {turn_id}, ":id": turn_id, ":most": MAX_TURNS - 1},
                ConditionExpression="attribute_exists(PK) AND (attribute_not_exists(followers)"
                " OR contains(followers, :id) OR size(followers) < :most)",
            )
        except self._errors.ConditionalCheckFailedException:
            return False
        return True

    def lines(self, tenant: str, place: Place) -> list[Line]:
        """The last lines of a thread, oldest first."""
        item = self._get(items.thread_key(tenant, place)) or {}
        return [Line.model_validate(line) for line in item.get("lines", [])[-KEPT_LINES:]]

    def add_lines(self, tenant: str, place: Place, lines: Sequence[Line]) -> None:
        """Adds lines to a thread, the first 8 KB of each; the oldest beyond 20 are dropped."""
        key = items.thread_key(tenant, place)
        answer = self._update(
            key,
            "SET #lines = list_append(if_not_exists(#lines, :none), :new), expires_at = :expiry",
            {
                ":none": [],
                ":new": [{**line.model_dump(), "text": _cut(line.text)} for line in lines],
                ":expiry": items.expiry(),
            },
            ExpressionAttributeNames={"#lines": "lines"},
        )
        surplus = len(answer["lines"]) - KEPT_LINES
        if surplus > 0:
            oldest = ", ".join(f"#lines[{index}]" for index in range(surplus))
            self._client.update_item(
                TableName=self._table,
                Key=typed(key),
                UpdateExpression=f"REMOVE {oldest}",
                ExpressionAttributeNames={"#lines": "lines"},
            )

    def _update(self, key: items.Key, expression: str, values: Item, **more: Any) -> Item:
        answer = self._client.update_item(
            TableName=self._table,
            Key=typed(key),
            UpdateExpression=expression,
            ExpressionAttributeValues=typed(values),
            ReturnValues="ALL_NEW",
            **more,
        )
        return plain(answer["Attributes"])

    def _get(self, key: items.Key) -> Item | None:
        answer = self._client.get_item(TableName=self._table, Key=typed(key), ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None


def _cut(text: str) -> str:
    return text.encode()[:KEPT_BYTES].decode(errors="ignore")
