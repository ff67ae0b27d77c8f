"""What an operator relies on, in the template as SAM's transform leaves it.

That it can be deployed, who may do what, and what it is told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

import pytest

from local.template import ROOT, Template
from tests import transformed

RESOURCES = transformed.resources()
DOCUMENT = transformed.document()
CAP = re.compile("(Tenant|All)(Videos|Seconds|Dollars)(PerDay|AtOnce)")


# ---- circles


def references(value: Any) -> Iterator[str]:
    """Every logical id that a value refers to."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::GetAtt": str(name)}:
            yield name.partition(".")[0]
        case {"Fn::Sub": [str(text), dict(own)]}:
            yield from (name for name in named(text) if name not in own)
            yield from references(own)
        case {"Fn::Sub": str(text)}:
            yield from named(text)
        case dict():
            for item in value.values():
                yield from references(item)
        case list():
            for item in value:
                yield from references(item)


def named(text: str) -> list[str]:
    return re.findall(r"\$\{([\w:]+)[.\w]*\}", text)


def graph(resources: Any) -> dict[str, set[str]]:
    """What each resource waits for."""
    return {
        name: {
            *references(resource.get("Properties", {})),
            *([after] if isinstance(after := resource.get("DependsOn", []), str) else after),
        }
        & resources.keys()
        for name, resource in resources.items()
    }


def test_nothing_waits_for_itself() -> None:
    waits = graph(RESOURCES)
    assert waits["ApiFunction"] >= {"VideoStateMachine", "VideoTable", "ApiFunctionRole"}
    assert waits["HttpApi"] >= {"ApiFunction", "AuthorizerFunction"}
    TopologicalSorter(waits).prepare()  # raises CycleError


def test_a_circle_would_be_found() -> None:
    """The API names its functions: one that were told the API's address would wait for itself."""
    address = {"Fn::Sub": "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"}
    changed = json.loads(json.dumps(RESOURCES))
    changed["ApiFunction"]["Properties"]["Environment"]["Variables"]["BASE_URL"] = address
    with pytest.raises(CycleError, match="nodes are in a cycle"):
        TopologicalSorter(graph(changed)).prepare()


def test_every_reference_is_to_something() -> None:
    known = RESOURCES.keys() | DOCUMENT["Parameters"].keys()
    asked = {name for name in references(RESOURCES) if not name.startswith("AWS::")}
    assert asked <= known


# ---- rights

TABLE, BUCKET, MACHINE, SECRET = "VideoTable", "VideoBucket", "VideoStateMachine", "Secret"


def rights(function: str) -> set[str]:
    """What a function may do, and to what, beside its logs and traces."""
    found = set()
    for policy in RESOURCES[f"{function}Role"]["Properties"].get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                assert "*" not in action, f"{function}: {action}"
                found |= {f"{action} {one}" for one in kinds(statement["Resource"])}
    return found


def kinds(resource: Any) -> set[str]:
    """The resources, shortly: what they are of."""
    assert resource != "*"
    if isinstance(resource, list):
        return set().union(*map(kinds, resource))
    text = json.dumps(resource)
    names = {name for name in references(resource) if not name.startswith("AWS::")}
    parts = [part for part in ("/index/", "videos/*", "uploads/*", ":execution:") if part in text]
    chat = "-chat" in text
    return {" ".join([*sorted(names), *(["the chats' machine"] if chat else []), *parts]).strip()}


def own(*actions: str) -> set[str]:
    return {f"dynamodb:{action} {TABLE}" for action in actions}


def reads(*secrets: str) -> set[str]:
    return {f"secretsmanager:GetSecretValue {secret}Secret" for secret in secrets}


START = {f"states:StartExecution {MACHINE}"}
TALK = own("GetItem", "UpdateItem", "PutItem") | reads("Provider")
START_VIDEOS = own("GetItem", "BatchGetItem", "PutItem", "UpdateItem") | START

# Each function, and all that it may do. Whoever gives it another right decides it here.
RIGHTS = {
    "CreateVideoFunction": TALK
    | own("BatchGetItem")
    | reads("Webhook")
    | {f"s3:GetObject {BUCKET} uploads/*"},
    "ReconcileVideoFunction": TALK,
    "PollVideoFunction": TALK,
    "StoreVideoFunction": TALK
    | {f"s3:PutObject {BUCKET} videos/*", f"s3:AbortMultipartUpload {BUCKET} videos/*"},
    "FailVideoFunction": own("GetItem", "UpdateItem"),
    "DeliverResultFunction": own("GetItem", "UpdateItem", "PutItem")
    | reads("Chat", "Callback", "Link")
    | {f"s3:GetObject {BUCKET} videos/*", "states:StartExecution the chats' machine"},
    "AnswerMessageFunction": START_VIDEOS | reads("Provider", "Chat", "Callback", "Link"),
    "CloseVideoFunction": own("GetItem", "UpdateItem") | START,
    "SweepVideosFunction": own("GetItem", "BatchGetItem", "UpdateItem")
    | START
    | {f"dynamodb:Query {TABLE} /index/", f"states:DescribeExecution {MACHINE} :execution:"},
    "AuthorizerFunction": own("GetItem"),
    "ApiFunction": START_VIDEOS
    | own("Query")
    | reads("Provider", "Link")
    | {
        f"s3:GetObject {BUCKET} videos/*",
        f"s3:PutObject {BUCKET} uploads/*",
        f"s3:DeleteObject {BUCKET} videos/*",
        f"s3:DeleteObject {BUCKET} uploads/*",
    },
    "CancelVideoFunction": own("GetItem", "UpdateItem") | reads("Provider", "Link"),
    "McpFunction": START_VIDEOS | own("Query") | reads("Provider", "Link"),
    "WebhookFunction": own("GetItem", "UpdateItem")
    | reads("Provider", "Webhook")
    | {f"states:SendTaskSuccess {MACHINE}"},
    "ChatFunction": own("GetItem", "PutItem")
    | reads("Chat")
    | {"states:StartExecution ChatStateMachine"},
    "WebFunction": set(),
}


def test_every_function_is_in_the_table() -> None:
    assert RIGHTS.keys() == Template({}).functions().keys()


@pytest.mark.parametrize("function", RIGHTS)
def test_a_function_may_do_what_the_table_says_and_no_more(function: str) -> None:
    assert rights(function) == RIGHTS[function]
    managed = RESOURCES[f"{function}Role"]["Properties"]["ManagedPolicyArns"]
    assert {re.sub(".*/", "", str(arn)).rstrip("'}") for arn in managed} == {
        "AWSLambdaBasicExecutionRole",
        "AWSXrayWriteOnlyAccess",
    }


def test_the_authorizer_reads_nothing_but_keys() -> None:
    [policy] = RESOURCES["AuthorizerFunctionRole"]["Properties"]["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["KEY#*"]}}
    assert statement["Condition"] == condition


def test_only_the_delivery_of_logs_is_for_all_resources() -> None:
    everything = {
        (name, tuple(statement["Action"]))
        for name, resource in RESOURCES.items()
        if resource["Type"] == "AWS::IAM::Role"
        for policy in resource["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Resource"] == "*"
    }
    assert {name for name, _ in everything} == {"VideoStateMachineRole", "ChatStateMachineRole"}
    assert all(action.startswith("logs:") for _, actions in everything for action in actions)


# ---- routes


def test_what_starts_videos_is_throttled() -> None:
    """More than the rest is: every POST of a caller with a key."""
    api = RESOURCES["HttpApiApiGatewayDefaultStage"]["Properties"]
    posts = {
        f"POST {path}"
        for path, methods in RESOURCES["HttpApi"]["Properties"]["Body"]["paths"].items()
        if methods.get("post", {}).get("security") == [{"TenantAuthorizer": []}]
    }
    assert api["RouteSettings"].keys() == posts - {"POST /tools/cancel_video"}
    usual = api["DefaultRouteSettings"]["ThrottlingRateLimit"]
    assert all(one["ThrottlingRateLimit"] < usual for one in api["RouteSettings"].values())


# ---- parameters


@pytest.mark.parametrize("name", DOCUMENT["Parameters"])
def test_a_parameter_says_what_it_is_for(name: str) -> None:
    description = DOCUMENT["Parameters"][name]["Description"]
    assert len(description) > 25
    assert description.endswith(".")


@pytest.mark.parametrize("environment", ["default", "dev", "prod"])
def test_samconfig_gives_parameters_that_there_are(environment: str) -> None:
    import tomllib

    config = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]
    given = config["deploy"]["parameters"].get("parameter_overrides", [])
    assert {pair.partition("=")[0] for pair in given} <= DOCUMENT["Parameters"].keys()
    assert config["global"]["parameters"]["stack_name"].startswith("actionreel")
