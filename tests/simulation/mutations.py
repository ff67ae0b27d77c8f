"""The simulation can fail: rules of the ledger, taken out one at a time.

condition   a claim is written whatever the record says
fence       who writes later does not name the fence that he knows
taint       that a request went unanswered is not remembered
sending     that a video is being sent to a chat is not noted
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from actionreel import deliveries
from actionreel.aws.dynamodb import DynamoDBVideoRepository as Repository

RULES = ("condition", "fence", "taint", "sending")


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
