"""An order writes a provider's inputs as the registry's templates say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from actionreel.models import VideoRequest
from actionreel.orders import Image, Offer, Order
from tests.fakes import cases

URL = "https://images.example/boat.png"
PNG = Image(b"\x89PNG", "image/png", 1280, 720)


def order(template: dict[str, Any], image: Image | None = None, **changes: Any) -> Order:
    fields = {"prompt": "a {boat}", "model": "m", "seconds": 8, "size": "1280x720", **changes}
    offer = Offer(
        provider="p",
        name="text-model",
        image_name="image-model",
        input=template,
        image_input={"image_url": "{image}"},
        takes_image="url",
    )
    return Order(VideoRequest.model_validate(fields), offer, "key", image=image)


@pytest.mark.parametrize(
    ("template", "filled"),
    cases(
        {
            "constants": (
                {"a": 1, "b": True, "c": None, "d": []},
                {"a": 1, "b": True, "c": None, "d": []},
            ),
            "a number": ({"duration": "{seconds}"}, {"duration": 8}),
            "a number as text": ({"duration": "{seconds_text}"}, {"duration": "8"}),
            "within a text": ({"duration": "{seconds}s"}, {"duration": "8s"}),
            "size": ({"size": "{size}"}, {"size": "1280x720"}),
            "sides": ({"w": "{width}", "h": "{height}"}, {"w": 1280, "h": 720}),
            "ratio of pixels": ({"ratio": "{width}:{height}"}, {"ratio": "1280:720"}),
            "shape": ({"ar": "{aspect_ratio}", "r": "{resolution}"}, {"ar": "16:9", "r": "720p"}),
            "deep": ({"a": {"b": ["{seconds}", "{prompt}"]}}, {"a": {"b": [8, "a {boat}"]}}),
            "no image": ({"a": "{image}", "b": ["{image}"], "c": {"d": "{image}"}}, {}),
            "braces of the prompt": ({"p": "{prompt}, {seconds} s"}, {"p": "a {boat}, 8 s"}),
        }
    ),
)
def test_inputs_are_filled_in(template: dict[str, Any], filled: dict[str, Any]) -> None:
    assert order(template).fields() == filled


def test_a_start_image_takes_the_place_of_the_size() -> None:
    template = {"duration": "{seconds}", "size": "{size}", "ratio": "{width}:{height}"}
    asked = order(template, size=None, input_reference_url=URL)
    assert asked.fields() == {"duration": 8, "image_url": URL}
    assert (asked.name, order(template).name) == ("image-model", "text-model")


def test_a_start_image_can_go_as_bytes() -> None:
    asked = order({}, image=PNG, size=None, input_reference_url=URL)
    assert asked.fields() == {"image_url": "data:image/png;base64,iVBORw=="}


@pytest.mark.parametrize("price", ["-0.10", "1e30", "NaN"])
def test_a_price_that_cannot_be_counted_is_refused(price: str) -> None:
    """One below 0 would lower what a tenant has used, and so let it pass its cap."""
    with pytest.raises(ValidationError, match="usd_per_second"):
        Offer.model_validate({"provider": "p", "name": "m", "usd_per_second": price})


def test_a_misspelt_placeholder_is_refused() -> None:
    with pytest.raises(ValidationError, match="unknown placeholders: second"):
        order({"a": [{"b": "{second}"}]})
