"""What the instructions promise is what validation accepts."""

from __future__ import annotations

import itertools
import re

import pytest

from actionreel.actions import find_actions
from actionreel.instructions import instructions
from actionreel.messages import MAX_CREATES
from actionreel.registry import Registry
from actionreel.video_request import MAX_PROMPT_CHARACTERS, polled_video_id, video_request
from tests.fakes import SEED

REGISTRIES = [
    Registry.load(),
    Registry.load("seedance-2.0"),
    Registry.load().at({"replicate"}),
    SEED,
]


@pytest.fixture(params=REGISTRIES, ids=["shipped", "another default", "one key", "seed"])
def registry(request: pytest.FixtureRequest) -> Registry:
    chosen: Registry = request.param
    return chosen


def test_its_examples_are_actions(registry: Registry) -> None:
    create, poll = find_actions(instructions(registry))
    assert (create.name, poll.name) == ("createAIVideo", "continueVideoPolling")
    assert create.body and poll.body
    request, notices = video_request(create.body, registry)
    assert request.model == registry.offered[0].id
    assert notices == []
    assert polled_video_id(poll.body)


def test_everything_it_lists_is_accepted_as_it_stands(registry: Registry) -> None:
    lines = re.findall(
        r"^- (\S+) \([^)]+\): (.+) seconds; ([^;\n]+)(?:; .+)?$", instructions(registry), re.M
    )
    assert [name for name, _, _ in lines] == [model.id for model in registry.offered]
    for name, lengths, sizes in lines:
        model = registry.find(name)
        seconds = [int(length) for length in lengths.split(", ")]
        formats = re.findall(r"\d+x\d+", sizes)
        assert (set(seconds), tuple(formats)) == (set(model.lengths), model.sizes)
        for length, size in itertools.product(seconds, formats):
            body = {"prompt": "p", "model": name, "seconds": length, "size": size}
            request, notices = video_request(body, registry)
            assert notices == []
            assert request.model_dump(exclude_none=True) == body


def test_the_defaults_it_names_are_used(registry: Registry) -> None:
    text = instructions(registry)
    request, _ = video_request({"prompt": "p"}, registry)
    assert f"{request.model} if you leave it out" in text
    assert f" seconds; {request.size} (landscape), " in text


def test_its_limits_are_the_limits(registry: Registry) -> None:
    text = instructions(registry)
    assert f"at most {MAX_PROMPT_CHARACTERS:,} characters" in text
    assert f"At most {MAX_CREATES} videos" in text


def test_every_field_it_explains_is_known(registry: Registry) -> None:
    fields = re.findall(r"^- (\w+)(?: \(required\))?: ", instructions(registry), re.M)
    assert fields == ["prompt", "model", "seconds", "size", "input_reference_url"]
    body = dict.fromkeys(fields) | {"prompt": "p", "input_reference_url": "https://e.x/a.webp"}
    assert video_request(body, registry)[1] == []


def test_it_knows_every_word_of_the_results(registry: Registry) -> None:
    text = instructions(registry)
    for word in ("VIDEO_PENDING", "CHAT_VIDEO", "retryAfterSeconds", '"retryable"', '"error"'):
        assert word in text


def test_a_model_without_a_key_is_absent() -> None:
    everywhere, here = Registry.load(), Registry.load().at({"replicate"})
    listed = {model.id for model in here.offered}
    assert listed < {model.id for model in everywhere.offered}
    absent = {model.id for model in everywhere.models} - listed
    assert not absent & set(re.findall(r"^- (\S+) \(", instructions(here), re.M))


def test_without_any_key_it_teaches_no_tag() -> None:
    text = instructions(Registry.load().at(()))
    assert find_actions(text) == []
    assert "cannot make videos" in text
