"""What the running stack of other tests puts in a hurry, at its true length."""

from __future__ import annotations

import pytest

from actionreel import schedule


@pytest.fixture(autouse=True)
def _true_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionreel.reconciliation.RECONCILE_WAITS", schedule.RECONCILE_WAITS)
    monkeypatch.setattr("actionreel.ledger.RECONCILE_WAITS", schedule.RECONCILE_WAITS)
    monkeypatch.setattr("actionreel.ledger.wait_to_ask_again", schedule.wait_to_ask_again)
