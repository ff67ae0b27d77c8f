"""The studio's webhooks: what they say, that they are signed, and that they come again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import NamedTuple

import httpx
import pytest

from actionreel.signatures import standard_webhooks
from local.studio import Studio
from local.studio.job import Job
from local.studio.webhooks import Webhooks
from tests.signed import STANDARD

PATIENCE = 60  # seconds; nothing here takes one of them
SMALL = {"model": "sora-2", "seconds": "1", "size": "128x128"}


class Call(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Listener(ThreadingHTTPServer):
    """Keeps the calls, and answers with `statuses`, then with 204."""

    daemon_threads = True

    def __init__(self) -> None:
        self.calls: Queue[Call] = Queue()
        self.statuses: list[int] = []
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/here"

    def next(self) -> Call:
        return self.calls.get(timeout=PATIENCE)


class _Answer(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("Location", "/elsewhere")
        self.server.calls.put(Call(self.path, headers, body))  # first: then the caller goes on
        self.end_headers()

    do_GET = do_POST  # noqa: N815

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def client(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """A client of a studio that calls the listener, and waits for nothing before it calls again."""
    monkeypatch.setattr("local.studio.webhooks.PAUSES", (0.0,) * 4)
    with Studio(workers=1, pace_seconds=0) as studio:
        studio.call(listener.url, STANDARD.secret)
        headers = {"Authorization": "Bearer studio"}
        with httpx.Client(base_url=studio.url, headers=headers, timeout=PATIENCE) as client:
            yield client


def make(client: httpx.Client, prompt: str) -> str:
    job_id: str = client.post("/videos", json=SMALL | {"prompt": prompt}).json()["id"]
    return job_id


@pytest.mark.parametrize(
    ("prompt", "kind"), [("p", "video.completed"), ("p [fail:server]", "video.failed")]
)
def test_it_says_that_a_job_has_ended_and_signs_that(
    client: httpx.Client, listener: Listener, prompt: str, kind: str
) -> None:
    job_id = make(client, prompt)
    call = listener.next()
    event = json.loads(call.body)
    assert (event["type"], event["data"]) == (kind, {"id": job_id})
    assert event["object"] == "event"
    assert client.get(f"/videos/{job_id}").json()["status"] == kind.removeprefix("video.")
    assert standard_webhooks(STANDARD.secret, call.headers, call.body, datetime.now(UTC))


def test_what_is_not_taken_comes_again_until_it_is(
    client: httpx.Client, listener: Listener
) -> None:
    listener.statuses = [500, 302, 404]
    make(client, "p [fail:server]")
    calls = [listener.next() for _ in range(4)]
    assert {call.path for call in calls} == {"/here"}, "a redirect leads nowhere"
    assert len({call.headers["webhook-id"] for call in calls}) == 1
    assert len({call.body for call in calls}) == 1
    make(client, "another [fail:server]")
    assert listener.next().body != calls[0].body, "and then no more"


def test_it_gives_up(client: httpx.Client, listener: Listener) -> None:
    listener.statuses = [500] * 4
    make(client, "p [fail:server]")
    first = [listener.next().body for _ in range(4)]
    make(client, "another [fail:server]")
    assert listener.next().body not in first


@pytest.mark.parametrize("deleted", [True, False])
def test_a_job_that_was_deleted_is_no_news(listener: Listener, deleted: bool) -> None:
    """It was made before, but had not ended by its clock."""
    webhooks = Webhooks(listener.url, STANDARD.secret, threading.Event())
    webhooks._announce(Job("p", "sora-2", "128x128", "1", 0.0, finished=1.0, deleted=deleted))
    assert listener.calls.empty() is deleted


def test_a_studio_that_closes_calls_nobody(listener: Listener) -> None:
    closing = threading.Event()
    closing.set()
    Webhooks(listener.url, STANDARD.secret, closing)._announce(
        Job("p", "sora-2", "128x128", "1", 1000.0, finished=1.0)
    )
    assert listener.calls.empty()
