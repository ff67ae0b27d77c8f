"""template.yaml against the folders that it names, and against itself."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from actionreel.models import VideoJob
from actionreel.settings import Settings
from local.template import ROOT, Template
from tests.fakes import VIDEO_ID, FakeServices

TEMPLATE = Template({})
FUNCTIONS = TEMPLATE.functions()
FOLDERS = {Path(properties["CodeUri"]).name: name for name, properties in FUNCTIONS.items()}
EVENTS = sorted((ROOT / "tests/events").glob("*.json"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_function_has_its_handler(folder: str) -> None:
    properties = FUNCTIONS[FOLDERS[folder]]
    assert properties["CodeUri"] == f"functions/{folder}"
    module, _, handler = properties["Handler"].partition(".")
    assert callable(getattr(importlib.import_module(f"functions.{folder}.{module}"), handler))


def test_every_folder_is_a_function() -> None:
    assert {app.parent.name for app in (ROOT / "functions").glob("*/app.py")} == FOLDERS.keys()


def test_the_layer_is_the_package_with_its_requirements() -> None:
    [layer] = TEMPLATE.of_type("AWS::Serverless::LayerVersion").values()
    content = ROOT / layer["ContentUri"]
    assert (content / "requirements.txt").is_file()
    assert (content / "actionreel/__init__.py").is_file()
    assert layer["CompatibleRuntimes"] == [TEMPLATE.globals["Runtime"]]
    assert layer["CompatibleArchitectures"] == TEMPLATE.globals["Architectures"]


def test_every_route_has_its_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionreel.bootstrap._services", FakeServices())
    for route in TEMPLATE.routes():
        path = str(route.path).format(videoId=VIDEO_ID, file="page.js")
        event = {
            "routeKey": f"{route.method} {route.path}" if route.path else "$default",
            "rawPath": path,
            "headers": {"host": "api.test"},
            "requestContext": {
                "http": {"method": route.method or "GET", "path": path},
                "stage": "$default",
            },
            "body": "{}",
        }
        app = importlib.import_module(f"functions.{folder_of(route.function)}.app")
        answer = app.lambda_handler(event, None)
        nothing_there = "nothing at this address" in answer["body"]
        assert nothing_there == (route.path is None), route


def folder_of(function: str) -> str:
    return Path(FUNCTIONS[function]["CodeUri"]).name


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


def dependencies() -> dict[str, set[str]]:
    """What each resource waits for, with the roles and the routes that SAM adds."""
    graph: dict[str, set[str]] = {name: set() for name in TEMPLATE.resources}
    for name, resource in TEMPLATE.resources.items():
        properties = dict(resource.get("Properties", {}))
        events = properties.pop("Events", {})
        if "Policies" in properties or name in FUNCTIONS:
            graph[f"{name}Role"] = set(references(properties.pop("Policies", [])))
            graph[name].add(f"{name}Role")
        graph[name].update(references(properties))
        if name in FUNCTIONS:
            graph[name].update(references(TEMPLATE.globals))
        for api in references(events):
            graph[api].add(name)  # the API's document names the functions of its routes
    return graph


def test_every_reference_is_to_something() -> None:
    graph = dependencies()
    parameters = {"ProviderBaseUrl", "DefaultModel", "LogRetentionDays"}
    assert set().union(*graph.values()) <= graph.keys() | parameters


def test_nothing_waits_for_itself() -> None:
    graph = dependencies()
    assert graph["HttpApi"] >= {FOLDERS["api"], FOLDERS["web"]}
    assert graph[FOLDERS["api"]] >= {"VideoStateMachine", "VideoTable", "CoreLayer", "LogGroup"}
    TopologicalSorter(graph).prepare()  # raises CycleError


def test_a_circle_would_be_found() -> None:
    graph = dependencies()
    graph[FOLDERS["api"]].add("HttpApi")  # as an environment variable with the API's address would
    with pytest.raises(ValueError, match="cycle"):
        TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_every_event_belongs_to_a_function(path: Path) -> None:
    function = FOLDERS[path.stem]
    event = json.loads(path.read_text())
    if any(route.function == function for route in TEMPLATE.routes()):
        keys = {f"{route.method} {route.path}" for route in TEMPLATE.routes()}
        assert (event["version"], event["routeKey"] in keys) == ("2.0", True)
    else:
        VideoJob.model_validate(event)
