"""The function on Step Functions' events: what it is told, and what it makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from functions.close_video import app


@pytest.mark.parametrize("given", [None, "", "{", "[]", '"x"', "{}", '{"tenant": "default"}'])
def test_an_execution_that_is_no_video_s_is_left_alone(
    given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise AssertionError("there is no record to see to")

    monkeypatch.setattr("actionreel.upkeep.execution_ended", fails)
    app.lambda_handler({"detail": {"input": given, "name": "x", "status": "FAILED"}}, None)
