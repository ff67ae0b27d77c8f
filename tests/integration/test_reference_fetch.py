"""Start images over real sockets: a model wrote the URL, so nobody at its end is trusted."""

from __future__ import annotations

import gzip
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from actionreel import transport
from actionreel.errors import InvalidActionError
from actionreel.providers import reference_fetch
from actionreel.providers.reference_fetch import fetch
from actionreel.reference_images import MAX_BYTES
from tests.fakes import cases
from tests.hostile_urls import ANSWERS, PUBLIC, URLS
from tests.network import (
    Answer,
    Network,
    Site,
    certificate,
    headers_of,
    redirects,
    sends,
    site,
)

HOST, OTHER_HOST = "images.example.com", "cdn.example.com"
SIGNATURE = "X-Amz-Signature=secret"
URL = f"https://{HOST}/boat.png?{SIGNATURE}"
PATH = f"/boat.png?{SIGNATURE}"
IMAGE = b"\x89PNG\r\n\x1a\n and so on"


@dataclass
class World:
    """A server with two names, and the network between us and it."""

    server: Site
    network: Network


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"), HOST, OTHER_HOST, PUBLIC)


@pytest.fixture
def world(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    of_server, of_client = tls
    with site(of_server) as server:
        network = Network(monkeypatch)
        network.dns = {HOST: [[PUBLIC]], OTHER_HOST: [[PUBLIC]]}
        network.routes = {(PUBLIC, 443): server.address}
        monkeypatch.setattr(transport, "_trust", lambda: of_client)
        yield World(server, network)


def refusal(url: str = URL) -> str:
    with pytest.raises(InvalidActionError) as refused:
        fetch(url)
    message = str(refused.value)
    assert "input_reference_url" in message
    assert "secret" not in message
    assert "example.com" not in message
    return message


def test_the_server_is_told_nothing(world: World) -> None:
    world.server.answers[PATH] = sends(IMAGE, f"Content-Length: {len(IMAGE)}")
    assert fetch(URL) == IMAGE
    [request] = world.server.requests
    assert headers_of(request) == {
        "host": HOST,
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "keep-alive",
        "user-agent": "actionreel",
    }


def test_redirects_are_followed(world: World) -> None:
    world.server.answers = {
        PATH: redirects(f"https://{OTHER_HOST}/a"),
        "/a": redirects("b", "307 Temporary"),
        "/b": sends(IMAGE),
    }
    assert fetch(URL) == IMAGE
    assert world.network.lookups == [HOST, OTHER_HOST, OTHER_HOST]
    assert SIGNATURE not in str(world.server.requests[1:])
    world.server.answers["/b"] = redirects("/c")
    world.server.answers["/c"] = redirects("/d")
    assert "redirects more than 3 times" in refusal()
    assert len(world.server.requests) == 3 + 4


def test_links_are_not_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    test_the_server_is_told_nothing(world)
    assert SIGNATURE not in caplog.text


@pytest.mark.parametrize("url", URLS)
def test_a_hostile_url(url: str, world: World) -> None:
    with pytest.raises(InvalidActionError):
        fetch(url)
    assert world.network.connects == []


@pytest.mark.parametrize(
    "target", ["http://images.example.com/", "//127.0.0.1/", "https://169.254.169.254/latest/"]
)
def test_a_redirect_to_a_hostile_url(target: str, world: World) -> None:
    world.server.answers[PATH] = redirects(target)
    refusal()
    assert len(world.network.connects) == 1


@pytest.mark.parametrize("answers", cases(ANSWERS))
def test_a_name_that_leads_inside(answers: list[str], world: World) -> None:
    world.network.dns[HOST] = [answers]
    assert "does not lead to a public address" in refusal()
    assert world.network.connects == []


def test_a_name_that_changes_its_mind(world: World) -> None:
    """It was public when the tag was read, and is looked up once more, to connect to."""
    world.network.dns[HOST] = [[PUBLIC], ["127.0.0.1"]]
    world.server.answers[PATH] = sends(IMAGE)
    assert fetch(URL) == IMAGE
    assert world.network.connects == [(PUBLIC, 443)]
    assert "does not lead to a public address" in refusal()


def test_a_server_that_cannot_be_reached(world: World) -> None:
    assert "cannot be fetched" in refusal("https://gone.example.com/secret")
    world.network.routes = {}
    assert "cannot be fetched" in refusal()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("404 Not Found", "There is no image"),
        ("410 Gone", "There is no image"),
        ("403 Forbidden", "not given out (HTTP 403)"),
        ("500 Error", "not given out (HTTP 500)"),
        ("206 Partial Content", "not given out (HTTP 206)"),
        ("304 Not Modified", "not given out (HTTP 304)"),
    ],
)
def test_what_is_not_the_file(status: str, sentence: str, world: World) -> None:
    world.server.answers[PATH] = sends(b"", "Content-Length: 0", status=status)
    assert sentence in refusal()


@pytest.mark.parametrize(
    "answer",
    cases(
        {
            "content-length": sends(IMAGE, f"Content-Length: {len(IMAGE) + 1}"),
            "chunked": sends(b"%x\r\n%s\r\n" % (len(IMAGE), IMAGE), "Transfer-Encoding: chunked"),
            "no HTTP": lambda connection, _: connection.sendall(b"SSH-2.0\r\n\r\n"),
            "nothing": lambda connection, _: None,
        }
    ),
)
def test_half_an_answer(answer: Answer, world: World) -> None:
    world.server.answers[PATH] = answer
    assert "cannot be fetched" in refusal()


def test_a_compressed_file(world: World) -> None:
    body = gzip.compress(bytes(10_000_000))
    world.server.answers[PATH] = sends(body, "Content-Encoding: gzip")
    assert "compressed" in refusal()


def test_a_file_that_says_it_is_too_large(world: World) -> None:
    """Not a byte of it comes, so only what it says can be the reason."""
    world.server.answers[PATH] = sends(b"", f"Content-Length: {MAX_BYTES + 1}")
    assert "larger than 20 MB" in refusal()


def test_a_file_that_is_too_large(world: World) -> None:
    world.server.answers[PATH] = sends(bytes(MAX_BYTES))
    assert len(fetch(URL)) == MAX_BYTES

    def endless(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:  # until the other side hangs up
            connection.sendall(bytes(65_536))

    world.server.answers[PATH] = endless
    assert "larger than 20 MB" in refusal()


def test_a_drip_ends_at_the_deadline(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]  # stands still until it drips: a busy machine does not come into it
    monkeypatch.setattr(transport, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def drips(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n")
        clock[0] = reference_fetch.FETCH_SECONDS
        for _byte in range(200):  # it would be whole after ten seconds
            connection.sendall(b"x")
            time.sleep(0.05)

    world.server.answers[PATH] = drips
    assert "in time" in refusal()
