"""What holds for every call of the OpenAI Videos protocol: the key, the address, the time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from actionreel import transport
from actionreel.errors import (
    ProviderError,
    ProviderRejectedError,
    ProviderUnavailableError,
)
from actionreel.providers.openai_videos import OpenAIVideos
from local.template import Template
from tests.openai_server import (
    FAILED,
    HANDLE,
    KEY,
    ORDER,
    RUNNING,
    VIDEO,
    Server,
    answer,
    error_body,
    given,
    one_after_the_other,
    raised,
)


def read(server: Server) -> bytes:
    with server.open_video(HANDLE) as asset:
        return b"".join(asset.chunks)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 422, 429, 500])
@pytest.mark.parametrize("shape", ["error", "detail"])
def test_the_key_is_in_no_message(status: int, shape: str) -> None:
    said = f"The key {KEY} is not good enough."
    body = error_body(said) if shape == "error" else {"detail": said}
    raised(lambda: Server(answer(status, body)).create(ORDER))
    raised(lambda: Server(answer(status, body)).poll(HANDLE))


@pytest.mark.parametrize("key", ["1", "x", "null", "EMPTY", "message", '"', ","])
def test_a_key_that_stands_for_none_hides_nothing(key: str) -> None:
    """Servers without a key are given one that anything may contain."""
    refused = Server(answer(400, error_body("An example, 101.", None, 101)), key=given(key))
    assert str(raised(lambda: refused.create(ORDER))).endswith("An example, 101.")


@pytest.mark.parametrize("depth", [*range(100, 900, 100), *range(900, 1000, 10), 5000, 100_000])
def test_an_answer_of_any_depth_is_an_answer(depth: int) -> None:
    body = f'{{"error": {"[" * depth}{"]" * depth}, "id": "video_1"}}'.encode()
    assert isinstance(raised(lambda: Server(answer(500, body)).create(ORDER)), ProviderError)
    raised(lambda: Server(answer(200, body)).poll(HANDLE))


def test_the_key_is_not_in_the_reason_of_a_job() -> None:
    body = FAILED | {"error": {"message": f"Upstream refused {KEY}."}}
    assert KEY not in str(Server(answer(200, body)).poll(HANDLE))


@pytest.mark.parametrize("base", ["http://[::1/v1", "ftp://e.x/v1", "e.x/v1", "https://", "%"])
def test_an_address_that_is_none_is_trouble_of_ours(base: str) -> None:
    unreachable = OpenAIVideos(base, given(KEY))
    assert isinstance(raised(lambda: unreachable.create(ORDER)), ProviderUnavailableError)
    assert isinstance(raised(lambda: unreachable.poll(HANDLE)), ProviderError)
    raised(lambda: unreachable.open_video(HANDLE).__enter__())


def test_a_key_that_cannot_be_had_sends_nothing() -> None:
    def none(*, fresh: bool = False) -> str:
        raise ProviderRejectedError("The provider's key could not be read.")

    server = Server(answer(200, VIDEO), key=none)
    for call in (
        lambda: server.create(ORDER),
        lambda: server.poll(HANDLE),
        lambda: read(server),
    ):
        assert isinstance(raised(call), ProviderRejectedError)
    assert server.requests == []


def test_every_exchange_ends_before_its_function_does(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds: list[float] = []
    monkeypatch.setattr(transport, "within", seconds.append)
    server = Server(answer(200, RUNNING))
    limits = {name: f["Timeout"] for name, f in Template({}).functions().items()}

    def spent(*calls: Callable[[], Any]) -> float:
        seconds.clear()
        for call in calls:
            call()
        return sum(seconds)

    assert 0 < spent(lambda: server.create(ORDER)) < limits["CreateVideoFunction"]
    assert 0 < spent(lambda: server.poll(HANDLE)) < limits["PollVideoFunction"]
    assert 0 < spent(lambda: server.cancel(HANDLE)) < limits["CancelVideoFunction"]
    poster = server.open_poster(HANDLE)
    assert 0 < spent(lambda: read(server), poster.__enter__) < limits["StoreVideoFunction"]


def test_a_long_list_ends_before_its_function_does(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds: list[float] = []
    monkeypatch.setattr(transport, "within", seconds.append)
    pages = (
        answer(200, {"data": [{**VIDEO, "id": str(number)}], "has_more": True})
        for number in range(1000)
    )
    server = Server(one_after_the_other(*pages))
    raised(lambda: server.find(ORDER, datetime.fromtimestamp(0, UTC)))
    limit = Template({}).functions()["ReconcileVideoFunction"]["Timeout"]
    assert 0 < sum(seconds) < limit
