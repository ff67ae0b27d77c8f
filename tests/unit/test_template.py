"""template.yaml against the folders that it names, and against itself."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from actionreel.aws.dynamodb_reads import OPEN_VIDEOS
from actionreel.chats import TurnRef
from actionreel.models import VideoJob
from actionreel.settings import Settings
from actionreel.upkeep import OVERDUE_AFTER
from local.template import ROOT, Template
from tests.fakes import VIDEO_ID, FakeServices

TEMPLATE = Template({})
FUNCTIONS = TEMPLATE.functions()
CORE = TEMPLATE.globals["Layers"]
FOLDERS = {name: Path(properties["CodeUri"]).name for name, properties in FUNCTIONS.items()}
MACHINES = TEMPLATE.of_type("AWS::Serverless::StateMachine")
DOCUMENTS: dict[str, type[BaseModel]] = {
    "VideoStateMachine": VideoJob,
    "ChatStateMachine": TurnRef,
}
TASKS = sorted(
    (substitute["GetAtt"].split(".")[0], machine)
    for machine, properties in MACHINES.items()
    for substitute in properties["DefinitionSubstitutions"].values()
    if "GetAtt" in substitute
)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_its_handler(function: str) -> None:
    properties = FUNCTIONS[function]
    assert properties["CodeUri"] == f"functions/{FOLDERS[function]}"
    module, _, handler = properties["Handler"].partition(".")
    code = importlib.import_module(f"functions.{FOLDERS[function]}.{module}")
    assert callable(getattr(code, handler))


def test_every_folder_is_the_code_of_a_function() -> None:
    """Of one, but for the API's: the function of its DELETE alone may read the provider's key."""
    folders = sorted(app.parent.name for app in (ROOT / "functions").glob("*/app.py"))
    assert sorted(FOLDERS.values()) == sorted([*folders, "api"])
    shared = {function for function, folder in FOLDERS.items() if folder == "api"}
    assert shared == {"ApiFunction", "CancelVideoFunction"}


LAYERS = TEMPLATE.of_type("AWS::Serverless::LayerVersion")


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_has_its_requirements(layer: str) -> None:
    properties = LAYERS[layer]
    assert (ROOT / properties["ContentUri"] / "requirements.txt").is_file()
    assert properties["CompatibleRuntimes"] == [TEMPLATE.globals["Runtime"]]
    assert properties["CompatibleArchitectures"] == TEMPLATE.globals["Architectures"]
    metadata = TEMPLATE.resources[layer]["Metadata"]
    assert [metadata["BuildMethod"]] == properties["CompatibleRuntimes"]
    assert [metadata["BuildArchitecture"]] == properties["CompatibleArchitectures"]


def test_the_core_layer_is_the_package() -> None:
    assert (ROOT / LAYERS["CoreLayer"]["ContentUri"] / "actionreel/__init__.py").is_file()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_who_needs_a_library_carries_it(function: str) -> None:
    own = {
        "CreateVideoFunction": ["ImagingLayer"],
        "WebhookFunction": ["SigningLayer"],
        "ChatFunction": ["SigningLayer"],
        "McpFunction": ["McpLayer"],
        "AuthorizerFunction": ["AuthorizingLayer"],
    }
    names = ["CoreLayer", *own.get(function, [])]
    assert FUNCTIONS[function]["Layers"] == [{"Ref": name} for name in names]


def test_what_two_layers_have_they_have_in_one_version() -> None:
    """They are unpacked into one folder."""
    pins: dict[str, set[str]] = {}
    for layer in LAYERS.values():
        for line in (ROOT / layer["ContentUri"] / "requirements.txt").read_text().splitlines():
            if not line.startswith("#"):
                name, _, version = line.partition("==")
                pins.setdefault(name.lower(), set()).add(version)
    assert {len(versions) for versions in pins.values()} == {1}
    assert {"mcp", "pydantic"} <= pins.keys()


def test_every_route_has_its_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionreel.bootstrap._services", FakeServices())
    for route in TEMPLATE.routes():
        names = {"videoId": VIDEO_ID, "file": "page.js", "provider": "fal", "token": "none"}
        names |= {"platform": "slack", "name": "list_videos"}
        path = str(route.path).format(**names)
        event = {
            "routeKey": f"{route.method} {route.path}" if route.path else "$default",
            "rawPath": path,
            "headers": {"host": "api.test"},
            "requestContext": {
                "authorizer": {"lambda": {"tenant": "default"}},
                "http": {"method": route.method or "GET", "path": path},
                "stage": "$default",
            },
            "body": "{}",
        }
        app = importlib.import_module(f"functions.{FOLDERS[route.function]}.app")
        answer = app.lambda_handler(event, None)
        nothing_there = "nothing at this address" in answer["body"]
        assert nothing_there == (route.path is None), route


def test_the_route_of_a_cancellation_is_its_own_function_s() -> None:
    routes = {(route.method, route.path): route.function for route in TEMPLATE.routes()}
    assert routes["DELETE", "/videos/{videoId}"] == "CancelVideoFunction"
    assert routes["POST", "/tools/cancel_video"] == "CancelVideoFunction"
    assert routes["POST", "/videos/{videoId}/retry"] == routes["POST", "/tools/{name}"]
    assert routes["POST", "/tools/{name}"] == "ApiFunction"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_who_needs_the_providers_keys_may_read_them(function: str) -> None:
    variables = {name for name in TEMPLATE.environment(function) if name.startswith("PROVIDER_")}
    may_read = "ProviderSecret" in set(references(FUNCTIONS[function].get("Policies", [])))
    asks = FOLDERS[function] in ("create_video", "reconcile_video", "poll_video", "store_video")
    talks = asks or function in ("CancelVideoFunction", "AnswerMessageFunction", "McpFunction")
    tells_who_has_one = function == "ApiFunction"
    checks = function == "WebhookFunction"  # the provider's signature, with what is beside the key
    assert may_read == bool(variables) == (talks or tells_who_has_one or checks)
    if talks:
        assert variables >= {"PROVIDER_RECOVERY", "PROVIDER_DIALECT"}
    if variables and not checks:
        assert variables >= {"PROVIDER_BASE_URL", "PROVIDER_SECRET"}


def test_bedrock_is_known_to_who_talks_to_providers_and_allowed_only_with_a_bucket() -> None:
    for function in FUNCTIONS:
        names = TEMPLATE.environment(function).keys()
        knows = "PROVIDER_SECRET" in names and function != "WebhookFunction"
        assert knows == ("BEDROCK_BUCKET" in names)
        assert ("PROVIDER_RECOVERY" in names) == ("BEDROCK_REGION" in names)
    policies = {
        name: resource
        for name, resource in TEMPLATE.resources.items()
        if "bedrock:" in str(resource)
    }
    chats = policies.pop("BedrockChatPolicy")
    assert (chats["Type"], chats["Condition"]) == ("AWS::IAM::ManagedPolicy", "HasBedrockChat")
    assert policies
    for policy in policies.values():
        assert (policy["Type"], policy["Condition"]) == ("AWS::IAM::ManagedPolicy", "HasBedrock")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            assert "Bedrock" in str(statement["Resource"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_who_starts_executions_knows_the_machine_and_may(function: str) -> None:
    policies = FUNCTIONS[function].get("Policies", [])
    may = any("StepFunctionsExecutionPolicy" in policy for policy in policies)
    videos = function in (
        "ApiFunction",
        "McpFunction",
        "AnswerMessageFunction",
        "CloseVideoFunction",
        "SweepVideosFunction",
    )
    assert ("STATE_MACHINE_ARN" in TEMPLATE.environment(function)) == videos
    assert may == (videos or function == "ChatFunction")
    chats = function in ("ChatFunction", "DeliverResultFunction")
    assert ("CHAT_STATE_MACHINE_ARN" in TEMPLATE.environment(function)) == chats


def test_who_starts_the_machine_of_chats_knows_it_by_its_name() -> None:
    arn = TEMPLATE.resolve({"GetAtt": "ChatStateMachine.Arn"})
    for function in ("ChatFunction", "DeliverResultFunction"):
        assert TEMPLATE.environment(function)["CHAT_STATE_MACHINE_ARN"] == arn
    [statement] = [
        statement
        for policy in FUNCTIONS["DeliverResultFunction"]["Policies"]
        for statement in policy.get("Statement", [])
        if statement["Sid"] == "HaveTheModelSeeIt"
    ]
    assert statement["Action"] == "states:StartExecution"
    assert TEMPLATE.resolve(statement["Resource"]) == arn


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_who_talks_to_chats_may_read_their_secrets(function: str) -> None:
    names = TEMPLATE.environment(function).keys()
    read = set(references(FUNCTIONS[function].get("Policies", [])))
    talks = function in ("ChatFunction", "AnswerMessageFunction", "DeliverResultFunction")
    assert ("CHAT_SECRET" in names) == ("ChatSecret" in read) == talks
    signs = talks and function != "ChatFunction"
    assert ("CALLBACK_SECRET" in names) == ("CallbackSecret" in read) == signs


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_who_gives_or_follows_links_may_read_their_secret(function: str) -> None:
    names = TEMPLATE.environment(function).keys()
    read = set(references(FUNCTIONS[function].get("Policies", [])))
    linking = ("ApiFunction", "CancelVideoFunction", "McpFunction", "AnswerMessageFunction")
    links = function in (*linking, "DeliverResultFunction")
    assert ("LINK_SECRET" in names) == ("LINK_DAYS" in names) == links
    assert ("LinkSecret" in read) == links


def test_the_index_of_open_videos_is_where_it_is_looked_for() -> None:
    [table] = TEMPLATE.of_type("AWS::DynamoDB::Table").values()
    [index] = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == OPEN_VIDEOS
    keys = [key["AttributeName"] for key in index["KeySchema"]]
    assert keys == ["open", "next_check_at"]
    assert set(keys) <= {attribute["AttributeName"] for attribute in table["AttributeDefinitions"]}
    assert str(FUNCTIONS["SweepVideosFunction"]["Policies"]).count(f"/index/{OPEN_VIDEOS}") == 1


def test_a_sweep_is_over_before_the_next_one() -> None:
    every = TEMPLATE.schedules()["SweepVideosFunction"]
    assert FUNCTIONS["SweepVideosFunction"]["Timeout"] < every <= OVERDUE_AFTER.total_seconds()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_environment_is_what_the_settings_read(function: str) -> None:
    known = {name.upper() for name in Settings.model_fields} | {"MEDIA_ORIGIN"}
    given = TEMPLATE.environment(function).keys()
    assert {name for name in given if not name.startswith("POWERTOOLS_")} <= known


def references(value: Any) -> Iterator[str]:
    """Every logical id that a value refers to."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"GetAtt": str(attribute)}:
            yield attribute.partition(".")[0]
        case {"Sub": str(text)}:
            yield from re.findall(r"\$\{(\w+)[.}]", text)
        case dict():
            for item in value.values():
                yield from references(item)
        case list():
            for item in value:
                yield from references(item)


def test_who_ends_waits_may_do_nothing_else_to_executions() -> None:
    policies = FUNCTIONS["WebhookFunction"]["Policies"]
    [waits] = [
        statement
        for policy in policies
        for statement in policy.get("Statement", [])
        if statement["Sid"] == "EndWaits"
    ]
    assert waits["Action"] == "states:SendTaskSuccess"
    assert waits["Resource"] == {"Ref": "VideoStateMachine"}
    others = [one for name, one in FUNCTIONS.items() if name != "WebhookFunction"]
    assert "SendTask" not in str(others)
    who = {name for name, one in FUNCTIONS.items() if "WebhookSecret" in set(references(one))}
    assert who == {"CreateVideoFunction", "WebhookFunction"}  # makes the addresses, checks them


# Its event, for each function: close_video.json is CloseVideoFunction's.
EVENTS = {
    "".join(word.title() for word in path.stem.split("_")) + "Function": json.loads(
        path.read_text()
    )
    for path in (ROOT / "tests/events").glob("*.json")
}


def test_every_function_has_its_event() -> None:
    assert EVENTS.keys() == FUNCTIONS.keys()


@pytest.mark.parametrize("function", sorted({route.function for route in TEMPLATE.routes()}))
def test_the_event_of_a_route_is_one_of_its_function_s(function: str) -> None:
    event = EVENTS[function]
    routes = [route for route in TEMPLATE.routes() if route.function == function]
    assert event["version"] == "2.0"
    assert event["routeKey"] in [f"{route.method} {route.path}" for route in routes]


@pytest.mark.parametrize(("function", "machine"), TASKS)
def test_the_event_of_a_task_is_a_document(function: str, machine: str) -> None:
    document = DOCUMENTS[machine]
    document.model_validate({**EVENTS[function]})
    assert EVENTS[function].keys() <= document.model_fields.keys()


@pytest.mark.parametrize(("function", "pattern"), TEMPLATE.rules())
def test_the_event_of_a_rule_is_one_that_it_wants(function: str, pattern: dict[str, Any]) -> None:
    event = EVENTS[function]
    assert event["detail-type"] in pattern["detail-type"]
    assert event["source"] in pattern["source"]
    for name, wanted in pattern["detail"].items():
        assert event["detail"][name] in wanted
    assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
    VideoJob.model_validate_json(event["detail"]["input"])


def test_the_event_of_a_schedule_has_nothing_to_say() -> None:
    for function in TEMPLATE.schedules():
        assert EVENTS[function]["detail"] == {}
