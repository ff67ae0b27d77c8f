"""Writing the records, in one DynamoDB table (see `dynamodb_items`), always on conditions."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from actionreel.aws import dynamodb_items as items
from actionreel.aws.dynamodb_items import Item, plain, typed
from actionreel.aws.dynamodb_reads import DynamoDBVideoReader
from actionreel.errors import MessageMismatchError, MessageSeenError, StaleVideoError
from actionreel.models import OPEN_STATUSES, Handle, MessageSeen, Video, VideoStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

KEPT_DURATIONS = 200
_TRANSACTION_TRIES = 5
_IS_NEW = "attribute_not_exists(PK)"
_TOLD = ("delivered", "not_delivered")


class DynamoDBVideoRepository(DynamoDBVideoReader):
    """The records of videos, messages and jobs, and how they change."""

    def add(self, tenant: str, videos: Sequence[Video], message: MessageSeen | None) -> None:
        """Writes the videos and the message in one transaction: all of them or none.

        Raises MessageSeenError or MessageMismatchError if the message is known. That is read first,
        because a transaction that fails is billed all the same; its condition decides between
        deliveries that come at the same moment.
        """
        written = [self._new_item(items.video_item(video)) for video in videos]
        if message is not None:
            self._raise_if_seen(tenant, message)
            written.append(self._new_item(items.message_item(tenant, message)))
        for attempt in range(_TRANSACTION_TRIES):
            try:
                self._client.transact_write_items(TransactItems=written)
                return
            except self._errors.TransactionCanceledException:
                if message is not None:
                    self._raise_if_seen(tenant, message)
                if attempt == _TRANSACTION_TRIES - 1:
                    raise
                time.sleep(0.02 * 2**attempt)  # another delivery of the message is being written

    def claim(
        self, tenant: str, video_id: str, fence: str, released: Collection[str], **changes: Any
    ) -> Video:
        """Takes the right to ask the provider: what is `queued`, or `submitting` under one of
        the fences `released`, becomes `submitting` under `fence`.

        Raises StaleVideoError if the record is anywhere else. A claim that was written, but whose
        answer got lost, is known by its fence and given.
        """
        values = {":queued": "queued"}
        condition = "#status = :queued"
        if released:
            values[":submitting"] = "submitting"
            settled = {f":released{n}": fence for n, fence in enumerate(sorted(released))}
            values |= settled
            condition += f" OR (#status = :submitting AND #fence IN ({', '.join(settled)}))"
        changes = {"status": "submitting", "fence": fence, **changes}
        try:
            return self._update(items.video_key(tenant, video_id), changes, condition, values)
        except StaleVideoError as stale:
            if isinstance(stale.video, Video) and stale.video.fence == fence:
                return stale.video
            raise

    def advance(
        self,
        tenant: str,
        video_id: str,
        allowed: Collection[VideoStatus],
        expect: Mapping[str, Any] = {},
        **changes: Any,
    ) -> Video:
        """Changes the record if its status is one of `allowed` and its fields are as expected (None
        is not there), and returns it.

        Raises StaleVideoError, with the record as it is, otherwise.
        """
        condition, values = _condition(allowed, expect)
        key = items.video_key(tenant, video_id)
        return self._update(key, changes, condition, values, expect)

    def add_retry(self, video: Video) -> None:
        """Writes the video, and on the one that it is a retry of that it was retried, or neither.

        Raises StaleVideoError, with the older one's record, if that was retried before or has not
        ended in a way that can be retried.
        """
        older = items.video_key(video.tenant, video.retry_of or "")
        noted: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self._table,
                "Key": typed(older),
                "UpdateExpression": "SET retried_as = :id",
                "ConditionExpression": "attribute_not_exists(retried_as) AND"
                " #status IN (:failed, :expired, :unknown)",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": typed(
                    {
                        ":id": video.video_id,
                        ":failed": "failed",
                        ":expired": "expired",
                        ":unknown": "unknown",
                    }
                ),
            }
        }
        for attempt in range(_TRANSACTION_TRIES):
            try:
                self._client.transact_write_items(
                    TransactItems=[noted, self._new_item(items.video_item(video))]
                )
                return
            except self._errors.TransactionCanceledException:
                found = self._get(older)
                if found is None or "retried_as" in found or attempt == _TRANSACTION_TRIES - 1:
                    raise StaleVideoError(items.video(found) if found else None) from None
                time.sleep(0.02 * 2**attempt)  # another retry of it is being written

    def take_job(
        self,
        provider: str,
        handle: Handle,
        tenant: str,
        video_id: str,
        allowed: Collection[VideoStatus],
        expect: Mapping[str, Any] = {},
        **changes: Any,
    ) -> bool:
        """Makes a job this video's, once and for all, and puts its handle and the changes on the
        record, or neither.

        False if the job is another video's. Raises StaleVideoError if the record's status is none
        of `allowed`, or its fields are not as expected.
        """
        condition, values = _condition(allowed, expect)
        key = items.video_key(tenant, video_id)
        owned: TransactWriteItemTypeDef = {
            "Put": {
                "TableName": self._table,
                "Item": typed(items.job_item(provider, handle, tenant, video_id)),
                "ConditionExpression": f"{_IS_NEW} OR (tenant = :tenant AND video_id = :video)",
                "ExpressionAttributeValues": typed({":tenant": tenant, ":video": video_id}),
            }
        }
        changes = {"handle": handle, **changes}
        changed: Any = {"Update": self._change(key, changes, condition, values, expect)}
        for attempt in range(_TRANSACTION_TRIES):
            try:
                self._client.transact_write_items(TransactItems=[owned, changed])
                return True
            except self._errors.TransactionCanceledException as error:
                taken, stale = (
                    reason.get("Code") == "ConditionalCheckFailed"
                    for reason in error.response["CancellationReasons"]
                )
                if taken:
                    return False
                if stale:
                    raise StaleVideoError(self.get(tenant, video_id)) from None
                if attempt == _TRANSACTION_TRIES - 1:
                    raise
                time.sleep(0.02 * 2**attempt)  # somebody else is writing one of the two
        return False

    def add_nudge(self, tenant: str, video_id: str, tried: str | None) -> bool:
        """Notes that the video's next wait is to end at once.

        False if it has no job that could be awaited, or has another token by now than the one
        that was `tried` (None: none).
        """
        values: Item = {":true": True, ":asked": "submitting", ":generating": "generating"}
        condition = f"attribute_not_exists({items.WAKE_TOKEN})"
        if tried is not None:
            values[":tried"] = tried
            condition = f"{items.WAKE_TOKEN} = :tried"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=typed(items.video_key(tenant, video_id)),
                UpdateExpression=f"SET {items.NUDGED} = :true",
                ConditionExpression=f"#status IN (:asked, :generating) AND {condition}",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues=typed(values),
            )
        except self._errors.ConditionalCheckFailedException:
            return False
        return True

    def add_duration(self, model: str, seconds: int) -> None:
        """Remembers how long a video of the model took; the oldest beyond 200 are dropped."""
        key = typed(items.durations_key(model))
        answer = self._client.update_item(
            TableName=self._table,
            Key=key,
            UpdateExpression="SET durations = list_append(if_not_exists(durations, :none), :one)",
            ExpressionAttributeValues=typed({":none": [], ":one": [seconds]}),
            ReturnValues="UPDATED_NEW",
        )
        surplus = len(plain(answer["Attributes"])["durations"]) - KEPT_DURATIONS
        if surplus > 0:
            oldest = ", ".join(f"durations[{index}]" for index in range(surplus))
            self._client.update_item(
                TableName=self._table, Key=key, UpdateExpression=f"REMOVE {oldest}"
            )

    def _update(
        self,
        key: items.Key,
        changes: Mapping[str, Any],
        condition: str,
        values: Item,
        named: Iterable[str] = (),
    ) -> Video:
        """Changes the record of a video on a condition, which names its status and the fields
        `named`; raises StaleVideoError if it is not met.

        An ending takes the record out of the index of open videos; if somebody waits for the
        result, the end of its delivery does.
        """
        change = self._change(key, changes, condition, values, named)
        try:
            answer = self._client.update_item(**change, ReturnValues="ALL_NEW")
        except self._errors.ConditionalCheckFailedException:
            item = self._get(key)
            raise StaleVideoError(items.video(item) if item else None) from None
        return items.video(plain(answer["Attributes"]))

    def _change(
        self,
        key: items.Key,
        changes: Mapping[str, Any],
        condition: str,
        values: Item,
        named: Iterable[str],
    ) -> dict[str, Any]:
        """The change of a record, as DynamoDB takes it."""
        written = items.attributes(changes)
        names = {f"#{name}": name for name in (*written, "status", *named)}
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in written)
        ends = written.get("status") not in (None, *OPEN_STATUSES)
        if (ends and "delivery" not in written) or written.get("delivery") in _TOLD:
            expression += " REMOVE #open"
            names["#open"] = "open"
        return {
            "TableName": self._table,
            "Key": typed(key),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": typed(
                {f":{name}": value for name, value in written.items()} | values
            ),
        }

    def _new_item(self, item: Item) -> TransactWriteItemTypeDef:
        return {
            "Put": {
                "TableName": self._table,
                "Item": typed(item),
                "ConditionExpression": _IS_NEW,
            }
        }

    def _raise_if_seen(self, tenant: str, message: MessageSeen) -> None:
        item = self._get(items.message_key(tenant, message.message_id))
        if item is None:
            return
        if item["text_digest"] != message.text_digest:
            raise MessageMismatchError(
                "This message id came before, with another text; give each message its own id."
            )
        raise MessageSeenError(item["video_ids"])


def _condition(allowed: Collection[VideoStatus], expect: Mapping[str, Any]) -> tuple[str, Item]:
    """The condition of a change, and its values. None is expected of what is not there."""
    values: Item = {f":allowed{n}": status for n, status in enumerate(sorted(allowed))}
    conditions = [f"#status IN ({', '.join(values)})"]
    for name, value in expect.items():
        if value is None:
            conditions.append(f"attribute_not_exists(#{name})")
        else:
            conditions.append(f"#{name} = :expected_{name}")
            values[f":expected_{name}"] = to_jsonable_python(value)
    return " AND ".join(conditions), values
