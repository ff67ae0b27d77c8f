"""OpenRouter: what only it does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from actionreel.errors import AssetUnavailableError, NotListedError
from actionreel.models import Handle
from actionreel.providers.config import ProviderConfig
from actionreel.providers.openrouter import OpenRouter, adapter
from tests.fakes import MP4
from tests.providers.kit import KEY
from tests.providers.openrouter_kit import CONTENT, ID, KIT, job
from tests.providers.server import ProviderServer, Reply, provider_server

HANDLE: Handle = {"id": ID}


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with provider_server() as running:
        yield running


@pytest.fixture
def openrouter(server: ProviderServer) -> OpenRouter:
    return adapter(ProviderConfig(lambda *, fresh=False: KEY, {"base_url": server.url}))


def test_a_callback_is_asked_for_and_told(openrouter: OpenRouter, server: ProviderServer) -> None:
    server.play(KIT.accepted)
    assert openrouter.create(KIT.order()).webhook is False
    assert "callback_url" not in server.sent("POST")[0].json
    url = "https://us.example/webhooks/openrouter/t"
    answer = openrouter.create(KIT.order(callback_url=url))
    assert (answer.webhook, answer.handle) == (True, HANDLE)
    assert server.sent("POST")[1].json["callback_url"] == url


def test_the_cost_is_openrouter_s_own(openrouter: OpenRouter, server: ProviderServer) -> None:
    server.play(KIT.completed["signed link"])
    assert openrouter.poll(HANDLE).cost_usd == Decimal("0.8")


def test_a_failure_that_was_charged_says_so(openrouter: OpenRouter, server: ProviderServer) -> None:
    for cost, charged in ((0, False), (0.4, True)):
        server.play({f"GET /videos/{ID}": job("failed", error="No.", usage={"cost": cost})})
        failure = openrouter.poll(HANDLE).failure
        assert failure is not None
        assert (failure.maybe_charged, failure.retryable) == (charged, not charged)


def test_an_id_with_a_path_in_it_stays_an_id(
    openrouter: OpenRouter, server: ProviderServer
) -> None:
    server.play({"GET .*": job("pending")})
    openrouter.poll({"id": "../keys?all=1"})
    assert server.requests[0].path == "/videos/..%2Fkeys%3Fall%3D1"


def test_every_fetch_takes_a_link_that_is_fresh(
    openrouter: OpenRouter, server: ProviderServer
) -> None:
    first, second = (job("completed", urls=[f"{{base}}/{name}"]) for name in ("old", "new"))
    server.play(
        {
            f"GET /videos/{ID}": [first, second],
            "GET /old": Reply(403),
            "GET /new": Reply(200, MP4),
        }
    )
    with pytest.raises(AssetUnavailableError), openrouter.open_video(HANDLE):
        raise AssertionError("an expired link gave a file")
    with openrouter.open_video(HANDLE) as film:
        assert b"".join(film.chunks) == MP4


@pytest.mark.parametrize("urls", [None, [], [7], ["ftp://files.example/a"], {}])
def test_without_a_signed_link_the_content_is_fetched_with_the_key(
    openrouter: OpenRouter, server: ProviderServer, urls: object
) -> None:
    server.play({f"GET /videos/{ID}": job("completed", urls=urls), CONTENT: Reply(200, MP4)})
    with openrouter.open_video(HANDLE) as film:
        assert b"".join(film.chunks) == MP4
    fetched = server.requests[-1]
    assert fetched.path == f"/videos/{ID}/content?index=0"
    assert fetched.headers["authorization"] == f"Bearer {KEY}"


def test_there_is_no_list_and_no_still(openrouter: OpenRouter) -> None:
    assert openrouter.recovery == "none"
    with pytest.raises(NotListedError):
        openrouter.find(KIT.order(), datetime.now(UTC))
    with pytest.raises(AssetUnavailableError):
        openrouter.open_poster(HANDLE)
