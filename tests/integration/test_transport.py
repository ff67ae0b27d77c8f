"""What only sockets can show of the client for providers: deadlines, and bodies that break off."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest

from actionreel import transport
from actionreel.errors import AssetIncompleteError, OutcomeUnknownError, ProviderUnavailableError
from actionreel.providers import http_api
from actionreel.providers.openai_videos import OpenAIVideos
from tests.openai_server import ORDER, given

FILE = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n"

Answer = Callable[[socket.socket], None]


@contextmanager
def server(answer: Answer) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives one kind of answer; yields its address and what it was sent."""
    received: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                received.append(connection.recv(65_536))
                try:
                    answer(connection)
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1", received
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def sends(content: bytes) -> Answer:
    return lambda connection: connection.sendall(content)


def provider(url: str) -> OpenAIVideos:
    return OpenAIVideos(url, given("key"))


def test_a_drip_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]  # stands still until it drips: a busy machine does not come into it
    monkeypatch.setattr(transport, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def drips(connection: socket.socket) -> None:
        """A header, a byte at a time, and after ten seconds the rest: then there is a job."""
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        clock[0] = http_api.CREATE_SECONDS
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)
        connection.sendall(b'\r\nContent-Length: 32\r\n\r\n{"id": "v_1", "status":"queued"}')

    with server(drips) as (url, _), pytest.raises(OutcomeUnknownError):
        provider(url).create(ORDER)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", b"nonsense\r\n\r\n"]
)
def test_create_is_sent_once_whatever_comes_back(answer: bytes) -> None:
    with server(sends(answer)) as (url, received):
        with pytest.raises(OutcomeUnknownError):
            provider(url).create(ORDER)
        assert len(received) == 1


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ProviderUnavailableError):
        provider(f"http://127.0.0.1:{port}/v1").create(ORDER)


def test_redirects_are_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with server(sends(moved)) as (url, received):
        with pytest.raises(ProviderUnavailableError):
            provider(url).poll({"id": "x"})
        assert len(received) == 1


def test_an_endless_answer_is_not_read() -> None:
    body = b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (transport.MAX_ANSWER_BYTES + 100_000)
    with server(sends(body)) as (url, _), pytest.raises(ProviderUnavailableError):
        provider(url).poll({"id": "x"})


@pytest.mark.parametrize(
    "content",
    [
        FILE + b"Content-Length: 100\r\n\r\nhalf",
        FILE + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
)
def test_a_file_that_breaks_off(content: bytes) -> None:
    with (
        server(sends(content)) as (url, _),
        pytest.raises(AssetIncompleteError),
        provider(url).open_video({"id": "x"}) as asset,
    ):
        list(asset.chunks)


def test_nothing_compressed_is_asked_for_and_no_proxy_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with server(sends(FILE + b"Content-Length: 2\r\n\r\nok")) as (url, received):
        with provider(url).open_video({"id": "a/b="}) as asset:
            assert b"".join(asset.chunks) == b"ok"
        [request] = received
    assert b"Accept-Encoding: identity" in request
    assert b"GET /v1/videos/a%2Fb%3D/content" in request


def test_the_client_retries_nothing() -> None:
    client = transport.client()
    assert isinstance(client, httpx.Client)
    assert client.follow_redirects is False
    assert client.trust_env is False
