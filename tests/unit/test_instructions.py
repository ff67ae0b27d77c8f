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

REGISTRIES = [Registry.load(), Registry.load("sora-2-pro")]


@pytest.fixture(params=REGISTRIES, ids=lambda registry: registry.default)
def registry(request: pytest.FixtureRequest) -> Registry:
    chosen: Registry = request.param
    return chosen


def test_its_examples_are_actions(registry: Registry) -> None:
    create, poll = find_actions(instructions(registry))
    assert (create.name, poll.name) == ("createAIVideo", "continueVideoPolling")
    assert create.body and poll.body
    request, notices = video_request(create.body, registry)
    assert request.model == registry.default
    assert notices == []
    assert polled_video_id(poll.body)


def test_everything_it_lists_is_accepted_as_it_stands(registry: Registry) -> None:
    lines = re.findall(r"^- (\S+) \([^)]+\): (.+) seconds; (.+)$", instructions(registry), re.M)
    assert [name for name, _, _ in lines] == [model.id for model in registry.models]
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
    assert f" seconds; {request.size} (landscape), 720x1280 (portrait)\n" in text


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
