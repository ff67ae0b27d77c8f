"""Writing new records of videos, each in one transaction with what they are counted on."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from actionreel.accounts import NO_CAPS, Amount, Caps, amount
from actionreel.aws import dynamodb_items as items
from actionreel.aws.dynamodb_accounts import opening
from actionreel.aws.dynamodb_items import Item, typed
from actionreel.aws.dynamodb_reads import DynamoDBVideoReader
from actionreel.errors import (
    CapReachedError,
    CrowdedError,
    MessageMismatchError,
    MessageSeenError,
    StaleVideoError,
)
from actionreel.models import MessageSeen, Video

_TRANSACTION_TRIES = 10
IS_NEW = "attribute_not_exists(PK)"
_REFUSED, _CONFLICT = "ConditionalCheckFailed", "TransactionConflict"

Parts = list[dict[str, Any]]


class DynamoDBVideoStarts(DynamoDBVideoReader):
    """The records of videos and messages, as they begin."""

    def check_seen(self, tenant: str, message: MessageSeen) -> None:
        """Raises MessageSeenError or MessageMismatchError if the message is known."""
        item = self._get(items.message_key(tenant, message.message_id))
        if item is None:
            return
        if item["text_digest"] != message.text_digest:
            raise MessageMismatchError(
                "This id (messageId, Idempotency-Key or requestId) came before, with another"
                " text; give each message its own."
            )
        raise MessageSeenError(item["video_ids"], set(map(int, item.get("capped", ()))))

    def add(
        self,
        tenant: str,
        videos: Sequence[Video],
        message: MessageSeen | None,
        caps: Sequence[Caps] = NO_CAPS,
    ) -> None:
        """Writes the videos, the message, and what is reserved for them on the accounts of the
        tenant and of the deployment in one transaction: all of them or none.

        Raises MessageSeenError or MessageMismatchError if the message is known, CapReachedError if
        the caps, in that order, do not allow it.
        """
        new: Parts = [self._new_item(items.video_item(video)) for video in videos]
        if message is not None:
            new.append(self._new_item(items.message_item(tenant, message)))

        def explain(refused: Sequence[bool]) -> bool:
            if message is not None:
                self.check_seen(tenant, message)
            if any(refused[: len(videos)]):
                return True  # these very videos are there: the answer to the first try got lost
            if any(refused[len(new) :]):
                raise CapReachedError
            return False

        self._transact([*new, *self._opening(tenant, videos, caps)], explain)

    def add_retry(self, video: Video, caps: Sequence[Caps] = NO_CAPS) -> None:
        """Writes the video, and on the one that it is a retry of that it was retried, and what is
        reserved for it; or nothing.

        Raises StaleVideoError, with the older one's record, if that was retried before, or deleted,
        or has not ended in a way that can be retried; CapReachedError if the caps do not allow it.
        """
        older = items.video_key(video.tenant, video.retry_of or "")
        noted = {
            "TableName": self._table,
            "Key": typed(older),
            "UpdateExpression": "SET retried_as = :id",
            "ConditionExpression": "attribute_not_exists(retried_as) AND"
            " attribute_not_exists(deleted_at) AND #status IN (:failed, :expired, :unknown)",
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
        new: Parts = [{"Update": noted}, self._new_item(items.video_item(video))]

        def explain(refused: Sequence[bool]) -> bool:
            found = self._get(older)
            if refused[0] or found is None or "retried_as" in found:
                raise StaleVideoError(items.video(found) if found else None)
            if any(refused[len(new) :]):
                raise CapReachedError
            return False

        self._transact([*new, *self._opening(video.tenant, [video], caps)], explain)

    def _opening(self, tenant: str, videos: Sequence[Video], caps: Sequence[Caps]) -> Parts:
        """What puts the reservations of the videos on the accounts; they are of one day."""
        reserved = [video.reservation for video in videos if video.reservation]
        if not reserved:
            return []
        total = Amount()
        for reservation in reserved:
            total = total.plus(amount(reservation))
        return opening(self._table, tenant, reserved[0].day, total, caps)

    def _transact(self, parts: Parts, explain: Callable[[Sequence[bool]], bool]) -> None:
        """Writes all or nothing. `explain` is told which parts' conditions were not met, and raises
        what that means, or says that there is nothing left to do; otherwise others were writing the
        same items, and it is tried again. Raises CrowdedError where that goes on."""
        written: Any = parts
        for attempt in range(_TRANSACTION_TRIES):
            try:
                self._client.transact_write_items(TransactItems=written)
                return
            except self._errors.TransactionCanceledException as error:
                reasons = error.response["CancellationReasons"]
                if explain([reason.get("Code") == _REFUSED for reason in reasons]):
                    return
                if attempt == _TRANSACTION_TRIES - 1:
                    if _CONFLICT in {reason.get("Code") for reason in reasons}:
                        raise CrowdedError from error
                    raise
                time.sleep(random.uniform(0.5, 1) * min(0.02 * 2**attempt, 0.5))

    def _new_item(self, item: Item) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": typed(item),
                "ConditionExpression": IS_NEW,
            }
        }
