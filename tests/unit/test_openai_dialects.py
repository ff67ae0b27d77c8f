"""What the servers of the OpenAI Videos protocol do in ways of their own, beside their kits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from actionreel.errors import (
    AssetIncompleteError,
    AssetUnavailableError,
    ProviderRejectedError,
)
from actionreel.models import VideoRequest
from actionreel.providers.config import ProviderConfig
from actionreel.providers.openai_videos import DIALECTS, adapter
from tests.fakes import cases
from tests.openai_server import (
    HANDLE,
    KEY,
    ORDER,
    RUNNING,
    VIDEO,
    Server,
    answer,
    given,
    raised,
)

URL = "https://images.example/boat.png"
FROM_IMAGE = VideoRequest(prompt="p", model="m", seconds=4, input_reference_url=URL)


def wrong(place: Any, what: Any) -> dict[str, Any]:
    return {"type": "missing", "loc": place, "msg": what}


def test_the_offer_has_the_last_word() -> None:
    """As for a route of LiteLLM that wants the address of the image as a text."""
    template = {"input_reference": "{image}", "seconds": "{seconds}", "seed": 7}
    offer = ORDER.offer.model_copy(update={"input": template})
    server = Server(answer(200, VIDEO), dialect="litellm")
    server.create(replace(ORDER, request=FROM_IMAGE, offer=offer))
    body = json.loads(server.requests[0].content)
    assert (body["input_reference"], body["seconds"], body["seed"]) == (URL, 4, 7)


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - {"openai"}))
def test_a_server_without_stills_is_not_asked_for_one(dialect: str) -> None:
    """It would answer with the film."""
    server = Server(answer(200, b"a film"), dialect=dialect)
    error = raised(lambda: server.open_poster(HANDLE).__enter__())
    assert isinstance(error, AssetUnavailableError)
    assert server.requests == []


def test_a_film_that_is_asked_for_too_early_may_come() -> None:
    early = Server(answer(200, RUNNING), dialect="sglang")
    assert isinstance(raised(lambda: early.open_video(HANDLE).__enter__()), AssetIncompleteError)


@pytest.mark.parametrize(
    ("detail", "told"),
    cases(
        {
            "a text": ("No such size.", "No such size."),
            "a field": ([wrong(["body", "prompt"], "Field required")], "prompt: Field required"),
            "fields": ([wrong(["body", "a"], "x"), wrong(["body", "b"], "y")], "a: x; b: y"),
            "no place": ([wrong([], "Field required")], "Field required"),
            "odd kinds": ([5, wrong(5, {}), wrong([[]], None)], "refused the request."),
            "nothing": (None, "refused the request."),
        }
    ),
)
def test_what_fastapi_says_is_told(detail: Any, told: str) -> None:
    error = raised(lambda: Server(answer(422, {"detail": detail})).create(ORDER))
    assert str(error).endswith(told)


def test_a_deployment_without_an_address_has_no_server() -> None:
    error = raised(lambda: adapter(ProviderConfig(given(KEY))))
    assert isinstance(error, ProviderRejectedError)
    assert "ProviderBaseUrl" in str(error)


def test_a_deployment_says_how_its_server_speaks() -> None:
    options = {"base_url": "https://e.x/v1", "dialect": "vllm-omni", "recovery": "key"}
    assert adapter(ProviderConfig(given(KEY), options)).recovery == "key"
