"""The simulation can fail: rules of the ledger, taken out one at a time.

condition   a claim is written whatever the record says
fence       who writes later does not name the fence that he knows
taint       that a request went unanswered is not remembered
sending     that a video is being sent to a chat is not noted
settlement  what a video took is settled apart from its ending
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from actionreel import deliveries
from actionreel.accounts import settlement
from actionreel.aws import dynamodb
from actionreel.aws.dynamodb import DynamoDBVideoRepository as Repository
from actionreel.aws.dynamodb_accounts import closing
from actionreel.aws.dynamodb_items import video_key
from actionreel.models import Video

RULES = ("condition", "fence", "taint", "sending", "settlement")


@contextmanager
def without(rule: str | None) -> Iterator[None]:
    """While it lasts the rule is not there; None leaves them all."""
    with pytest.MonkeyPatch.context() as patch:
        if rule is not None:
            _take_out(rule, patch)
        yield


def _take_out(rule: str, patch: pytest.MonkeyPatch) -> None:
    update, advance, take_job = Repository._update, Repository.advance, Repository.take_job

    def unconditional(self: Any, key: Any, changes: Any, condition: str, *rest: Any) -> Any:
        claims = changes.get("status") == "submitting"
        kept = f"attribute_exists(PK) OR {condition}" if claims else condition
        return update(self, key, changes, kept, *rest)

    def unfenced(self: Any, *where: Any, expect: Any = None, **changes: Any) -> Any:
        kept = {name: value for name, value in (expect or {}).items() if name != "fence"}
        return advance(self, *where, **{"expect": kept, **changes})

    def takes_unfenced(self: Any, *where: Any, expect: Any = None, **changes: Any) -> Any:
        return take_job(self, *where, **changes)

    def untainted(self: Any, *where: Any, **changes: Any) -> Any:
        changes.pop("ambiguous", None)
        return advance(self, *where, **changes)

    match rule:
        case "condition":
            patch.setattr(Repository, "_update", unconditional)
        case "fence":
            patch.setattr(Repository, "advance", unfenced)
            patch.setattr(Repository, "take_job", takes_unfenced)
        case "taint":
            patch.setattr(Repository, "advance", untainted)
        case "sending":
            patch.setattr(deliveries, "_mark", lambda video, services, delivery: video)
        case "settlement":
            patch.setattr(Repository, "_end", _end_apart)


def _end_apart(
    self: Any, tenant: str, video_id: str, allowed: Any, expect: Any, changes: Any
) -> Video:
    before = self.get(tenant, video_id)
    condition, values = dynamodb._condition(allowed, expect)
    ended: Video = self._update(video_key(tenant, video_id), changes, condition, values, expect)
    settled = settlement(before, changes)
    self._transact(closing(self._table, tenant, before.reservation.day, settled), lambda _: False)
    return ended
