"""Who gets through at home: what API Gateway would say, over a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.gateway import Gateway
from local.lambdas import Answer
from local.template import Route
from tests.fakes import cases

ROUTES = [
    Route("GET", "/videos/{videoId}", "Api", "Authorizer"),
    Route("GET", "/open", "Api"),
    Route(None, None, "Api"),
]


class Functions:
    """`Authorizer` says what it is told to; `Api` shows whose request it takes it for."""

    def __init__(self) -> None:
        self.says: Any = {"isAuthorized": False}
        self.failed = False
        self.asked: list[dict[str, Any]] = []

    def invoke(self, name: str, payload: bytes) -> Answer:
        event = json.loads(payload)
        if name == "Authorizer":
            self.asked.append(event)
            return Answer(json.dumps(self.says).encode(), self.failed)
        body = json.dumps(event["requestContext"].get("authorizer"))
        return Answer(json.dumps({"statusCode": 200, "body": body}).encode(), failed=False)


@pytest.fixture
def functions() -> Functions:
    return Functions()


@pytest.fixture
def client(functions: Functions) -> Iterator[httpx.Client]:
    gateway = Gateway(0, ROUTES, lambda line: None)
    gateway.functions = functions
    gateway.home = {"table": "VideoTable"}
    gateway.start()
    with httpx.Client(base_url=gateway.url, trust_env=False) as made:
        yield made
    gateway.stop()


KEY = {"Authorization": "Bearer ar_1"}


def test_who_sits_here_needs_no_key(client: httpx.Client, functions: Functions) -> None:
    assert client.get("/videos/1").json() == {"lambda": {"tenant": "default"}}
    assert functions.asked == []


def test_a_key_is_asked_about(client: httpx.Client, functions: Functions) -> None:
    functions.says = {"isAuthorized": True, "context": {"tenant": "acme", "key_id": "1"}}
    answer = client.get("/videos/1?x=1", headers=KEY)
    assert answer.json() == {"lambda": {"tenant": "acme", "key_id": "1"}}
    [event] = functions.asked
    assert (event["version"], event["type"]) == ("2.0", "REQUEST")
    assert event["identitySource"] == ["Bearer ar_1"]
    assert event["routeArn"].startswith("arn:aws:execute-api:")
    assert event["routeArn"].endswith("/$default/GET/videos/1")
    assert event["routeKey"] == "GET /videos/{videoId}"
    assert event["pathParameters"] == {"videoId": "1"}
    assert event["queryStringParameters"] == {"x": "1"}
    assert "body" not in event


@pytest.mark.parametrize(
    ("says", "failed", "status", "message"),
    cases(
        {
            "no": ({"isAuthorized": False}, False, 403, "Forbidden"),
            "no, with a tenant": (
                {"isAuthorized": False, "context": {"tenant": "acme"}},
                False,
                403,
                "Forbidden",
            ),
            "not quite yes": ({"isAuthorized": "true"}, False, 403, "Forbidden"),
            "an error": ({"errorType": "OSError"}, True, 500, "Internal Server Error"),
            "nothing": (None, False, 500, "Internal Server Error"),
            "something else": ({"tenant": "acme"}, False, 500, "Internal Server Error"),
            "a list": (["isAuthorized"], False, 500, "Internal Server Error"),
        }
    ),
)
def test_who_is_not_let_in(
    client: httpx.Client,
    functions: Functions,
    says: Any,
    failed: bool,
    status: int,
    message: str,
) -> None:
    functions.says, functions.failed = says, failed
    answer = client.get("/videos/1", headers=KEY)
    assert (answer.status_code, answer.json()) == (status, {"message": message})


def test_a_route_without_an_authorizer_asks_nobody(
    client: httpx.Client, functions: Functions
) -> None:
    for path in ("/open", "/nothing"):
        assert client.get(path, headers=KEY).json() is None  # so that it is nobody's request
    assert functions.asked == []


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
def test_what_a_tunnel_brings_needs_a_key(
    client: httpx.Client, functions: Functions, header: str
) -> None:
    brought = {header: "for=203.0.113.7"}
    answer = client.get("/videos/1", headers=brought)
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert client.get("/open", headers=brought).status_code == 200
    functions.says = {"isAuthorized": True, "context": {"tenant": "acme"}}
    assert client.get("/videos/1", headers=brought | KEY).status_code == 200
    # Nor can it call functions with events of its own, or hear where AWS is.
    invoked = client.post("/2015-03-31/functions/Api/invocations", json={}, headers=brought)
    assert invoked.status_code == 403
    assert client.get("/_local", headers=brought).status_code == 403
    assert client.get("/_local").json() == {"table": "VideoTable"}
