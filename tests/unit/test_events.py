"""EventBridge at home: who is told of what, before a Step Functions that a few lines play."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from local import events
from local.events import KIND, Events
from local.template import Template

TEMPLATE = Template({})
[(CLOSE, PATTERN)] = TEMPLATE.rules()
[MACHINE] = PATTERN["detail"]["stateMachineArn"]
SWEEP = "SweepVideosFunction"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PATIENCE = 20


class FakeStates:
    """Executions as Step Functions lists and describes them; `trouble` has those it cannot."""

    def __init__(self) -> None:
        self.executions: dict[str, str] = {}
        self.trouble: set[str] = set()

    def get_paginator(self, operation: str) -> FakeStates:
        assert operation == "list_executions"
        return self

    def paginate(self, *, stateMachineArn: str, statusFilter: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert stateMachineArn == MACHINE
        for name, status in list(self.executions.items()):  # a page for each
            if status == statusFilter:
                yield {"executions": [{"executionArn": f"arn:{name}"}]}
        yield {"executions": []}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        name = executionArn.removeprefix("arn:")
        if name in self.trouble:
            raise ConnectionError(name)
        times = {"startDate": NOON, "stopDate": NOON}
        status = self.executions[name]
        said = {"name": name, "status": status, "stateMachineArn": MACHINE, "input": '{"a": 1}'}
        return {**said, **times}


class Invoked:
    """What the functions were called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.called = threading.Condition()

    def __call__(self, function: str, payload: bytes) -> None:
        with self.called:
            self.calls.append((function, json.loads(payload)))
            self.called.notify_all()

    def until(self, enough: Callable[[], bool]) -> None:
        with self.called:
            assert self.called.wait_for(enough, PATIENCE), self.calls

    def names(self) -> list[str]:
        return [event["detail"]["name"] for function, event in self.calls if function == CLOSE]


@pytest.fixture
def states() -> FakeStates:
    return FakeStates()


@pytest.fixture
def invoked(monkeypatch: pytest.MonkeyPatch) -> Invoked:
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.001)
    return Invoked()


@pytest.fixture
def bridge(states: FakeStates, invoked: Invoked) -> Iterator[Events]:
    running = Events(TEMPLATE, cast(Any, states), invoked)
    running.start()
    yield running
    running.stop()


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_the_end_of_an_execution_is_told_as_step_functions_tells_it(
    states: FakeStates, invoked: Invoked, bridge: Events, status: str
) -> None:
    states.executions["v"] = status
    invoked.until(lambda: bool(invoked.calls))
    [(function, event)] = invoked.calls
    assert function == CLOSE
    assert (event["source"], event["detail-type"]) == ("aws.states", KIND)
    assert event["detail-type"] in PATTERN["detail-type"]
    assert event["resources"] == [event["detail"]["executionArn"]] == ["arn:v"]
    detail = event["detail"]
    assert (detail["name"], detail["status"], detail["input"]) == ("v", status, '{"a": 1}')
    assert detail["startDate"] == detail["stopDate"] == 1795348800000


def test_each_end_is_told_once_and_others_not_at_all(
    states: FakeStates, invoked: Invoked, bridge: Events
) -> None:
    states.executions |= {"lives": "RUNNING", "done": "SUCCEEDED", "a": "FAILED", "b": "ABORTED"}
    invoked.until(lambda: len(invoked.calls) == 2)
    states.executions["c"] = "TIMED_OUT"
    invoked.until(lambda: len(invoked.calls) == 3)
    states.executions["lives"] = "FAILED"
    invoked.until(lambda: len(invoked.calls) == 4)
    assert sorted(invoked.names()) == ["a", "b", "c", "lives"]


def test_trouble_with_one_does_not_keep_the_next_look_from_coming(
    states: FakeStates, invoked: Invoked, bridge: Events
) -> None:
    states.trouble = {"odd"}
    states.executions |= {"odd": "FAILED", "a": "FAILED"}
    invoked.until(lambda: invoked.names() == ["a"])


def test_a_schedule_runs_as_often_as_is_said(states: FakeStates, invoked: Invoked) -> None:
    running = Events(TEMPLATE, cast(Any, states), invoked, every=0.001)
    running.start()
    invoked.until(lambda: len(invoked.calls) >= 3)
    running.stop()
    assert {function for function, _ in invoked.calls} == {SWEEP}
    assert invoked.calls[0][1]["source"] == "aws.events"


def test_a_schedule_of_the_template_does_not_run_at_once(
    states: FakeStates, invoked: Invoked, bridge: Events
) -> None:
    states.executions["a"] = "FAILED"
    invoked.until(lambda: invoked.names() == ["a"])
    assert [function for function, _ in invoked.calls] == [CLOSE]


def test_nothing_is_called_after_the_end(states: FakeStates, invoked: Invoked) -> None:
    running = Events(TEMPLATE, cast(Any, states), invoked)
    running.start()
    running.stop()
    states.executions["a"] = "FAILED"
    assert invoked.calls == []
