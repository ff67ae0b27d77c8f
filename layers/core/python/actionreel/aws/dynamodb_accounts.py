"""The accounts of tenants and of the deployment, in DynamoDB (its items: `dynamodb_items`).

What is used is counted in the transactions that write the records of videos: `opening` and
`closing` are their parts. `moves` counts them, so that who counts what is running (`make caps
RECOUNT=1`) sees that something has begun or ended meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from actionreel.accounts import NO_CAPS, Account, Amount, Caps, Owner
from actionreel.aws import dynamodb_items as items
from actionreel.aws.dynamodb_calls import read_all, update
from actionreel.aws.dynamodb_items import Item, typed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_OWNERS: tuple[Owner, ...] = ("tenant", "deployment")
_COUNTED = ("videos", "seconds", "usd")


class DynamoDBAccountRepository:
    """The accounts. `caps` are every tenant's, and the deployment's, where an account's own record
    has no other."""

    def __init__(
        self, client: DynamoDBClient, table: str, caps: tuple[Caps, Caps] = NO_CAPS
    ) -> None:
        self._client = client
        self._table = table
        self._caps: dict[Owner, Caps] = dict(zip(_OWNERS, caps, strict=True))

    def of(self, tenant: str, day: date) -> tuple[Account, Account]:
        """The accounts of the tenant and of the deployment, with what was used on that day."""
        keys = [key for who in (tenant, None) for key in _keys(who, day)]
        general, used, everybodys, all_used = self._read(keys)
        return (
            self._account("tenant", general, used),
            self._account("deployment", everybodys, all_used),
        )

    def paused(self, tenant: str) -> bool:
        """Whether no video of the tenant is to be started now."""
        found = self._read([items.account_key(tenant), items.account_key(None)])
        return any("paused" in account for account in found)

    def usage(self, tenant: str | None, days: Sequence[date]) -> dict[date, Amount]:
        """What was used on each of the days, at most 100; of the deployment for None."""
        found = self._read([items.usage_key(tenant, day) for day in days])
        return {day: _amount(used) for day, used in zip(days, found, strict=True)}

    def own_caps(self, tenant: str | None) -> Caps:
        """The caps that the account has of its own."""
        [general] = self._read([items.account_key(tenant)])
        return Caps.model_validate(general.get("caps", {}))

    def set_caps(self, tenant: str | None, caps: Caps) -> None:
        """Gives the account caps of its own; where they say None, the general ones hold."""
        written = {":caps": to_jsonable_python(caps, exclude_none=True)}
        self._update(items.account_key(tenant), "SET caps = :caps", written)

    def pause(self, tenant: str | None, *, paused: bool) -> None:
        """Has no video started from now on, or has them started again: of a tenant, or of all."""
        if paused:
            self._update(items.account_key(tenant), "SET paused = :true", {":true": True})
        else:
            self._update(items.account_key(tenant), "REMOVE paused", {})

    def _account(self, owner: Owner, general: Item, used: Item) -> Account:
        own = Caps.model_validate(general["caps"]) if "caps" in general else None
        return Account(
            owner=owner,
            caps=self._caps[owner].over(own),
            used=_amount(used),
            running=int(general.get("running", 0)),
            paused="paused" in general,
        )

    def _read(self, keys: Sequence[items.Key]) -> list[Item]:
        """The items of the keys, in their order; empty where there is none."""
        read = read_all(self._client, self._table, keys)
        found = {(item["PK"], item["SK"]): item for item in read}
        return [found.get((key["PK"], key["SK"]), {}) for key in keys]

    def _update(self, key: items.Key, expression: str, values: Item) -> None:
        request: dict[str, Any] = {"UpdateExpression": expression}
        if values:
            request["ExpressionAttributeValues"] = typed(values)
        update(self._client, TableName=self._table, Key=typed(key), **request)


def opening(
    table: str, tenant: str, day: date, amount: Amount, caps: Sequence[Caps]
) -> list[dict[str, Any]]:
    """The parts of a transaction that put an amount on the accounts of the tenant and of the
    deployment, on the condition that it fits into `caps`, in that order, and nobody is paused."""
    parts = []
    for who, capped in zip((tenant, None), caps, strict=True):
        account, usage = _keys(who, day)
        most = {
            name: cap - added
            for name, cap, added in (
                (name, getattr(capped, name), getattr(amount, name)) for name in _COUNTED
            )
            if cap is not None and added  # what costs nothing passes no cap
        }
        parts.append(_adding(table, usage, amount._asdict(), most))
        room = {} if capped.concurrent is None else {"running": capped.concurrent - amount.videos}
        running = _adding(table, account, {"running": amount.videos, "moves": 1}, room)
        conditions = filter(None, ("attribute_not_exists(paused)", running.get(_CONDITION)))
        parts.append(running | {_CONDITION: " AND ".join(conditions)})
    return [{"Update": part} for part in parts]


def closing(table: str, tenant: str, day: date, settled: Amount) -> list[dict[str, Any]]:
    """The parts of a transaction that settle one video on both accounts: what it came to is added
    to the day on which it was asked for."""
    parts = []
    for who in (tenant, None):
        account, usage = _keys(who, day)
        if any(settled):
            parts.append(_adding(table, usage, settled._asdict(), {}))
        parts.append(_adding(table, account, {"running": -1, "moves": 1}, {}))
    return [{"Update": part} for part in parts]


_CONDITION = "ConditionExpression"


def _adding(
    table: str, key: items.Key, added: dict[str, Any], most: dict[str, Any]
) -> dict[str, Any]:
    """An update that adds to counters, on the condition that they are not over `most` before."""
    fits = [f"(attribute_not_exists(#{name}) OR #{name} <= :most_{name})" for name in most]
    values = {f":{name}": number for name, number in added.items()}
    update = {
        "TableName": table,
        "Key": typed(key),
        "UpdateExpression": "ADD " + ", ".join(f"#{name} :{name}" for name in added),
        "ExpressionAttributeNames": {f"#{name}": name for name in added},
        "ExpressionAttributeValues": typed(
            values | {f":most_{name}": number for name, number in most.items()}
        ),
    }
    return update | ({_CONDITION: " AND ".join(fits)} if fits else {})


def _keys(tenant: str | None, day: date) -> tuple[items.Key, items.Key]:
    return items.account_key(tenant), items.usage_key(tenant, day)


def _amount(item: Item) -> Amount:
    return Amount(
        int(item.get("videos", 0)), int(item.get("seconds", 0)), Decimal(item.get("usd", 0))
    )
