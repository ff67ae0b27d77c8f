"""Callbacks over real sockets: signed, sent once, and never to a private address."""

from __future__ import annotations

import json
import logging
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from standardwebhooks import Webhook

from actionreel import transport
from actionreel.chat import callback
from actionreel.chat.callback import callbacks
from actionreel.errors import (
    ChatError,
    ChatInDoubtError,
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
)
from tests.fakes import cases
from tests.hostile_urls import ANSWERS, PUBLIC, URLS
from tests.network import Network, Site, certificate, sends, site
from tests.providers.server import DROP, ProviderServer, Reply, provider_server

SECRET = "whsec_" + "ab12" * 16
DOCUMENT = {"type": "video.completed", "data": {"type": "CHAT_VIDEO"}}
KEY = "?key=a-secret-of-theirs"


@pytest.fixture(scope="module")
def program() -> Iterator[ProviderServer]:
    with provider_server() as server:
        yield server


def call(server: ProviderServer, url: str | None = None) -> None:
    sender = callbacks(lambda: SECRET, [server.url])
    sender.call(url or f"{server.url}/hook{KEY}", "video-1", DOCUMENT)


def test_a_message_is_signed_as_the_standard_s_own_library_checks_it(
    program: ProviderServer,
) -> None:
    program.play({"POST /hook": Reply(204)})
    call(program)
    call(program)
    first, second = program.requests
    for sent in (first, second):
        assert Webhook(SECRET).verify(sent.body, dict(sent.headers)) == DOCUMENT
        assert sent.headers["content-type"] == "application/json"
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "video-1"


WORST = {
    "400": (Reply(400), ChatUnavailableError),
    "404": (Reply(404), ChatUnavailableError),
    "410": (Reply(410), ChatRefusedError),
    "a redirect": (Reply(302, headers={"Location": "{base}/elsewhere"}), ChatRefusedError),
    "429": (Reply(429, headers={"Retry-After": "7"}), ChatThrottledError),
    "a permanent redirect": (
        Reply(308, headers={"Location": "{base}/elsewhere"}),
        ChatRefusedError,
    ),
    "422": (Reply(422, {"secret": "what they said"}), ChatUnavailableError),
    "408": (Reply(408), ChatInDoubtError),
    "425": (Reply(425), ChatInDoubtError),
    "500": (Reply(500, {"secret": "what they said"}), ChatInDoubtError),
    "a reset": (DROP, ChatInDoubtError),
}


@pytest.mark.parametrize(("reply", "expected"), cases(WORST))
def test_what_is_answered(reply: Reply, expected: type[ChatError], program: ProviderServer) -> None:
    program.play({"POST /hook": reply})
    with pytest.raises(expected) as raised:
        call(program)
    assert len(program.requests) == 1
    assert "secret" not in str(raised.value) and program.url not in str(raised.value)
    if isinstance(raised.value, ChatThrottledError):
        assert raised.value.retry_after == 7


@pytest.mark.parametrize("never", ["9" * 400, "\u0661", "-1", "soon", ""])
def test_no_program_has_us_wait_for_ever(never: str, program: ProviderServer) -> None:
    headers = {"Retry-After": never.encode().decode("latin-1")}
    program.play({"POST /hook": Reply(429, headers=headers)})
    with pytest.raises(ChatThrottledError) as raised:
        call(program)
    assert raised.value.retry_after is None


def test_what_is_said_beside_the_status_is_not_read(program: ProviderServer) -> None:
    program.play({"POST /hook": Reply(200, b"x" * 3_000_000)})
    call(program)


def test_nobody_is_there() -> None:
    with provider_server() as server:
        url = server.url
    with pytest.raises(ChatUnavailableError):
        callbacks(lambda: SECRET, [url]).call(f"{url}/hook", "video-1", DOCUMENT)


HOST = "program.example.com"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Site, Network]]:
    of_server, of_client = certificate(tmp_path, HOST)
    with site(of_server) as server:
        network = Network(monkeypatch)
        network.dns = {HOST: [[PUBLIC]]}
        network.routes = {(PUBLIC, 443): server.address}
        monkeypatch.setattr(transport, "_trust", lambda: of_client)
        yield server, network


def send(url: str) -> None:
    callbacks(lambda: SECRET, []).call(url, "video-1", DOCUMENT)


def test_a_public_address_is_called(
    world: tuple[Site, Network], caplog: pytest.LogCaptureFixture
) -> None:
    server, _ = world
    done = sends(b"", "Content-Length: 0")

    def taken(connection: Any, request: bytes) -> None:
        if request.endswith(b"\r\n\r\n"):
            connection.recv(65_536)  # the body came by itself
        done(connection, request)

    server.answers = {f"/hook{KEY}": taken}
    with caplog.at_level(logging.DEBUG):
        send(f"https://{HOST}/hook{KEY}")
    [request] = server.requests
    assert request.startswith(b"POST /hook")
    assert json.loads(request.partition(b"\r\n\r\n")[2] or json.dumps(DOCUMENT)) == DOCUMENT
    assert "a-secret-of-theirs" not in caplog.text


@pytest.mark.parametrize("url", [*URLS, f"http://{HOST}/hook", "http://127.0.0.1:8000/"])
def test_a_hostile_address_is_not_connected_to(url: str, world: tuple[Site, Network]) -> None:
    _, network = world
    network.dns = {"*": [[PUBLIC]]}
    with pytest.raises(ChatError):
        send(url)
    assert network.connects == []


@pytest.mark.parametrize("answers", ANSWERS)
def test_a_name_that_leads_inside(answers: list[str], world: tuple[Site, Network]) -> None:
    _, network = world
    network.dns = {HOST: [answers]}
    with pytest.raises(ChatError):
        send(f"https://{HOST}/hook")
    assert network.connects == []


def test_only_the_origin_that_was_named_is_trusted(program: ProviderServer) -> None:
    program.play({"POST /hook": Reply(204)})
    sender = callbacks(lambda: SECRET, ["http://127.0.0.1:1"])
    for url in (f"{program.url}/hook", f"http://127.0.0.1:1@{program.url[7:]}/hook"):
        with pytest.raises(ChatRefusedError):
            sender.call(url, "video-1", DOCUMENT)
    assert program.requests == []


def test_a_silent_program_is_given_up(
    world: tuple[Site, Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = world
    clock = [0.0]  # stands still until the program is reached
    monkeypatch.setattr(transport, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def silent(connection: Any, request: bytes) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        connection.sendall(b"H")
        clock[0] = callback.SECONDS
        for letter in b"TTP/1.1 204 Done\r\n":
            connection.sendall(bytes([letter]))
            time.sleep(0.5)
        connection.sendall(b"\r\n")

    server.answers = {"/hook": silent}
    with pytest.raises(ChatInDoubtError):
        send(f"https://{HOST}/hook")
