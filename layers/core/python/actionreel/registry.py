"""The model registry: which video models there are, what each offers, and where it can be had.

The data is `video_models.json`, beside this file, and what the operator adds to it: a model is an
entry there, not code. Its prices are list prices in US dollars per second of video.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from actionreel.errors import InvalidActionError
from actionreel.models import Choice, Document, VideoRequest
from actionreel.orders import Offer

Size = Annotated[str, Field(pattern=r"^[1-9]\d{0,4}x[1-9]\d{0,4}$")]  # width x height, pixels
SHIPPED = Path(__file__).with_name("video_models.json")


class VideoModel(Document):
    """A model that can be asked for. Its shortest length and its first size are its defaults.

    The first of its `offers` whose provider has a key here is asked; after a verified refusal the
    next one, then those of the models `fallbacks`, then those of its `successor`. A model with a
    `retired_on` is had from nobody any more: whoever names it gets its successor.
    """

    id: str
    description: str = ""
    lengths: tuple[int, ...] = ()
    sizes: tuple[Size, ...] = ()
    first_wait_seconds: int = Field(default=5, ge=1)
    deadline_seconds: int = Field(default=1800, ge=1)
    offers: tuple[Offer, ...] = ()
    fallbacks: tuple[str, ...] = ()
    successor: str | None = None
    retires_on: date | None = None
    retired_on: date | None = None
    aliases: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> VideoModel:
        if not self.retired_on and not (self.lengths and self.sizes and self.offers):
            raise ValueError(f"the model {self.id} needs lengths, sizes and offers")
        if len({offer.provider for offer in self.offers}) < len(self.offers):
            raise ValueError(f"the model {self.id} has two offers of one provider")
        return self

    def nearest_length(self, seconds: float) -> int:
        """The offered length nearest to `seconds`; a tie goes to the shorter one."""
        shortest, longest = min(self.lengths), max(self.lengths)
        if math.isnan(seconds):
            return shortest
        within = min(max(seconds, shortest), longest)
        return min(sorted(self.lengths), key=lambda length: abs(length - within))

    def nearest_size(self, size: str) -> str:
        """The offered size whose shape is nearest to that of `size`; itself, if it is offered."""
        if size in self.sizes:
            return size
        return min(self.sizes, key=lambda offered: abs(math.log(_shape(offered) / _shape(size))))


class Registry(Document):
    """All models, and the one that is used when a tag names none.

    `providers` are those that have a key here; None where that cannot be told, so all count.
    """

    default: str
    models: tuple[VideoModel, ...]
    providers: frozenset[str] | None = None

    @model_validator(mode="after")
    def _names_fit(self) -> Registry:
        names = [name for model in self.models for name in (model.id, *model.aliases)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"these model names are used twice: {', '.join(twice)}")
        named = {self.default}.union(
            *({*model.fallbacks, model.successor or self.default} for model in self.models)
        )
        if missing := sorted(named - set(names)):
            raise ValueError(f"these models are named, but not there: {', '.join(missing)}")
        return self

    @classmethod
    def load(cls, default: str = "", added: str = "", path: Path = SHIPPED) -> Registry:
        """Reads the registry file. `added` is a JSON list of entries, each of which replaces the
        one of its id or comes before the others; a non-empty `default` replaces the file's."""
        shipped: dict[str, Any] = json.loads(path.read_bytes())
        try:
            ours = TypeAdapter(list[VideoModel]).validate_json(added or "[]")
        except ValidationError as error:
            raise ValueError(f"the parameter VideoModels cannot be used: {error}") from None
        ids = {model.id for model in ours}
        others = (entry for entry in shipped["models"] if entry["id"] not in ids)
        models = (*ours, *map(VideoModel.model_validate, others))
        return cls(default=default or shipped["default"], models=models)

    def at(self, providers: Collection[str] | None) -> Registry:
        """The same registry where these providers have a key."""
        known = None if providers is None else frozenset(providers)
        return self.model_copy(update={"providers": known})

    @cached_property
    def _by_name(self) -> dict[str, VideoModel]:
        return {name: model for model in self.models for name in (model.id, *model.aliases)}

    @property
    def offered(self) -> tuple[VideoModel, ...]:
        """The models that can be had here, the default one first."""
        had = [model for model in self.models if self.offers(model)]
        return tuple(sorted(had, key=lambda model: model is not self._by_name[self.default]))

    def offers(self, model: VideoModel) -> tuple[Offer, ...]:
        """Where the model can be had here, in the order in which it is tried."""
        if model.retired_on:
            return ()
        return tuple(
            offer
            for offer in model.offers
            if self.providers is None or offer.provider in self.providers
        )

    def find(self, name: str = "") -> VideoModel:
        """The model of that id or alias, even if it is retired or cannot be had here; the default
        model for an empty name.

        Raises InvalidActionError, with the list of models, for a name that is not in the registry.
        """
        model = self._by_name.get(name or self.default)
        if model is None:
            ids = ", ".join(model.id for model in self.offered)
            raise InvalidActionError(f"There is no such model. The models are: {ids}.")
        return model

    def choose(self, name: str = "") -> tuple[VideoModel, str | None]:
        """The model to use for a name, and the notice about it if it is another one.

        A retired model's place takes its successor, if that can be had here, or else the default.
        An empty name means the default, or whatever else can be had here. Raises
        InvalidActionError for an unknown name, and where no provider of the model has a key.
        """
        model = self.find(name)
        if model.retired_on:
            living = self._successor(model)
            gone = name or model.id
            return living, f"{gone} was switched off on {model.retired_on}; used {living.id}"
        if not name and not self.offers(model) and self.offered:
            return self.offered[0], None
        return self._had(model), None

    def choices(self, request: VideoRequest) -> list[Choice]:
        """Where a request can be sent, in order: the offers of its model, of its fallbacks and of
        its successor, each with the length and size nearest to what was asked for.

        Raises InvalidActionError where there is none that takes its start image.
        """
        model = self.find(request.model)
        others = [*model.fallbacks, *([model.successor] if model.successor else [])]
        models = dict.fromkeys([model.id, *(self.find(name).id for name in others)])
        found = [
            _choice(other, offer, request)
            for other in map(self.find, models)
            for offer in self.offers(other)
            if request.input_reference_url is None or offer.takes_image
        ]
        if not found or found[0].model != model.id:
            self._had(model)
            able = [other.id for other in self.offered if _takes_image(self.offers(other))]
            listed = f" These do: {', '.join(able)}." if able else ""
            raise InvalidActionError(f"{model.id} starts from no image here.{listed}")
        return found

    def offer(self, model: str, provider: str) -> Offer | None:
        """The offer of a model, by its id, at a provider; None if it has left the registry."""
        entry = self._by_name.get(model)
        offers = entry.offers if entry else ()
        return next((offer for offer in offers if offer.provider == provider), None)

    def list_price(self, model: str, provider: str, seconds: int) -> Decimal | None:
        """What a video costs at list price, in US dollars; None if that is not known."""
        offer = self.offer(model, provider)
        return offer.list_price(seconds) if offer else None

    def _successor(self, model: VideoModel) -> VideoModel:
        seen = {model.id}
        following = model.successor
        while following is not None and following not in seen:
            seen.add(following)
            candidate = self.find(following)
            if self.offers(candidate):
                return candidate
            following = candidate.successor
        default = self.find()
        if default.retired_on:  # a deployment's DefaultModel outlives its model
            known = (*self.offered, *(other for other in self.models if not other.retired_on))
            return self._had(known[0])
        return self.choose()[0]

    def _had(self, model: VideoModel) -> VideoModel:
        """The model, if it can be had here; otherwise raises what would help."""
        if self.offers(model):
            return model
        had = ", ".join(other.id for other in self.offered)
        raise InvalidActionError(
            f"No provider of {model.id} is set up here. {_how_to_set_up(model)}"
            f"{f' The models here are: {had}.' if had else ''}"
        )


def _how_to_set_up(model: VideoModel) -> str:
    """What an operator does to have the model."""
    providers = [offer.provider for offer in model.offers]
    if providers == ["bedrock"]:
        return "Set the parameter BedrockBucket."
    first, *others = [provider for provider in providers if provider != "bedrock"]
    key = json.dumps({first: {"api_key": "..."}})
    instead = f" (or {', '.join(others)} in its place)" if others else ""
    return f"Put {key}{instead} into the secret that the output ProviderSecret names."


def _choice(model: VideoModel, offer: Offer, request: VideoRequest) -> Choice:
    return Choice(
        provider=offer.provider,
        model=model.id,
        seconds=model.nearest_length(request.seconds),
        size=request.size and model.nearest_size(request.size),
        deadline_seconds=model.deadline_seconds,
    )


def _takes_image(offers: Collection[Offer]) -> bool:
    return any(offer.takes_image for offer in offers)


def _shape(size: str) -> float:
    width, height = (int(side) for side in size.split("x"))
    return width / height
