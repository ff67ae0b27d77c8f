"""The records, in one DynamoDB table. Every write is conditional.

| item                 | PK              | SK                                       |
| video                | TENANT#<tenant> | VIDEO#<video id> (UUIDv7: sorts by time) |
| message already seen | TENANT#<tenant> | MESSAGE#<digest>                         |
| durations of a model | MODEL#<model>   | DURATIONS                                |
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from pydantic_core import to_jsonable_python

from actionreel.errors import MessageMismatchError, MessageSeenError, StaleVideoError
from actionreel.models import MessageSeen, Video, VideoStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

MESSAGE_DAYS = 30  # how long a message id is remembered
KEPT_DURATIONS = 200
_STRETCH = 250  # records read at a time where only some are wanted,
_STRETCHES = 10  # and how many times at most for one page
_TRANSACTION_TRIES = 5
_BATCH_TRIES = 8
_IS_NEW = "attribute_not_exists(PK)"

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize

Item = dict[str, Any]


class DynamoDBVideoRepository:
    """Records of videos and messages. Reads are consistent: what was written is seen."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._errors = client.exceptions  # made at the first use, and not safely between threads
        self._table = table

    def add(self, tenant: str, videos: Sequence[Video], message: MessageSeen | None) -> None:
        """Writes the videos and the message in one transaction: all of them or none.

        Raises MessageSeenError or MessageMismatchError if the message is known. That is read first,
        because a transaction that fails is billed all the same; its condition decides between
        deliveries that come at the same moment.
        """
        items = [self._new_item(_video_item(video)) for video in videos]
        if message is not None:
            self._raise_if_seen(tenant, message)
            items.append(self._new_item(_message_item(tenant, message)))
        for attempt in range(_TRANSACTION_TRIES):
            try:
                self._client.transact_write_items(TransactItems=items)
                return
            except self._errors.TransactionCanceledException:
                if message is not None:
                    self._raise_if_seen(tenant, message)
                if attempt == _TRANSACTION_TRIES - 1:
                    raise
                time.sleep(0.02 * 2**attempt)  # another delivery of the message is being written

    def get(self, tenant: str, video_id: str) -> Video | None:
        """The record, or None."""
        item = self._get(_video_key(tenant, video_id))
        return _video(item) if item else None

    def get_many(self, tenant: str, video_ids: Collection[str]) -> dict[str, Video]:
        """The records that there are, by id. At most 100 ids: one request of DynamoDB's."""
        keys = [_typed(_video_key(tenant, video_id)) for video_id in video_ids]
        found: dict[str, Video] = {}
        for attempt in range(_BATCH_TRIES):
            if not keys:
                break
            time.sleep(0.05 * attempt)
            answer = self._client.batch_get_item(
                RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}}
            )
            for item in answer["Responses"].get(self._table, []):
                video = _video(_plain(item))
                found[video.video_id] = video
            left = answer.get("UnprocessedKeys", {}).get(self._table)
            keys = [dict(key) for key in left["Keys"]] if left else []
        return found

    def page(
        self, tenant: str, limit: int, cursor: str | None, conversation_id: str | None
    ) -> tuple[list[Video], str | None]:
        """Records, newest first, and the cursor of the next page: the last video's id.

        A page of one conversation can be shorter than `limit` and still have a cursor: a table is
        read a bounded stretch at a time, however rare the conversation is in it.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "PK = :pk AND begins_with(SK, :video)",
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": limit + 1 if conversation_id is None else _STRETCH,
        }
        values = {":pk": f"TENANT#{tenant}", ":video": "VIDEO#"}
        if conversation_id is not None:
            request["FilterExpression"] = "conversation_id = :conversation"
            values[":conversation"] = conversation_id
        request["ExpressionAttributeValues"] = _typed(values)
        if cursor is not None:
            request["ExclusiveStartKey"] = _typed(_video_key(tenant, cursor))
        videos: list[Video] = []
        for _ in range(_STRETCHES):
            answer = self._client.query(**request)
            videos += [_video(_plain(item)) for item in answer["Items"]]
            last = answer.get("LastEvaluatedKey")
            if len(videos) > limit:
                return videos[:limit], videos[limit - 1].video_id
            if last is None:
                return videos, None
            request["ExclusiveStartKey"] = last
        last_read = _plain(request["ExclusiveStartKey"])
        return videos, str(last_read["SK"]).removeprefix("VIDEO#")

    def advance(
        self, tenant: str, video_id: str, allowed: Collection[VideoStatus], **changes: Any
    ) -> Video:
        """Changes the record if its status is one of `allowed`, and returns it.

        Raises StaleVideoError, with the record as it is, otherwise.
        """
        attributes = _attributes(changes)
        names = {f"#{name}": name for name in (*attributes, "status")}
        values = {f":{name}": value for name, value in attributes.items()}
        allowed_values = {f":allowed{n}": status for n, status in enumerate(sorted(allowed))}
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_typed(_video_key(tenant, video_id)),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
                ConditionExpression=f"#status IN ({', '.join(allowed_values)})",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=_typed(values | allowed_values),
                ReturnValues="ALL_NEW",
            )
        except self._errors.ConditionalCheckFailedException:
            raise StaleVideoError(self.get(tenant, video_id)) from None
        return _video(_plain(answer["Attributes"]))

    def durations(self, model: str) -> list[int]:
        """How many seconds the model's last videos took, oldest first."""
        item = self._get(_durations_key(model))
        return [int(seconds) for seconds in item["durations"]] if item else []

    def add_duration(self, model: str, seconds: int) -> None:
        """Remembers how long a video of the model took; the oldest beyond 200 are dropped."""
        key = _typed(_durations_key(model))
        answer = self._client.update_item(
            TableName=self._table,
            Key=key,
            UpdateExpression="SET durations = list_append(if_not_exists(durations, :none), :one)",
            ExpressionAttributeValues=_typed({":none": [], ":one": [seconds]}),
            ReturnValues="UPDATED_NEW",
        )
        surplus = len(_plain(answer["Attributes"])["durations"]) - KEPT_DURATIONS
        if surplus > 0:
            oldest = ", ".join(f"durations[{index}]" for index in range(surplus))
            self._client.update_item(
                TableName=self._table, Key=key, UpdateExpression=f"REMOVE {oldest}"
            )

    def _get(self, key: Mapping[str, str]) -> Item | None:
        answer = self._client.get_item(TableName=self._table, Key=_typed(key), ConsistentRead=True)
        return _plain(answer["Item"]) if "Item" in answer else None

    def _new_item(self, item: Item) -> TransactWriteItemTypeDef:
        return {
            "Put": {
                "TableName": self._table,
                "Item": _typed(item),
                "ConditionExpression": _IS_NEW,
            }
        }

    def _raise_if_seen(self, tenant: str, message: MessageSeen) -> None:
        item = self._get(_message_key(tenant, message.message_id))
        if item is None:
            return
        if item["text_digest"] != message.text_digest:
            raise MessageMismatchError(
                "This message id came before, with another text; give each message its own id."
            )
        raise MessageSeenError(item["video_ids"])


def _video_key(tenant: str, video_id: str) -> dict[str, str]:
    return {"PK": f"TENANT#{tenant}", "SK": f"VIDEO#{video_id}"}


def _message_key(tenant: str, message_id: str) -> dict[str, str]:
    digest = hashlib.sha256(message_id.encode()).hexdigest()
    return {"PK": f"TENANT#{tenant}", "SK": f"MESSAGE#{digest}"}


def _durations_key(model: str) -> dict[str, str]:
    return {"PK": f"MODEL#{model}", "SK": "DURATIONS"}


def _video_item(video: Video) -> Item:
    return {**_video_key(video.tenant, video.video_id), **_attributes(dict(video))}


def _message_item(tenant: str, message: MessageSeen) -> Item:
    return {
        **_message_key(tenant, message.message_id),
        **message.model_dump(mode="json"),
        "expires_at": int(time.time()) + MESSAGE_DAYS * 86400,
    }


def _attributes(fields: Mapping[str, Any]) -> Item:
    """What DynamoDB keeps of fields: no nulls, no floats, and the provider's handle as text."""
    return {
        name: json.dumps(value) if name == "handle" else to_jsonable_python(value)
        for name, value in fields.items()
        if value is not None
    }


def _video(item: Item) -> Video:
    fields = {name: item[name] for name in Video.model_fields if name in item}
    if "handle" in fields:
        fields["handle"] = json.loads(fields["handle"])
    return Video.model_validate(fields)


def _typed(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in item.items()}


def _plain(item: Mapping[str, Any]) -> Item:
    return {name: _deserialize(value) for name, value in item.items()}
