"""Reading the records, in one DynamoDB table (its items: `dynamodb_items`).

Reads are consistent: what was written is seen.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from actionreel.aws import dynamodb_items as items
from actionreel.aws.dynamodb_calls import read_all
from actionreel.aws.dynamodb_items import Item, plain, typed
from actionreel.models import Handle, Video

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OPEN_VIDEOS = "OpenVideos"
MOST_OPEN = 10_000
_STRETCH = 250  # records read at a time where only some are wanted,
_STRETCHES = 10  # and how many times at most for one page

logger = logging.getLogger(__name__)


class DynamoDBVideoReader:
    """What can be found out about videos, and about the models that make them."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._errors = client.exceptions  # made at the first use, and not safely between threads
        self._table = table

    def get(self, tenant: str, video_id: str) -> Video | None:
        """The record, or None."""
        item = self._get(items.video_key(tenant, video_id))
        return items.video(item) if item else None

    def get_many(self, tenant: str, video_ids: Collection[str]) -> dict[str, Video]:
        """The records that there are, by id. At most 100 ids: one request of DynamoDB's."""
        keys = (items.video_key(tenant, video_id) for video_id in video_ids)
        found = map(items.video, read_all(self._client, self._table, keys))
        return {video.video_id: video for video in found}

    def made_videos(self, tenant: str, message_id: str) -> bool:
        """Whether a message of that id came, and made a video."""
        item = self._get(items.message_key(tenant, message_id)) or {}
        return any(item.get("video_ids", ()))

    def page(
        self,
        tenant: str,
        limit: int,
        cursor: str | None,
        conversation_id: str | None,
        *,
        oldest_first: bool = False,
    ) -> tuple[list[Video], str | None]:
        """Records that were not deleted, newest first or oldest, and the cursor of the next page:
        the last video's id.

        A page can be shorter than `limit` and still have a cursor: a table is read a bounded
        stretch at a time, however rare in it is what is looked for.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "PK = :pk AND begins_with(SK, :video)",
            "ScanIndexForward": oldest_first,
            "FilterExpression": "attribute_not_exists(deleted_at)",
            "ConsistentRead": True,
            "Limit": limit + 1 if conversation_id is None else _STRETCH,
        }
        values = {":pk": f"TENANT#{tenant}", ":video": "VIDEO#"}
        if conversation_id is not None:
            request["FilterExpression"] += " AND conversation_id = :conversation"
            values[":conversation"] = conversation_id
        request["ExpressionAttributeValues"] = typed(values)
        if cursor is not None:
            request["ExclusiveStartKey"] = typed(items.video_key(tenant, cursor))
        videos: list[Video] = []
        for _ in range(_STRETCHES):
            answer = self._client.query(**request)
            videos += [items.video(plain(item)) for item in answer["Items"]]
            last = answer.get("LastEvaluatedKey")
            if len(videos) > limit:
                return videos[:limit], videos[limit - 1].video_id
            if last is None:
                return videos, None
            request["ExclusiveStartKey"] = last
        last_read = plain(request["ExclusiveStartKey"])
        return videos, str(last_read["SK"]).removeprefix("VIDEO#")

    def owner_of(self, provider: str, handle: Handle) -> tuple[str, str] | None:
        """The tenant and the id of the video whose job that is; None if it is nobody's."""
        item = self._get(items.job_key(provider, handle))
        return (item["tenant"], item["video_id"]) if item else None

    def wake_token(self, tenant: str, video_id: str) -> str | None:
        """The token of the video's last wait, which may be over; None if it had none."""
        item = self._get(items.video_key(tenant, video_id)) or {}
        token: str | None = item.get(items.WAKE_TOKEN)
        return token

    def overdue(self, before: datetime, limit: int) -> list[Video]:
        """Videos that had to be looked at before that time, the most overdue first: open ones, and
        those whose result was not told yet.

        The index knows their keys, a moment late; the records themselves are read consistently.
        """
        answer = self._client.query(
            TableName=self._table,
            IndexName=OPEN_VIDEOS,
            KeyConditionExpression="#open = :open AND next_check_at < :before",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues=typed(
                {":open": items.OPEN, ":before": to_jsonable_python(before)}
            ),
            Limit=limit,
        )
        videos = []
        for item in answer["Items"]:
            try:
                videos.append(items.video(self._get(plain(item)) or {}))
            except ValidationError:  # another release wrote it, and must see to it
                logger.warning("an open record cannot be read", extra={"key": item["SK"]})
        return [video for video in videos if video.is_open or video.owes_delivery]

    def open_since(self) -> list[datetime]:
        """When each video was asked for that has not ended, or whose result was not told yet; of
        the first 10,000. Their ids tell: they are UUIDs of version 7."""
        return [items.asked_at(key) for key in islice(self.open_keys(), MOST_OPEN)]

    def open_keys(self) -> Iterator[Item]:
        """The keys of those videos, of all tenants."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": OPEN_VIDEOS,
            "KeyConditionExpression": "#open = :open",
            "ExpressionAttributeNames": {"#open": "open"},
            "ExpressionAttributeValues": typed({":open": items.OPEN}),
        }
        while True:
            answer = self._client.query(**request)
            yield from map(plain, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def durations(self, model: str) -> list[int]:
        """How many seconds the model's last videos took, oldest first."""
        item = self._get(items.durations_key(model))
        return [int(seconds) for seconds in item["durations"]] if item else []

    def _get(self, key: Mapping[str, str]) -> Item | None:
        key = {name: key[name] for name in ("PK", "SK")}
        answer = self._client.get_item(TableName=self._table, Key=typed(key), ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None
