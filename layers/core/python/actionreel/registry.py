"""The model registry: which video models there are, and what each of them offers.

The data is `video_models.json`, beside this file: adding a model is adding an entry there. The
prices are list prices in US dollars per second of video.
"""

from __future__ import annotations

import math
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from pydantic import Field, model_validator

from actionreel.errors import InvalidActionError
from actionreel.models import Document

SHIPPED = Path(__file__).with_name("video_models.json")


class VideoModel(Document):
    """A model that can be asked for. Its shortest length and its first size are its defaults."""

    id: str
    provider: str
    description: str
    lengths: tuple[int, ...] = Field(min_length=1)
    sizes: tuple[str, ...] = Field(min_length=1)
    first_wait_seconds: int = Field(default=5, ge=1)
    deadline_seconds: int = Field(default=1800, ge=1)
    usd_per_second: Decimal | None = None
    aliases: tuple[str, ...] = ()

    def nearest_length(self, seconds: float) -> int:
        """The offered length nearest to `seconds`; a tie goes to the shorter one."""
        shortest, longest = min(self.lengths), max(self.lengths)
        if math.isnan(seconds):
            return shortest
        within = min(max(seconds, shortest), longest)
        return min(sorted(self.lengths), key=lambda length: abs(length - within))

    def list_price(self, seconds: int) -> Decimal | None:
        """What `seconds` of video cost at list price, in US dollars; None if that is not known."""
        return None if self.usd_per_second is None else self.usd_per_second * seconds


class Registry(Document):
    """All models, and the one that is used when a tag names none."""

    default: str
    models: tuple[VideoModel, ...]

    @model_validator(mode="after")
    def _names_are_unique(self) -> Registry:
        names = [name for model in self.models for name in (model.id, *model.aliases)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"these model names are used twice: {', '.join(twice)}")
        if self.default not in names:
            raise ValueError(f"the default model {self.default} is not in the registry")
        return self

    @cached_property
    def _by_name(self) -> dict[str, VideoModel]:
        return {name: model for model in self.models for name in (model.id, *model.aliases)}

    def find(self, name: str = "") -> VideoModel:
        """The model of that id or alias; the default model for an empty name.

        Raises InvalidActionError, with the list of models, for a name that is not in the registry.
        """
        model = self._by_name.get(name or self.default)
        if model is None:
            offered = ", ".join(model.id for model in self.models)
            raise InvalidActionError(f"There is no such model. The models are: {offered}.")
        return model

    @classmethod
    def load(cls, default: str = "", path: Path = SHIPPED) -> Registry:
        """Reads the registry file; a non-empty `default` replaces the file's default model."""
        registry = cls.model_validate_json(path.read_bytes())
        return cls(default=default, models=registry.models) if default else registry
