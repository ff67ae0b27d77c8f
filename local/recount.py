"""`make caps RECOUNT=1`: how many videos are being made, by their records and not by the account.

The two differ after a function of a release that did not count has ended a video, or after the
table was restored. Best done while nothing is started (`make pause`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from actionreel.aws import dynamodb_items as items
from actionreel.aws.dynamodb_items import Item, plain, typed
from actionreel.aws.dynamodb_reads import DynamoDBVideoReader
from actionreel.models import OPEN_STATUSES
from local.deployment import Deployment

TRIES = 10
INDEX_SECONDS = 1  # an index may be behind the table, usually by less than that


def recount(where: Deployment, tenant: str | None) -> None:
    """Puts the number on the account of the tenant, or of the deployment for None.

    Raises ValueError if videos are started or end during each of the counts.
    """
    if not any(_recounted(where, tenant) for _ in range(TRIES)):
        raise ValueError(
            f"Videos were started or ended during each of {TRIES} counts. Try again while less is"
            " made, such as after make pause."
        )


def _recounted(where: Deployment, tenant: str | None) -> bool:
    """Counts once; False, and nothing written, if the account changed meanwhile."""
    key = items.account_key(tenant)
    before = _item(where, key)
    time.sleep(INDEX_SECONDS)
    counted = sum(_counts(_item(where, found)) for found in _open(where, tenant))
    names = ("running", "moves")  # a release that counted no moves may still be at work
    known = {f":{name}": before[name] for name in names if name in before}
    same = " AND ".join(
        f"{name} = :{name}" if name in before else f"attribute_not_exists({name})" for name in names
    )
    try:
        where.client.update_item(
            TableName=where.table,
            Key=typed(key),
            UpdateExpression="SET running = :counted",
            ConditionExpression=same,
            ExpressionAttributeValues=typed({":counted": counted} | known),
        )
    except (
        where.client.exceptions.ConditionalCheckFailedException,
        where.client.exceptions.TransactionConflictException,
    ):
        return False
    return True


def _counts(video: Item) -> bool:
    return video.get("status") in OPEN_STATUSES and "reservation" in video


def _open(where: Deployment, tenant: str | None) -> Iterator[items.Key]:
    """The keys of what has not ended, or was not told yet."""
    own = None if tenant is None else items.account_key(tenant)["PK"]
    for key in DynamoDBVideoReader(where.client, where.table).open_keys():
        if own in (None, key["PK"]):
            yield {"PK": key["PK"], "SK": key["SK"]}


def _item(where: Deployment, key: items.Key) -> Item:
    answer = where.client.get_item(TableName=where.table, Key=typed(key), ConsistentRead=True)
    return plain(answer.get("Item", {}))
