"""Writing the records, in one DynamoDB table (see `dynamodb_items`), always on conditions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from actionreel.accounts import settlement
from actionreel.aws import dynamodb_items as items
from actionreel.aws.dynamodb_accounts import closing
from actionreel.aws.dynamodb_calls import update
from actionreel.aws.dynamodb_items import Item, plain, typed
from actionreel.aws.dynamodb_starts import IS_NEW, DynamoDBVideoStarts
from actionreel.errors import StaleVideoError
from actionreel.models import OPEN_STATUSES, Handle, Video, VideoStatus

KEPT_DURATIONS = 200
_TOLD = ("delivered", "not_delivered")


class DynamoDBVideoRepository(DynamoDBVideoStarts):
    """The records of videos, messages and jobs, and how they change."""

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
        if changes.get("status") in (None, *OPEN_STATUSES):
            condition, values = _condition(allowed, expect)
            key = items.video_key(tenant, video_id)
            return self._update(key, changes, condition, values, expect)
        still_open = set(allowed) & set(OPEN_STATUSES)  # an ending is settled once
        return self._end(tenant, video_id, still_open, expect, changes)

    def revoke_links(self, tenant: str, video_id: str) -> Video:
        """Has all links of the video that there are lead nowhere from now on, whatever its status.

        Raises StaleVideoError if there is no such video.
        """
        try:
            answer = update(
                self._client,
                TableName=self._table,
                Key=typed(items.video_key(tenant, video_id)),
                UpdateExpression="ADD link_revision :one",  # absent is 0
                ConditionExpression="attribute_exists(PK)",
                ExpressionAttributeValues=typed({":one": 1}),
                ReturnValues="ALL_NEW",
            )
        except self._errors.ConditionalCheckFailedException:
            raise StaleVideoError(None) from None
        return items.video(plain(answer["Attributes"]))

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
        owned = {
            "Put": {
                "TableName": self._table,
                "Item": typed(items.job_item(provider, handle, tenant, video_id)),
                "ConditionExpression": f"{IS_NEW} OR (tenant = :tenant AND video_id = :video)",
                "ExpressionAttributeValues": typed({":tenant": tenant, ":video": video_id}),
            }
        }
        changes = {"handle": handle, **changes}
        changed = {"Update": self._change(key, changes, condition, values, expect)}
        taken = False

        def explain(refused: Sequence[bool]) -> bool:
            nonlocal taken
            taken, stale = refused
            if stale and not taken:
                raise StaleVideoError(self.get(tenant, video_id))
            return taken

        self._transact([owned, changed], explain)
        return not taken

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
            update(
                self._client,
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
        answer = update(
            self._client,
            TableName=self._table,
            Key=key,
            UpdateExpression="SET durations = list_append(if_not_exists(durations, :none), :one)",
            ExpressionAttributeValues=typed({":none": [], ":one": [seconds]}),
            ReturnValues="UPDATED_NEW",
        )
        surplus = len(plain(answer["Attributes"])["durations"]) - KEPT_DURATIONS
        if surplus > 0:
            oldest = ", ".join(f"durations[{index}]" for index in range(surplus))
            update(
                self._client, TableName=self._table, Key=key, UpdateExpression=f"REMOVE {oldest}"
            )

    def _end(
        self,
        tenant: str,
        video_id: str,
        allowed: Collection[VideoStatus],
        expect: Mapping[str, Any],
        changes: Mapping[str, Any],
    ) -> Video:
        """Ends the record, and settles in the same transaction what was reserved for it."""
        key = items.video_key(tenant, video_id)
        video = self.get(tenant, video_id)
        if video is None or video.reservation is None:
            condition, values = _condition(allowed, expect)
            return self._update(key, changes, condition, values, expect)
        expect = {**expect, "seconds": video.seconds}  # is settled, and another claim may change it
        condition, values = _condition(allowed, expect)
        ending = {"Update": self._change(key, changes, condition, values, expect)}
        settled = settlement(video, changes)

        def explain(refused: Sequence[bool]) -> bool:
            if refused[0]:
                raise StaleVideoError(self.get(tenant, video_id))
            return False

        parts = closing(self._table, tenant, video.reservation.day, settled)
        self._transact([ending, *parts], explain)
        ended = self.get(tenant, video_id)
        assert ended is not None
        return ended

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
            answer = update(self._client, **change, ReturnValues="ALL_NEW")
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
