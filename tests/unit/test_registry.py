"""The models: found by name, and honest about what they offer."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from actionreel.errors import InvalidActionError
from actionreel.registry import Registry, VideoModel


def model(name: str, **changes: Any) -> VideoModel:
    fields = {"id": name, "provider": "p", "description": "d", "lengths": (5,), "sizes": ("1x1",)}
    return VideoModel.model_validate(fields | changes)


def test_a_model_is_found_by_its_names() -> None:
    registry = Registry(default="b", models=(model("a", aliases=("x",)), model("b")))
    found = {name: registry.find(name).id for name in ("a", "x", "b", "")}
    assert found == {"a": "a", "x": "a", "b": "b", "": "b"}
    assert registry.find().id == "b"


def test_the_default_can_be_an_alias() -> None:
    assert Registry(default="x", models=(model("a", aliases=("x",)),)).find().id == "a"


def test_an_unknown_name_gets_the_list() -> None:
    with pytest.raises(InvalidActionError, match=r"The models are: sora-2, sora-2-pro\."):
        Registry.load().find("sora-3")


@pytest.mark.parametrize(
    ("default", "models", "reason"),
    [
        ("a", (model("a"), model("a")), "used twice: a"),
        ("a", (model("a"), model("b", aliases=("a",))), "used twice: a"),
        ("a", (model("a", aliases=("x", "x")),), "used twice: x"),
        ("c", (model("a"),), "c is not in the registry"),
    ],
)
def test_names_are_unique_and_the_default_exists(
    default: str, models: tuple[VideoModel, ...], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        Registry(default=default, models=models)


@pytest.mark.parametrize(
    "changes", [{"lengths": ()}, {"sizes": ()}, {"deadline_seconds": 0}, {"colour": "red"}]
)
def test_a_model_must_offer_something(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model("a", **changes)


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


def test_list_price() -> None:
    assert model("a", usd_per_second="0.10").list_price(12) == Decimal("1.20")
    assert model("a").list_price(12) is None


def test_a_deployment_can_choose_its_default() -> None:
    assert Registry.load().find().id == "sora-2"
    assert Registry.load("sora-pro").find().id == "sora-2-pro"
    with pytest.raises(ValidationError, match="veo is not in the registry"):
        Registry.load("veo")


def test_a_file_that_is_damaged_is_refused(tmp_path: Path) -> None:
    damaged = tmp_path / "models.json"
    damaged.write_text('{"default": "a", "models": [')
    with pytest.raises(ValidationError):
        Registry.load(path=damaged)


@pytest.mark.parametrize("shipped", Registry.load().models, ids=lambda shipped: shipped.id)
def test_the_seed_models_offer_what_the_contract_says(shipped: VideoModel) -> None:
    assert shipped.lengths == (4, 8, 12)
    assert shipped.sizes == ("1280x720", "720x1280")
    assert all(re.fullmatch(r"\d+x\d+", size) for size in shipped.sizes)
    assert shipped.usd_per_second is not None
