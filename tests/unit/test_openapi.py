"""The OpenAPI document: valid, complete, and the 405 of addresses that it knows."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

import actionreel
from actionreel.routes.addresses import ELSEWHERE
from actionreel.routes.document import OPEN, operations
from functions.api import app
from local.template import ROOT, Template
from tests.fakes import cases

# Routes of the template that the document does not tell of, and why.
UNTOLD = {
    "/": "the page, for people",
    "/static/{file}": "files of the page",
    "/docs": "this document, for people",
    "/webhooks/{provider}/{token}": "what providers call: each says itself how",
    "/chat/{platform}": "what chat platforms call: each says itself how",
    "/tools/cancel_video": "one of /tools/{name}, of another function",
    "/mcp": "the Model Context Protocol describes itself",
}


def ask(path: str, method: str = "GET", base: str = "api.test", **headers: str) -> dict[str, Any]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.lambda_handler(
        {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "headers": {"host": base, **names},
            "requestContext": {
                "authorizer": {"lambda": {"tenant": "default"}},
                "domainName": base,
                "http": {"method": method, "path": path},
                "stage": "$default",
            },
            "isBase64Encoded": False,
        },
        None,
    )


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(ask("/openapi.json")["body"])
    return made


def plain(path: str) -> str:
    """A path without the names of its parameters, which mean nothing."""
    return re.sub(r"{\w+}", "{}", path)


def routes() -> set[tuple[str, str]]:
    """Methods and paths of the template."""
    return {
        (route.method or "", route.path)
        for route in Template({}).routes()
        if route.path is not None
    }


def test_it_is_valid(document: dict[str, Any]) -> None:
    validate(document, cls=OpenAPIV31SpecValidator)
    assert document["openapi"] == "3.1.0"


def test_every_route_of_the_template_is_in_it(document: dict[str, Any]) -> None:
    told = {(method.upper(), plain(path)) for path, method, _ in operations(document)}
    there = {(method, plain(path)) for method, path in routes() if path not in UNTOLD}
    assert told == there


def test_every_operation_says_what_it_is(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for path, method, operation in operations(document):
        assert operation["summary"] and operation["description"], (method, path)
        assert set(operation["tags"]) <= {tag["name"] for tag in document["tags"]}
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (method, path, parameter["name"])
            assert parameter["schema"]["examples"], (method, path, parameter["name"])
        for media in operation.get("requestBody", {}).get("content", {}).values():
            assert media["examples"], (method, path)


def test_links_lead_to_operations_that_there_are(document: dict[str, Any]) -> None:
    taking = {
        operation["operationId"]: {each["name"] for each in operation.get("parameters", [])}
        for _, _, operation in operations(document)
    }
    links = [
        link
        for _, _, operation in operations(document)
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert links
    for link in links:
        assert link["parameters"].keys() <= taking[link["operationId"]]


def test_what_the_library_makes_up_is_gone(document: dict[str, Any]) -> None:
    assert "ValidationError" not in json.dumps(document)
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            bodies = answer.get("content", {})
            assert not bodies or status[0] != "3", (method, path, status)
            if status[0] in "45" and bodies:
                name = "OpenAIError" if path.startswith("/v1/") else "ErrorBody"
                assert name in json.dumps(bodies), (method, path, status)
    assert "422" not in document["paths"]["/videos/{video_id}"]["get"]["responses"]


def test_who_needs_a_key_may_be_refused(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        refused = {"401", "403"} & operation["responses"].keys()
        assert refused == (set() if path in OPEN else {"401", "403"}), (method, path)
        assert (operation.get("security") == []) == (path in OPEN), (method, path)


def test_who_needs_no_key_is_who_is_asked_for_none(document: dict[str, Any]) -> None:
    asked = {(r.method, plain(r.path)) for r in Template({}).routes() if r.path and r.authorizer}
    told = {
        (method.upper(), plain(path))
        for path, method, operation in operations(document)
        if operation.get("security") != []
    }
    assert told == {(method, path) for method, path in asked if path not in UNTOLD}


def test_the_version_is_the_project_s(document: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert document["info"]["version"] == actionreel.__version__ == project["version"]


def test_it_names_the_caller_s_own_address() -> None:
    for host in ("one.test", "two.test", "one.test"):
        [server] = json.loads(ask("/openapi.json", base=host)["body"])["servers"]
        assert server["url"] == f"https://{host}"


def test_who_has_it_is_not_sent_it_again() -> None:
    first = ask("/openapi.json")
    tag = first["headers"]["ETag"]
    assert ask("/openapi.json", if_none_match=tag)["statusCode"] == 304
    assert ask("/openapi.json", if_none_match=f"W/{tag}")["body"] == ""
    assert ask("/openapi.json", if_none_match='"other"')["statusCode"] == 200
    assert ask("/openapi.json", base="two.test", if_none_match=tag)["statusCode"] == 200


# 405


def test_what_other_functions_answer_is_known() -> None:
    ours = {
        name for name, of in Template({}).functions().items() if of["CodeUri"] == "functions/api"
    }
    others: dict[str, set[str]] = {}
    for route in Template({}).routes():
        if route.path is not None and route.function not in ours:
            others.setdefault(route.path, set()).add(route.method or "")
    assert others == ELSEWHERE


def wrong_methods() -> Iterator[tuple[str, str, str]]:
    """An address of every route, a method that it does not take, and those that it takes."""
    for path in sorted({path for _, path in routes()}):
        taken = sorted({method for method, other in routes() if other == path})
        every = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
        for method in (one for one in every if one not in taken):
            yield re.sub(r"{\w+}", "x", path), method, ", ".join(taken)


@pytest.mark.parametrize(
    ("path", "method", "taken"),
    cases({f"{method} {path}": (path, method, taken) for path, method, taken in wrong_methods()}),
)
def test_another_method_is_a_405_that_says_which_there_are(
    path: str, method: str, taken: str
) -> None:
    answer = ask(path, method)
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, taken)
    body = json.loads(answer["body"])
    assert (body["error"] if path.startswith("/v1/") else body)["code"] == "wrong_method"


@pytest.mark.parametrize("path", ["/nothing", "/videos/", "/videos/a/b", "//videos", "/chat/a/b"])
def test_an_address_that_is_not_there_is_a_404_for_every_method(path: str) -> None:
    for method in ("GET", "POST", "PUT"):
        answer = ask(path, method)
        assert (answer["statusCode"], "Allow" in answer["headers"]) == (404, False)
