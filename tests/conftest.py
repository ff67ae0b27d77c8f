"""What all tests share: a running stack, no network beyond this machine, and skips that count."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import httpx
import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG

from actionreel import bootstrap, upkeep
from actionreel.registry import Registry
from local.stack import STUDIO_KEY, Stack
from local.template import Template

LOOPBACK = ("127.0.0.1", "localhost", "::1")
GIVE_UP_SECONDS = 180
tend = upkeep._tend


@pytest.fixture(scope="session", autouse=True)
def _only_loopback() -> Iterator[None]:
    """A test that reaches for the network beyond this machine fails."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise AssertionError(f"a test reached for {address[0]}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """A request of a test that says nothing of time: httpx would wait for 5 s, which a busy
    machine can take."""
    with pytest.MonkeyPatch.context() as patch:
        for phase in ("connect", "read", "write", "pool"):
            patch.setattr(DEFAULT_TIMEOUT_CONFIG, phase, GIVE_UP_SECONDS)
        yield


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The stack that `make dev` starts, in more of a hurry: what is lost is looked for every few
    seconds, and one more model, `hasty`, gives up after 5 s. In less of one: the platforms' people
    wait for an answer, however busy this machine is."""
    with pytest.MonkeyPatch.context() as patch, Stack(sweep_seconds=3, webhooks=False) as running:
        patch.setattr(  # tests write records by hand, for tenants of their own: they are left alone
            "actionreel.upkeep._tend",
            lambda video, services: video.tenant != "default" or tend(video, services),
        )
        patch.setattr("actionreel.reconciliation.RECONCILE_WAITS", (1, 1, 1))
        patch.setattr("actionreel.ledger.RECONCILE_WAITS", (1,) * 5)
        patch.setattr("actionreel.ledger.wait_to_ask_again", lambda *_: 1)
        patch.setattr(  # the interpreter's waits between repetitions
            "moto.stepfunctions.parser.asl.component.common.retry.retrier_decl.time",
            SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, 1))),
        )
        services = vars(bootstrap.services())
        shipped = services["_registry"] = bootstrap.services().registry
        hasty = shipped.find("studio").model_copy(
            update={"id": "hasty", "lengths": (4,), "first_wait_seconds": 1, "deadline_seconds": 5}
        )
        services["_registry"] = Registry(default="studio", models=(*shipped.models, hasty))
        for platform in running.platforms.values():
            platform.answer_seconds = GIVE_UP_SECONDS
        patch.setattr("local.chat.telegram_methods.FETCH_SECONDS", GIVE_UP_SECONDS)
        yield running


@pytest.fixture(scope="session")
def api(stack: Stack) -> Iterator[httpx.Client]:
    """An HTTP client of the stack's API."""
    with httpx.Client(base_url=stack.url, timeout=GIVE_UP_SECONDS) as client:
        yield client


def act(api: httpx.Client, text: str, **fields: Any) -> list[dict[str, Any]]:
    """Posts a message and returns its results."""
    answer = api.post("/actions", json={"text": text, **fields})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json().get("results", [])
    return results


def ended(api: httpx.Client, result: dict[str, Any]) -> dict[str, Any]:
    """Asks on as a model would, until the result is final."""
    until = time.monotonic() + GIVE_UP_SECONDS
    while result.get("type") == "VIDEO_PENDING":
        assert time.monotonic() < until, f"a spinner that never ends: {result}"
        time.sleep(min(result["data"]["retryAfterSeconds"], 2))
        video_id = result["data"]["videoId"]
        [result] = act(
            api, f'<continueVideoPolling>{{"videoId": "{video_id}"}}</continueVideoPolling>'
        )
    return result


def studio_jobs(stack: Stack) -> list[dict[str, Any]]:
    """Every job that the provider has, whatever our records say."""
    jobs: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": 100}
    while True:
        page = httpx.get(
            f"{stack.provider_url}/videos",
            params=params,
            headers={"Authorization": f"Bearer {STUDIO_KEY}"},
        ).json()
        jobs += page["data"]
        if not page["has_more"]:
            return jobs
        params["after"] = page["last_id"]


def state_machine() -> str:
    """The machine of videos."""
    return str(Template({}).resolve({"GetAtt": "VideoStateMachine.Arn"}))


def executions() -> list[dict[str, Any]]:
    """Every execution of a video."""
    states: Any = boto3.client("stepfunctions")
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=state_machine())
    return [execution for page in pages for execution in page["executions"]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that need the running stack come last, and within that the long ones first: those
    that say `minutes`, so that nobody waits for them alone at the end, then by the count of tests.

    A stack works on in the background of its process, with that process's environment: a test
    that puts something in its place, and counts who asks for it, would count the stack, too. The
    simulation is the first of all: it takes minutes of every processor, and stacks have timeouts.
    """
    files = Counter(item.path for item in items)
    needy = {item.path for item in items if "stack" in getattr(item, "fixturenames", ())}
    long = {item.path for item in items if item.get_closest_marker("minutes")}

    def place(item: pytest.Item) -> tuple[object, ...]:
        return item.path in needy, item.path not in long, -files[item.path], item.path

    items.sort(key=place)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With NO_SKIPS set, a skipped test is a failed run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NO_SKIPS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
