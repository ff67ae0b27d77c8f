"""What a provider is asked for: a model as it offers it, and the order for one video. Pure.

A provider's own names for a model and its inputs are data of the registry: templates, which an
order fills in with its values.
"""

from __future__ import annotations

import base64
import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, JsonValue, field_validator

from actionreel.models import Document, VideoRequest

PLACEHOLDERS = (
    "prompt",
    "seconds",
    "seconds_text",
    "size",
    "width",
    "height",
    "aspect_ratio",
    "resolution",
    "image",
)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ABSENT = object()


class Offer(Document):
    """A model at one provider.

    `name` is what the provider calls it, `image_name` what it calls it where a start image goes
    elsewhere. `input` is how its inputs are written: in its strings `{prompt}`, `{size}` and the
    other PLACEHOLDERS are filled in; one that is nothing but a placeholder becomes its value (a
    number for `{seconds}`), one whose placeholder has no value is left out. `image_input` is added
    for a start image, which goes as `takes_image` says and, with `exact_image`, has to have the
    size of the video. `remixes` says that a finished video can be made anew with another prompt.
    `usd_per_second` is the list price.
    """

    provider: str
    name: str
    image_name: str | None = None
    input: dict[str, JsonValue] = Field(default_factory=dict)
    image_input: dict[str, JsonValue] = Field(default_factory=dict)
    takes_image: Literal["url", "bytes"] | None = None
    exact_image: bool = False
    remixes: bool = False
    usd_per_second: Decimal | None = Field(default=None, ge=0, le=10**6)

    @field_validator("input", "image_input")
    @classmethod
    def _placeholders_are_known(cls, template: dict[str, JsonValue]) -> dict[str, JsonValue]:
        unknown = set(_placeholders(template)) - set(PLACEHOLDERS)
        if unknown:
            raise ValueError(f"unknown placeholders: {', '.join(sorted(unknown))}")
        return template

    def list_price(self, seconds: int) -> Decimal | None:
        """What `seconds` of video cost at list price, in US dollars; None if that is not known."""
        return None if self.usd_per_second is None else self.usd_per_second * seconds


@dataclass(frozen=True)
class Image:
    """A start image as bytes, with its size in pixels."""

    content: bytes
    media_type: str
    width: int
    height: int

    @property
    def data_uri(self) -> str:
        """The image as a text that stands for its address."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.content).decode()}"


@dataclass(frozen=True)
class Order:
    """What a provider is asked for.

    `key` is the same whenever it is asked for the same video. `callback_url` is where the provider
    may say that there is news. `image` stands in place of the request's `input_reference_url`
    where the provider takes bytes.
    """

    request: VideoRequest
    offer: Offer
    key: str
    callback_url: str | None = None
    image: Image | None = None

    @property
    def has_image(self) -> bool:
        """Whether the video starts from an image."""
        return self.request.input_reference_url is not None

    @property
    def name(self) -> str:
        """What the provider calls the model, for this order."""
        return (
            self.offer.image_name if self.has_image and self.offer.image_name else self.offer.name
        )

    def fields(self) -> dict[str, JsonValue]:
        """The inputs, as this provider writes them."""
        template = self.offer.input | (self.offer.image_input if self.has_image else {})
        values = self._values()
        filled = {name: _filled(part, values) for name, part in template.items()}
        return {name: part for name, part in filled.items() if part is not _ABSENT}

    def _values(self) -> dict[str, JsonValue]:
        request = self.request
        values: dict[str, JsonValue] = {
            "prompt": request.prompt,
            "seconds": request.seconds,
            "seconds_text": str(request.seconds),
        }
        if request.size is not None:
            width, height = (int(side) for side in request.size.split("x"))
            common = math.gcd(width, height)
            values |= {
                "size": request.size,
                "width": width,
                "height": height,
                "aspect_ratio": f"{width // common}:{height // common}",
                "resolution": f"{min(width, height)}p",
            }
        image = self.image.data_uri if self.image else request.input_reference_url
        return values | ({} if image is None else {"image": image})


def _placeholders(template: JsonValue) -> list[str]:
    return _PLACEHOLDER.findall(json.dumps(template))


def _filled(template: JsonValue, values: dict[str, JsonValue]) -> Any:
    """The template with its values; _ABSENT where one of them is missing."""
    if isinstance(template, dict):
        filled = {name: _filled(part, values) for name, part in template.items()}
        kept = {name: part for name, part in filled.items() if part is not _ABSENT}
        return kept if kept or not template else _ABSENT
    if isinstance(template, list):
        parts = [_filled(part, values) for part in template]
        present = [part for part in parts if part is not _ABSENT]
        return present if present or not template else _ABSENT
    if not isinstance(template, str):
        return template
    names = _PLACEHOLDER.findall(template)
    if any(name not in values for name in names):
        return _ABSENT
    if len(names) == 1 and template == f"{{{names[0]}}}":
        return values[names[0]]
    return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), template)
