"""The tools as models are told of them: for every registry, and for every kind of caller."""

from __future__ import annotations

import json
import re
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from jsonschema import Draft202012Validator
from openai.types.chat import ChatCompletionFunctionToolParam
from pydantic import TypeAdapter

from actionreel.errors import InvalidActionError
from actionreel.orders import Offer
from actionreel.registry import Registry, VideoModel
from actionreel.tool_schemas import NAMES, Style, Tool, answer_schema, styled, tools
from actionreel.video_request import video_request
from local.template import ROOT
from tests.fakes import SEED, cases

SHIPPED = Registry.load()
ONE = Registry(default="sora-2", models=SEED.models[:1])
CUSTOM = Registry(
    default="house",
    models=(
        VideoModel(
            id="house",
            description="our own",
            lengths=(7, 3),
            sizes=("100x100",),
            offers=(Offer(provider="openai_videos", name="house/1"),),
        ),
    ),
)
REGISTRIES = {"seed": SEED, "shipped": SHIPPED, "one model": ONE, "custom": CUSTOM}
SOME_KEYS = {
    "fal alone": SHIPPED.at({"fal"}),
    "bedrock alone": SHIPPED.at({"bedrock"}),
    "runway alone": SHIPPED.at({"runway"}),
}
ALL = REGISTRIES | SOME_KEYS

# As https://docs.anthropic.com/en/docs/agents-and-tools/tool-use describes a tool of a request.
ANTHROPIC = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"},
        "description": {"type": "string", "minLength": 1},
        "input_schema": {
            "type": "object",
            "properties": {"type": {"const": "object"}, "properties": {"type": "object"}},
            "required": ["type"],
        },
    },
    "required": ["name", "input_schema"],
    "additionalProperties": False,
}


def wish(registry: Registry) -> dict[str, Any]:
    """The schema of what create_video takes."""
    [tool] = [tool for tool in tools(registry) if tool.name == "create_video"]
    return tool.parameters


def every_tool() -> list[Any]:
    return [
        pytest.param(tool, id=f"{name}: {tool.name}")
        for name, registry in ALL.items()
        for tool in tools(registry)
    ]


@pytest.mark.parametrize("tool", every_tool())
def test_the_arguments_are_a_strict_schema(tool: Tool) -> None:
    schema = tool.parameters
    Draft202012Validator.check_schema(schema)
    Draft202012Validator.check_schema(answer_schema(tool))
    assert (schema["type"], schema["additionalProperties"]) == ("object", False)
    assert set(schema["required"]) <= schema["properties"].keys()
    for name, field in schema["properties"].items():
        assert field["description"].endswith((".", ")", "image")), name
    assert answer_schema(tool)["type"] == "object"
    assert len(tool.description) < 1024, "OpenAI takes no longer one"


@pytest.mark.parametrize("registry", cases(ALL))
def test_what_the_schema_promises_is_what_validation_takes(registry: Registry) -> None:
    fields = wish(registry)["properties"]
    assert fields["model"]["enum"] == [model.id for model in registry.offered]
    for model in registry.offered:
        for length in model.lengths:
            for size in model.sizes:
                body = {"prompt": "p", "model": model.id, "seconds": length, "size": size}
                Draft202012Validator(wish(registry)).validate(body)
                _, notices = video_request(body, registry)
                assert notices == []
                assert f" {length}" in fields["model"]["description"]
                assert size in fields["model"]["description"]
    lengths = {length for model in registry.offered for length in model.lengths}
    bounds = (fields["seconds"]["minimum"], fields["seconds"]["maximum"])
    assert bounds == (min(lengths), max(lengths))


@pytest.mark.parametrize("registry", cases(ALL))
def test_an_image_is_spoken_of_only_where_a_model_takes_one(registry: Registry) -> None:
    takes = any(offer.takes_image for model in registry.offered for offer in registry.offers(model))
    assert ("input_reference_url" in wish(registry)["properties"]) == takes
    assert takes != (registry is CUSTOM)


@pytest.mark.parametrize("body", [{}, {"prompt": ""}, {"prompt": 5}, {"prompt": "p", "x": 1}])
def test_a_schema_refuses(body: dict[str, Any]) -> None:
    assert not Draft202012Validator(wish(SEED)).is_valid(body)


def test_models_that_cannot_be_had_are_not_offered() -> None:
    fal = wish(SHIPPED.at({"fal"}))["properties"]["model"]["enum"]
    every = wish(SHIPPED)["properties"]["model"]["enum"]
    assert set(fal) < set(every)


def test_without_a_provider_nothing_can_be_created() -> None:
    found = tools(SHIPPED.at(set()))
    assert [tool.name for tool in found] == list(NAMES[1:])
    with pytest.raises(InvalidActionError, match="is set up here"):
        video_request({"prompt": "p"}, SHIPPED.at(set()))


@pytest.mark.parametrize("registry", cases(ALL))
def test_openai_s_sdk_takes_them(registry: Registry) -> None:
    adapter = TypeAdapter(list[ChatCompletionFunctionToolParam])
    found = styled(tools(registry), "openai")
    assert adapter.validate_python(found, strict=True) == found
    assert [tool["function"]["name"] for tool in found] == list(NAMES)


@pytest.mark.parametrize("registry", cases(ALL))
def test_anthropic_takes_them(registry: Registry) -> None:
    for tool in styled(tools(registry), "anthropic"):
        Draft202012Validator(ANTHROPIC).validate(tool)


@pytest.mark.parametrize("registry", cases(ALL))
def test_bedrock_takes_them(registry: Registry) -> None:
    """By the model of the service that boto3 checks requests against."""
    service = botocore.session.get_session().get_service_model("bedrock-runtime")
    shape = service.shape_for("ToolConfiguration")
    report = ParamValidator().validate({"tools": styled(tools(registry), "bedrock")}, shape)
    assert not report.has_errors(), report.generate_report()
    assert ParamValidator().validate({"tools": [{"toolSpec": {}}]}, shape).has_errors()


@pytest.mark.parametrize("style", ["openai", "anthropic", "bedrock"])
def test_each_style_tells_the_same(style: Style) -> None:
    for tool, said in zip(tools(SEED), styled(tools(SEED), style), strict=True):
        text = json.dumps(said)
        assert json.dumps(tool.parameters) in text
        assert json.dumps(tool.description) in text


def test_what_a_tool_changes_is_known() -> None:
    known = {tool.name: (tool.reads, tool.destroys, tool.repeatable) for tool in tools(SEED)}
    assert known == {
        "create_video": (False, False, False),
        "get_video": (True, False, True),
        "list_videos": (True, False, True),
        "cancel_video": (False, True, True),
    }


def test_the_page_for_agents_can_be_pasted() -> None:
    text = (ROOT / "docs/agents.md").read_text()
    blocks = re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)
    assert [language for language, _ in blocks] == ["json", "json", "python", "python"]
    cursor, code = (json.loads(block) for language, block in blocks if language == "json")
    assert cursor["mcpServers"]["actionreel"]["url"] == "ADDRESS/mcp"
    [asked] = code["inputs"]
    assert f"${{input:{asked['id']}}}" in code["servers"]["actionreel"]["headers"]["Authorization"]
    for language, block in blocks:
        if language == "python":
            compile(block, "docs/agents.md", "exec")
    assert all(f"| `{name}` |" in text for name in NAMES)
