"""What is kept of API keys, in DynamoDB (its items: `dynamodb_items`)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from actionreel.api_keys import ApiKey
from actionreel.aws import dynamodb_items as items
from actionreel.aws.dynamodb_items import Item, plain, typed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDBKeyRepository:
    """The keys: each by its hash, and in the list of its tenant."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, key_hash: str) -> ApiKey | None:
        """What is kept of the key with that hash; None if there is none."""
        answer = self._client.get_item(
            TableName=self._table, Key=typed(items.key_key(key_hash)), ConsistentRead=True
        )
        return _key(plain(answer["Item"])) if "Item" in answer else None

    def add(self, key: ApiKey) -> None:
        """Keeps a new key."""
        self._put(key, ConditionExpression="attribute_not_exists(PK)")

    def of(self, tenant: str) -> list[ApiKey]:
        """The tenant's keys, revoked ones too, the oldest first."""
        found: list[ApiKey] = []
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "PK = :pk AND begins_with(SK, :key)",
            "ExpressionAttributeValues": typed({":pk": f"TENANT#{tenant}", ":key": "KEY#"}),
            "ConsistentRead": True,
        }
        while True:
            answer = self._client.query(**request)
            found += [_key(plain(item)) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return sorted(found, key=lambda key: key.created_at)
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def revoke(self, key: ApiKey, now: datetime) -> None:
        """Has nobody come in with the key any more. One that is revoked stays as it is."""
        if key.revoked_at is None:
            self._put(key.model_copy(update={"revoked_at": now}))

    def _put(self, key: ApiKey, **condition: Any) -> None:
        """Writes both items whole, so that each is a record whatever became of the other."""
        fields = {**key.model_dump(mode="json", exclude_none=True), "key_id": key.key_id}
        parts: list[Any] = [
            {"Put": {"TableName": self._table, "Item": typed({**where, **fields}), **condition}}
            for where in _places(key)
        ]
        self._client.transact_write_items(TransactItems=parts)


def _places(key: ApiKey) -> tuple[items.Key, items.Key]:
    return items.key_key(key.key_hash), items.key_of_tenant_key(key.tenant, key.key_id)


def _key(item: Item) -> ApiKey:
    return ApiKey.model_validate({name: item[name] for name in ApiKey.model_fields if name in item})
