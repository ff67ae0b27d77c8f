"""Runway: what only it does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from actionreel.errors import (
    AssetUnavailableError,
    NotListedError,
    ProviderRejectedError,
    ProviderUnavailableError,
)
from actionreel.models import Handle
from actionreel.providers.config import ProviderConfig
from actionreel.providers.runway import Runway, adapter
from tests.fakes import cases
from tests.providers.kit import KEY, WITH_IMAGE
from tests.providers.runway_kit import CREATED, DELETE, DONE, ID, KIT, TASK, failed, task
from tests.providers.server import ProviderServer, Reply, provider_server

HANDLE: Handle = {"id": ID}


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with provider_server() as running:
        yield running


@pytest.fixture
def runway(server: ProviderServer) -> Runway:
    return adapter(ProviderConfig(lambda *, fresh=False: KEY, {"base_url": server.url}))


def test_a_start_image_goes_to_another_endpoint(runway: Runway, server: ProviderServer) -> None:
    server.play({"POST /v1/image_to_video": CREATED})
    assert runway.create(KIT.order(request=WITH_IMAGE)).handle == HANDLE


def test_the_version_goes_with_every_request(runway: Runway, server: ProviderServer) -> None:
    server.play(KIT.accepted, task("RUNNING"), {DELETE: Reply(204)})
    runway.create(KIT.order())
    runway.cancel(HANDLE)
    assert [sent.method for sent in server.requests] == ["POST", "GET", "DELETE"]
    assert {sent.headers["x-runway-version"] for sent in server.requests} == {"2024-11-06"}


@pytest.mark.parametrize(
    ("told", "percent"), [(0, 0), (0.47, 47), (1, 100), (1.2, 100), (None, None), ("0.5", None)]
)
def test_progress_is_told_as_a_part(
    runway: Runway, server: ProviderServer, told: Any, percent: int | None
) -> None:
    server.play(task("RUNNING", progress=told))
    assert runway.poll(HANDLE).progress == percent


@pytest.mark.parametrize(
    ("cost", "dollars"),
    cases(
        {
            "credits": ({"credits": 96}, Decimal("0.96")),
            "text": ({"credits": "5"}, Decimal("0.05")),
            "none": (None, None),
            "odd": ({"credits": [1]}, None),
        }
    ),
)
def test_a_credit_is_a_cent(
    runway: Runway, server: ProviderServer, cost: Any, dollars: Decimal | None
) -> None:
    server.play(task("SUCCEEDED", output=[], cost=cost))
    assert runway.poll(HANDLE).cost_usd == dollars


@pytest.mark.parametrize(
    ("code", "credits", "retryable", "charged"),
    [
        ("INTERNAL.BAD_OUTPUT.CODE01", 0, True, False),
        ("INTERNAL.BAD_OUTPUT.CODE01", 96, False, True),
        ("ASSET.INVALID", 0, False, False),
        ("SAFETY.OUTPUT.VIDEO", 96, False, True),
    ],
)
def test_what_a_failure_leaves_to_do(
    runway: Runway,
    server: ProviderServer,
    code: str,
    credits: int,
    retryable: bool,
    charged: bool,
) -> None:
    server.play(failed(code, credits=credits))
    failure = runway.poll(HANDLE).failure
    assert failure is not None
    assert (failure.retryable, failure.maybe_charged) == (retryable, charged)


def test_a_refusal_names_the_field(runway: Runway, server: ProviderServer) -> None:
    reply, _ = KIT.refused["body"]
    server.play({KIT.create: reply})
    with pytest.raises(ProviderRejectedError, match=r"failed; promptText: At most 1000\.; Odd\.$"):
        runway.create(KIT.order())


def test_a_finished_task_is_not_deleted(runway: Runway, server: ProviderServer) -> None:
    server.play(DONE, {DELETE: Reply(204)})
    assert runway.cancel(HANDLE) == "too_late"
    assert server.sent("DELETE") == []


def test_a_task_that_could_not_be_stopped_is_not_called_cancelled(
    runway: Runway, server: ProviderServer
) -> None:
    server.play(task("RUNNING"), {DELETE: Reply(503)})
    with pytest.raises(ProviderUnavailableError):
        runway.cancel(HANDLE)


def test_a_task_that_was_deleted_has_no_file(runway: Runway, server: ProviderServer) -> None:
    server.play({TASK: Reply(404)})
    with pytest.raises(AssetUnavailableError), runway.open_video(HANDLE):
        raise AssertionError("a deleted task gave a file")


def test_there_is_no_list_and_no_still(runway: Runway) -> None:
    assert runway.recovery == "none"
    with pytest.raises(NotListedError):
        runway.find(KIT.order(), datetime.now(UTC))
    with pytest.raises(AssetUnavailableError):
        runway.open_poster(HANDLE)
