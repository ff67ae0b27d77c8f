"""What the running stack of other tests puts in a hurry, at its true length; its services back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from actionreel import bootstrap, schedule


@pytest.fixture(autouse=True)
def _true_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionreel.reconciliation.RECONCILE_WAITS", schedule.RECONCILE_WAITS)
    monkeypatch.setattr("actionreel.ledger.RECONCILE_WAITS", schedule.RECONCILE_WAITS)
    monkeypatch.setattr("actionreel.ledger.wait_to_ask_again", schedule.wait_to_ask_again)


@pytest.fixture(autouse=True)
def _services_as_before() -> Iterator[None]:
    """A stack may run in this process: what a test puts in their place must not stay."""
    before = bootstrap._services
    yield
    bootstrap.use(before)
