"""`make caps`, `make pause` and `make resume`: how much a tenant may make, or all together.

make caps TENANT=acme                                what it may, and what it has used today
make caps TENANT=acme CAPS="videos=50 usd=20"        these caps of its own; others stay
make caps TENANT=acme CAPS="usd=none"                none of its own on dollars; CAPS=none: at all
make caps CAPS="concurrent=10"                       of all tenants together
make caps TENANT=acme RECOUNT=1                      what is being made is counted anew
make pause TENANT=acme  /  make pause                no video is started from now on
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from pydantic import ValidationError

from actionreel.accounts import Account, Caps
from actionreel.api_keys import is_tenant
from actionreel.aws.dynamodb_accounts import DynamoDBAccountRepository
from actionreel.aws.dynamodb_keys import DynamoDBKeyRepository
from actionreel.aws.dynamodb_reads import DynamoDBVideoReader
from local import deployment
from local.deployment import Deployment
from local.recount import recount

NAMES = tuple(Caps.model_fields)


def caps_of(words: str, before: Caps) -> Caps:
    """The caps after what `videos=50 usd=none` says: those that it does not name stay as they are,
    and `none` alone takes all away. Raises ValueError with what is wrong."""
    if words.strip() == "none":
        return Caps()
    given: dict[str, object] = before.model_dump()
    for word in words.split():
        name, equals, number = word.partition("=")
        if name not in NAMES or not equals:
            known = ", ".join(f"{one}=N" for one in NAMES)
            raise ValueError(f"{word} says nothing. Say {known}; or none in place of N.")
        given[name] = None if number == "none" else number
    try:
        return Caps.model_validate(given)
    except ValidationError as error:
        wrong = (found["loc"][0] for found in error.errors())
        said = (f"{name} must be a {'' if name == 'usd' else 'whole '}number" for name in wrong)
        raise ValueError(f"{' and '.join(said)}, from 0 to a billion.") from None


def carry_out(where: Deployment, arguments: argparse.Namespace) -> None:
    """Does it, and prints how things stand then."""
    tenant: str | None = arguments.tenant or None
    if tenant is not None and not is_tenant(tenant):
        raise ValueError("A tenant's name has small letters, digits and hyphens, at most 40.")
    accounts = DynamoDBAccountRepository(where.client, where.table)
    if arguments.pause or arguments.resume:
        accounts.pause(tenant, paused=arguments.pause)
    if arguments.recount:
        recount(where, tenant)
    if arguments.caps is not None:
        accounts.set_caps(tenant, caps_of(arguments.caps, accounts.own_caps(tenant)))
    own, everybodys = accounts.of(tenant or "default", datetime.now(UTC).date())
    print(_told(tenant or "All tenants together", own if tenant else everybodys))
    if tenant is not None and not _is_known(where, tenant):
        print(f"{tenant} has no key and no video yet: is the name right?", file=sys.stderr)


def _is_known(where: Deployment, tenant: str) -> bool:
    """Whether anybody ever came by that name. A tenant with tokens of an issuer has no keys, and a
    new one no videos, so this is worth a question only."""
    keys = DynamoDBKeyRepository(where.client, where.table).of(tenant)
    videos = DynamoDBVideoReader(where.client, where.table)
    return bool(keys) or videos.page(tenant, 1, None, None) != ([], None)


def _told(who: str, account: Account) -> str:
    used = account.used
    own = account.caps.model_dump(exclude_none=True)
    capped = ", ".join(f"{name} {number}" for name, number in own.items())
    lines = [
        f"{who}: {'PAUSED' if account.paused else 'not paused'}",
        f"  today: videos {used.videos}, seconds {used.seconds}, ${used.usd:.2f};"
        f" being made: {account.running}",
        f"  caps of its own: {capped or 'none'}; otherwise the template's hold",
    ]
    return "\n".join(lines)


def main() -> int:
    """The command line; 1 with the reason if it cannot be done."""
    parser = argparse.ArgumentParser(prog="make caps", description=__doc__)
    parser.add_argument("--tenant", default="", help="whose; all together without one")
    parser.add_argument("--caps", help='such as "videos=50 seconds=400 usd=20 concurrent=5"')
    parser.add_argument("--pause", action="store_true", help="start no video from now on")
    parser.add_argument("--resume", action="store_true", help="start videos again")
    parser.add_argument("--recount", action="store_true", help="count anew what is being made")
    deployment.add_arguments(parser)
    return deployment.run(parser, carry_out)


if __name__ == "__main__":
    sys.exit(main())
