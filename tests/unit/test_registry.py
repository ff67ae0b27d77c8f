"""The models: found by name, honest about what they offer, and gone without taking anyone along."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from actionreel.errors import InvalidActionError
from actionreel.models import VideoRequest
from actionreel.orders import Offer
from actionreel.registry import Registry, VideoModel
from local.template import ROOT

SHIPPED = Registry.load()
LIVING = [model for model in SHIPPED.models if not model.retired_on]


def offer(provider: str = "p", **changes: Any) -> Offer:
    return Offer.model_validate({"provider": provider, "name": "n", **changes})


def model(name: str, *offers: Offer, **changes: Any) -> VideoModel:
    fields = {"id": name, "lengths": (5,), "sizes": ("16x9",), "offers": offers or (offer(),)}
    return VideoModel.model_validate(fields | changes)


def retired(name: str, successor: str | None = None) -> VideoModel:
    return VideoModel.model_validate(
        {
            "id": name,
            "retired_on": "2026-09-24",
            "successor": successor,
            "aliases": [f"{name}-alias"],
        }
    )


def request(name: str, **changes: Any) -> VideoRequest:
    fields = {"prompt": "p", "model": name, "seconds": 5, "size": "16x9"}
    return VideoRequest.model_validate(fields | changes)


def sent_to(registry: Registry, name: str, **changes: Any) -> list[tuple[str, str]]:
    return [(one.model, one.provider) for one in registry.choices(request(name, **changes))]


# Names


def test_a_model_is_found_by_its_names() -> None:
    registry = Registry(default="b", models=(model("a", aliases=("x",)), model("b")))
    found = {name: registry.find(name).id for name in ("a", "x", "b", "")}
    assert found == {"a": "a", "x": "a", "b": "b", "": "b"}
    assert registry.find().id == "b"


def test_the_default_can_be_an_alias() -> None:
    assert Registry(default="x", models=(model("a", aliases=("x",)),)).find().id == "a"


def test_an_unknown_name_gets_the_list_of_what_can_be_had_here() -> None:
    models = (model("a"), model("b", offer("q")), retired("c", "a"))
    with pytest.raises(InvalidActionError, match=r"The models are: a, b\.$"):
        Registry(default="a", models=models).choose("sora-3")
    with pytest.raises(InvalidActionError, match=r"The models are: b\.$"):
        Registry(default="a", models=models).at({"q"}).choose("sora-3")


@pytest.mark.parametrize(
    ("default", "models", "reason"),
    [
        ("a", (model("a"), model("a")), "used twice: a"),
        ("a", (model("a"), model("b", aliases=("a",))), "used twice: a"),
        ("a", (model("a", aliases=("x", "x")),), "used twice: x"),
        ("c", (model("a"),), "not there: c"),
        ("a", (model("a", fallbacks=("c", "d")),), "not there: c, d"),
        ("a", (model("a"), retired("b", "c")), "not there: c"),
    ],
)
def test_names_are_unique_and_exist(
    default: str, models: tuple[VideoModel, ...], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        Registry(default=default, models=models)


@pytest.mark.parametrize(
    "changes",
    [
        {"lengths": ()},
        {"sizes": ()},
        {"sizes": ("480p",)},
        {"sizes": ("0x10",)},
        {"offers": ()},
        {"deadline_seconds": 0},
        {"colour": "red"},
    ],
)
def test_a_model_must_offer_something(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model("a", **changes)


def test_a_provider_offers_a_model_once() -> None:
    with pytest.raises(ValidationError, match="a has two offers of one provider"):
        model("a", offer("p"), offer("p", name="other"))


# Lengths, sizes, prices


@pytest.mark.parametrize(
    ("seconds", "nearest"),
    [
        (5, 5),
        (6, 5),
        (7, 5),
        (7.5, 5),
        (7.6, 10),
        (10, 10),
        (99, 10),
        (-1, 5),
        (math.inf, 10),
        (-math.inf, 5),
        (math.nan, 5),
    ],
)
def test_nearest_length(seconds: float, nearest: int) -> None:
    assert model("a", lengths=(10, 5)).nearest_length(seconds) == nearest


@pytest.mark.parametrize(
    ("size", "nearest"),
    [
        ("1280x720", "1280x720"),
        ("1920x1080", "1280x720"),
        ("720x1280", "720x1280"),
        ("1080x1920", "720x1280"),
        ("832x480", "1280x720"),
        ("1000x1000", "768x768"),
    ],
)
def test_nearest_size(size: str, nearest: str) -> None:
    sizes = ("1280x720", "720x1280", "768x768")
    assert model("a", sizes=sizes).nearest_size(size) == nearest


def test_list_price() -> None:
    offers = (offer(usd_per_second="0.10"), offer("q"))
    registry = Registry(default="a", models=(model("a", *offers),))
    assert registry.list_price("a", "p", 12) == Decimal("1.20")
    assert registry.list_price("a", "q", 12) is None
    assert registry.list_price("gone", "p", 12) is None


# Providers that have a key, and those that have none


def test_the_first_offer_with_a_key_is_the_first_choice() -> None:
    registry = Registry(default="a", models=(model("a", offer("p"), offer("q"), offer("r")),))
    assert sent_to(registry, "a") == [("a", "p"), ("a", "q"), ("a", "r")]
    assert sent_to(registry.at({"r", "q"}), "a") == [("a", "q"), ("a", "r")]


def test_without_a_key_it_says_how_to_add_one() -> None:
    registry = Registry(default="a", models=(model("a"), model("b", offer("q"), offer("r"))))
    with pytest.raises(InvalidActionError) as refused:
        registry.at({"p"}).choose("b")
    told = str(refused.value)
    assert 'Put {"q": {"api_key": "..."}} (or r in its place) into the secret' in told
    assert told.endswith("The models here are: a.")
    with pytest.raises(InvalidActionError, match=r"ProviderSecret names\.$"):
        registry.at(()).choose()
    bedrock = Registry(default="a", models=(model("a", offer("bedrock")),))
    with pytest.raises(InvalidActionError, match=r"Set the parameter BedrockBucket\.$"):
        bedrock.at(()).choose()


def test_who_names_no_model_gets_one_that_can_be_had() -> None:
    registry = Registry(default="a", models=(model("a"), model("b", offer("q"))))
    assert registry.choose() == (registry.find("a"), None)
    assert registry.at({"q"}).choose() == (registry.find("b"), None)
    assert [one.id for one in registry.at({"q"}).offered] == ["b"]


# Fallbacks


def test_fallbacks_come_after_the_models_own_offers_and_before_its_successor() -> None:
    models = (
        model("a", offer("p"), offer("q"), fallbacks=("b", "c"), successor="d"),
        model("b", offer("q"), offer("r"), lengths=(4, 8), sizes=("90x160", "160x90")),
        model("c", offer("s")),
        model("d", offer("p")),
    )
    registry = Registry(default="a", models=models)
    assert sent_to(registry, "a") == [
        *(("a", "p"), ("a", "q")),
        *(("b", "q"), ("b", "r"), ("c", "s"), ("d", "p")),
    ]
    third = registry.choices(request("a", seconds=7))[2]
    assert (third.seconds, third.size) == (8, "160x90")
    assert registry.choices(request("a", size=None))[2].size is None


def test_a_start_image_goes_only_to_who_takes_one() -> None:
    models = (
        model("a", offer("p"), offer("q", takes_image="url"), fallbacks=("b",)),
        model("b", offer("r", takes_image="bytes"), offer("s")),
        model("c", fallbacks=("b",)),
    )
    registry = Registry(default="a", models=models)
    image = {"size": None, "input_reference_url": "https://e.x/a.png"}
    assert sent_to(registry, "a", **image) == [("a", "q"), ("b", "r")]
    with pytest.raises(InvalidActionError, match=r"c starts from no image here. These do: a, b\."):
        registry.choices(request("c", **image))
    with pytest.raises(InvalidActionError, match=r"a starts from no image here.$"):
        registry.at({"p"}).choices(request("a", **image))


# Models that are switched off


def test_a_retired_model_gives_way_to_its_successor_with_a_notice() -> None:
    models = (model("a"), retired("b", "c"), model("c", offer("q")))
    registry = Registry(default="a", models=models)
    told = "was switched off on 2026-09-24; used"
    for name in ("b", "b-alias"):
        assert registry.choose(name) == (registry.find("c"), f"{name} {told} c")
    assert registry.at({"p"}).choose("b") == (registry.find("a"), f"b {told} a")


def test_successors_can_be_retired_too() -> None:
    models = (model("a"), retired("b", "c"), retired("c", "d"), retired("d", "b"), retired("e"))
    registry = Registry(default="a", models=models)
    assert {registry.choose(name)[0].id for name in "bcde"} == {"a"}
    assert [one.id for one in registry.offered] == ["a"]


def test_a_retired_default_is_no_dead_end() -> None:
    registry = Registry(default="b", models=(retired("b", "a"), model("a")))
    assert registry.choose()[0].id == "a"
    assert registry.find().id == "b"


# What the operator adds


def test_an_operator_overrides_and_adds_entries() -> None:
    ours = {"lengths": [3], "sizes": ["320x240"], "offers": [{"provider": "p", "name": "x"}]}
    added = json.dumps([{"id": "sora-2", **ours}, {"id": "ours", **ours}])
    registry = Registry.load("ours", added)
    assert registry.choose()[0].id == "ours"
    model, notice = registry.choose("sora-2")
    assert (model.lengths, notice) == ((3,), None)
    assert {one.id for one in registry.models} == {"ours"} | {one.id for one in SHIPPED.models}


@pytest.mark.parametrize("added", ["{", "5", "[5]", '[{"id": "x"}]', '[{"lengths": [4]}]'])
def test_an_addition_that_is_damaged_is_refused(added: str) -> None:
    with pytest.raises(ValueError, match="VideoModels"):
        Registry.load(added=added)


def test_a_deployment_can_choose_its_default() -> None:
    other = LIVING[-1]
    assert Registry.load(other.id).find() == other
    with pytest.raises(ValidationError, match="not there: sora-3"):
        Registry.load("sora-3")


def test_a_file_that_is_damaged_is_refused(tmp_path: Path) -> None:
    damaged = tmp_path / "models.json"
    damaged.write_text('{"default": "a", "models": [')
    with pytest.raises(ValueError, match="Expecting"):
        Registry.load(path=damaged)


# The models that are shipped


def test_there_are_a_dozen_living_models_and_the_seeds_are_retired() -> None:
    assert len(LIVING) >= 12
    for name in ("sora-2", "sora-2-pro", "sora", "sora-pro"):
        living, notice = SHIPPED.choose(name)
        assert living in LIVING
        assert notice is not None


@pytest.mark.parametrize("shipped", LIVING, ids=lambda shipped: shipped.id)
def test_a_shipped_model_can_be_asked_for(shipped: VideoModel) -> None:
    assert shipped.description
    assert all(re.fullmatch(r"\d+x\d+", size) for size in shipped.sizes)
    for one in shipped.offers:
        adapter = ROOT / f"layers/core/python/actionreel/providers/{one.provider}.py"
        assert adapter.is_file(), f"there is no adapter for {one.provider}"
        assert one.takes_image or not one.image_input


@pytest.mark.parametrize("shipped", LIVING, ids=lambda shipped: shipped.id)
def test_no_shipped_model_is_about_to_be_switched_off(shipped: VideoModel) -> None:
    """Red 30 days before a listed retirement: enough time for its successor to take its place."""
    if shipped.retires_on:
        left = shipped.retires_on - datetime.now(UTC).date()
        assert left > timedelta(days=30), f"{shipped.id} is switched off on {shipped.retires_on}"


@pytest.mark.parametrize("providers", [frozenset(), frozenset({"fal"})])
def test_a_default_model_that_was_switched_off_gives_way_or_says_what_to_do(
    providers: frozenset[str],
) -> None:
    registry = Registry.load("sora-2").at(providers)
    if not providers:
        with pytest.raises(InvalidActionError, match="set up here"):
            registry.choose()
        return
    model, notice = registry.choose()
    assert registry.offers(model)
    assert notice and notice.startswith("sora-2 was switched off")
