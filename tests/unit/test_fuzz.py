"""A share of what `make fuzz` sends, so that a 5xx is found before anybody runs that."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fuzz.openai_requests import openai_events
from tests.fuzz.run import fuzz


def test_no_request_is_our_fault() -> None:
    api = fuzz(requests=900)
    answers = api.answers
    assert answers.total() >= 900
    # Of 100,000 requests 638 come to a 409: of so few as these perhaps none.
    assert {200, 404, 415, 422} <= answers.keys(), "the requests reach all routes"
    assert api.messages > 20
    assert min(api.asked[True], api.asked[False]) > 5, "good keys and odd ones"


def test_no_request_at_openai_s_door_is_our_fault() -> None:
    answers = fuzz(requests=300, sent=openai_events()).answers
    assert {200, 400, 404, 415} <= answers.keys(), "the requests reach all routes"


def test_a_5xx_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("a table that is gone")

    monkeypatch.setattr("actionreel.results.view", fails)
    with pytest.raises(AssertionError):
        fuzz(requests=600)


def test_trouble_of_ours_behind_the_protocol_would_be_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("an error that has no HTTP status")

    monkeypatch.setattr("actionreel.routes.mcp._check_text", fails)
    with pytest.raises(AssertionError):
        fuzz(requests=600)
