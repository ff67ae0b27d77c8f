"""`make key` and `make keys`: who may call the API.

make key TENANT=acme NAME=ci        makes a key, and prints it: this once
make keys TENANT=acme               lists them, by what they are revoked with
make key TENANT=acme REVOKE=1a2b3c4d5e6f
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from actionreel.api_keys import PREFIX, ApiKey, is_tenant, key_hash, new_key
from actionreel.aws.dynamodb_keys import DynamoDBKeyRepository
from local import deployment
from local.deployment import Deployment

MAX_NAME = 60  # characters


def carry_out(where: Deployment, arguments: argparse.Namespace) -> None:
    """Does it, and prints what came of it. Raises ValueError with what is wrong."""
    tenant = arguments.tenant
    if not is_tenant(tenant):
        raise ValueError("Say TENANT=: small letters, digits and hyphens, at most 40.")
    keys = DynamoDBKeyRepository(where.client, where.table)
    if arguments.list:
        found = keys.of(tenant)
        print("\n".join(map(_line, found)) or f"{tenant} has no keys.")
    elif arguments.revoke:
        named = arguments.revoke  # a key itself must not be shown again
        key_id = key_hash(named)[:12] if named.startswith(PREFIX) else named
        matching = [key for key in keys.of(tenant) if key.key_id == key_id]
        if not matching:
            raise ValueError(f"{tenant} has no key {key_id}. make keys lists their ids.")
        keys.revoke(matching[0], datetime.now(UTC))
        print(f"{key_id} is revoked. For a minute it may still be taken.")
    else:
        if len(arguments.name) > MAX_NAME or not arguments.name.isprintable():
            raise ValueError(
                f"A key's NAME has at most {MAX_NAME} characters, all of them visible."
            )
        key = new_key()
        made = ApiKey(
            tenant=tenant, key_hash=key_hash(key), name=arguments.name, created_at=datetime.now(UTC)
        )
        keys.add(made)
        print(key)
        print(f"is the key {made.key_id} of {tenant}; it is not shown again.", file=sys.stderr)


def _line(key: ApiKey) -> str:
    end = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "valid"
    return f"{key.key_id}  made {key.created_at:%Y-%m-%d}  {end}  {key.name}".rstrip()


def main() -> int:
    """The command line; 1 with the reason if it cannot be done."""
    parser = argparse.ArgumentParser(prog="make key", description=__doc__)
    parser.add_argument("--tenant", default="", help="whose key it is")
    parser.add_argument("--name", default="", help="a word for what it is used for")
    parser.add_argument("--revoke", default="", metavar="KEY_ID", help="take that one back")
    parser.add_argument("--list", action="store_true", help="list the tenant's keys")
    deployment.add_arguments(parser)
    return deployment.run(parser, carry_out)


if __name__ == "__main__":
    sys.exit(main())
