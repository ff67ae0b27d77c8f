"""The files of a finished job by the OpenAI Videos protocol."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from actionreel.errors import (
    AssetError,
    AssetIncompleteError,
    AssetUnavailableError,
    AssetUnusableError,
)
from tests.openai_server import (
    HANDLE,
    KEY,
    TROUBLES,
    Server,
    answer,
    error_body,
    raised,
    trouble,
)


def read(server: Server) -> bytes:
    with server.open_video(HANDLE) as asset:
        return b"".join(asset.chunks)


def test_the_file_is_streamed() -> None:
    server = Server(answer(200, b"a film", content_type="video/mp4"))
    with server.open_video({"id": "a/b="}) as asset:
        assert b"".join(asset.chunks) == b"a film"
    assert server.requests[0].url.raw_path == b"/v1/videos/a%2Fb%3D/content"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_the_poster_is_the_thumbnail() -> None:
    server = Server(answer(200, b"a still"))
    with server.open_poster(HANDLE) as asset:
        assert b"".join(asset.chunks) == b"a still"
    assert server.requests[0].url.raw_path.endswith(b"/content?variant=thumbnail")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(status, AssetUnavailableError) for status in (302, 400, 401, 403, 404, 410)]
    + [(status, AssetIncompleteError) for status in (429, 500, 502, 503)],
)
def test_a_file_that_is_not_given_out(status: int, kind: type[AssetError]) -> None:
    server = Server(answer(status, error_body(f"no: {KEY}")))
    assert isinstance(raised(lambda: read(server)), kind)
    assert isinstance(raised(lambda: server.open_poster(HANDLE).__enter__()), kind)


def test_a_compressed_file_is_refused() -> None:
    server = Server(answer(200, b"\x1f\x8b", content_encoding="gzip"))
    assert isinstance(raised(lambda: read(server)), AssetUnusableError)


@pytest.mark.parametrize("error", TROUBLES)
def test_a_file_that_breaks_off_is_incomplete(error: type[httpx.HTTPError]) -> None:
    def cut() -> Iterator[bytes]:
        yield b"half"
        raise error("cut")

    assert isinstance(raised(lambda: read(Server(trouble(error)))), AssetIncompleteError)
    broken = Server(lambda _: httpx.Response(200, content=cut()))
    assert isinstance(raised(lambda: read(broken)), AssetIncompleteError)
