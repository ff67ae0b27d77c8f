"""The Model Context Protocol, message by message, as Lambda is handed them."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any, NamedTuple

import pytest

from actionreel import bootstrap
from actionreel.accounts import Caps
from actionreel.registry import Registry
from actionreel.tool_schemas import NAMES
from functions.mcp import app
from tests.fakes import VIDEO_ID, FakeServices, a_video, at, record

NEWEST_WITH_HANDSHAKE = "2025-11-25"
INITIALIZE = {"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


def post(
    body: Any, services: FakeServices | None = None, method: str = "POST", **headers: str | None
) -> Reply:
    """The answer to an event of API Gateway; a header that is None is not sent."""
    bootstrap.use(services or FakeServices())
    sent: dict[str, str | None] = {
        "host": "api.test",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    event = {
        "version": "2.0",
        "routeKey": f"{method} /mcp",
        "rawPath": "/mcp",
        "rawQueryString": "",
        "headers": {name: value for name, value in sent.items() if value is not None},
        "requestContext": {
            "authorizer": {"lambda": {"tenant": "default"}},
            "domainName": "api.test",
            "http": {"method": method, "path": "/mcp"},
            "stage": "$default",
        },
        "body": base64.b64encode(body).decode()
        if isinstance(body, bytes)
        else body
        if isinstance(body, str)
        else json.dumps(body),
        "isBase64Encoded": isinstance(body, bytes),
    }
    answer = json.loads(json.dumps(app.lambda_handler(event, None)))
    said = answer["body"]
    headers_of = {name.lower(): value for name, value in answer["headers"].items()}
    is_json = said and headers_of["content-type"] == "application/json"
    return Reply(answer["statusCode"], headers_of, json.loads(said) if is_json else said)


def request(method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": 7, "method": method}
    return message if params is None else message | {"params": params}


def use(services: FakeServices, name: str, **arguments: Any) -> Any:
    """Calls a tool; gives the result, which every call here has."""
    params = {"name": name, "arguments": arguments}
    reply = post(request("tools/call", params), services)
    assert reply.status == 200
    return reply.body["result"]


@pytest.mark.parametrize(
    ("asked", "agreed"),
    [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        (NEWEST_WITH_HANDSHAKE, NEWEST_WITH_HANDSHAKE),
        ("1999-01-01", NEWEST_WITH_HANDSHAKE),
        ("2026-07-28", NEWEST_WITH_HANDSHAKE),  # which knows no handshake any more
    ],
)
def test_a_version_is_agreed_on(asked: str, agreed: str) -> None:
    reply = post(request("initialize", {"protocolVersion": asked, **INITIALIZE}))
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert "mcp-session-id" not in reply.headers, "there are no sessions"
    result = reply.body["result"]
    assert result["protocolVersion"] == agreed
    assert result["serverInfo"]["name"] == "actionreel"
    assert result["capabilities"] == {"tools": {"listChanged": False}}
    assert "retryAfterSeconds" in result["instructions"]


def test_the_version_without_a_handshake_is_spoken() -> None:
    envelope = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    discover = request("server/discover", {"_meta": envelope})
    reply = post(discover, mcp_protocol_version="2026-07-28", mcp_method="server/discover")
    assert reply.status == 200
    assert reply.body["result"]["supportedVersions"] == ["2026-07-28"]
    reply = post(request("ping"), mcp_protocol_version="2099-01-01")
    assert (reply.status, "error" in reply.body) == (400, True)


def test_a_ping_is_answered() -> None:
    assert post(request("ping")).body == {"jsonrpc": "2.0", "id": 7, "result": {}}
    encoded = json.dumps(request("ping")).encode()
    assert post(encoded).body == {"jsonrpc": "2.0", "id": 7, "result": {}}


def test_a_notification_is_taken_in_silence() -> None:
    message = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    reply = post(message)
    assert (reply.status, reply.body) == (202, "")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_there_are_no_streams_and_no_sessions(method: str) -> None:
    reply = post("", method=method, accept="text/event-stream")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert reply.body["code"] == "not_allowed"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, -32700),
        ("", 400, -32700),
        (b"\xff", 400, -32700),
        ('{"jsonrpc": "2.0", "id": 1, "method": "\\ud800"}', 400, -32700),
        ([request("ping"), request("ping")], 400, -32602),  # batches have left the protocol
        ({"id": 1, "method": "ping"}, 400, -32602),
        ("5", 400, -32602),
        (request("nothing/there"), 200, -32601),
        (request("resources/list"), 200, -32601),
        (request("tools/call", {"name": "nothing", "arguments": {}}), 200, -32602),
        (request("tools/call", {"name": "get_video", "arguments": [1]}), 200, -32602),
        (request("tools/call", {}), 200, -32602),
    ],
)
def test_what_is_wrong_has_its_code(body: Any, status: int, code: int) -> None:
    reply = post(body)
    assert (reply.status, reply.body["error"]["code"]) == (status, code)
    assert reply.headers["content-type"] == "application/json"


def test_an_unknown_tool_is_told_which_there_are() -> None:
    reply = post(request("tools/call", {"name": "make_video", "arguments": {}}))
    assert all(name in reply.body["error"]["message"] for name in ("'make_video'", *NAMES))


@pytest.mark.parametrize("accept", ["text/html", "text/event-stream", None])
def test_who_takes_no_json_gets_none(accept: str | None) -> None:
    assert post(request("ping"), accept=accept).status == 406


def test_an_answer_is_never_a_stream() -> None:
    for accept in ("application/json", "*/*", "text/event-stream, application/json"):
        reply = post(request("ping"), accept=accept)
        assert (reply.status, reply.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize("kind", ["text/plain", None])
def test_a_body_must_say_that_it_is_json(kind: str | None) -> None:
    assert post(request("ping"), content_type=kind).status == 400


def test_a_body_that_is_too_large() -> None:
    assert post(f'"{"x" * 1_100_000}"').status == 413


HOME = {"x_forwarded_proto": "http", "host": "127.0.0.1:8000"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:8000", "origin": "http://localhost:8000"}, 200),
        ({"host": "[::1]:8000", "origin": "http://127.0.0.1:6274"}, 200),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "http://127.0.0.1.evil.test:8000"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "evil.test:8000", "origin": "http://evil.test:8000"}, 421),
        ({"host": "127.0.0.1.evil.test:8000"}, 421),
    ],
)
def test_at_home_only_this_machine_gets_in(headers: dict[str, str], status: int) -> None:
    """A page can have its name lead to this machine (DNS rebinding), where nobody needs a key."""
    services = FakeServices()
    create = request("tools/call", {"name": "create_video", "arguments": {"prompt": "p"}})
    assert post(create, services, **HOME | headers).status == status
    assert len(services.workflow.started) == (status == 200)


def test_in_the_cloud_the_key_lets_in_whatever_the_origin() -> None:
    assert post(request("ping"), origin="https://chat.test").status == 200


def test_nobody_is_served_without_a_tenant() -> None:
    event = {
        "rawPath": "/mcp",
        "headers": {"host": "api.test"},
        "requestContext": {"http": {"method": "POST"}},
        "body": json.dumps(request("ping")),
    }
    assert app.lambda_handler(event, None)["statusCode"] == 401


def test_the_tools_are_listed_with_what_they_change() -> None:
    found = post(request("tools/list")).body["result"]["tools"]
    assert [tool["name"] for tool in found] == list(NAMES)
    create, get, _, cancel = found
    assert create["inputSchema"]["additionalProperties"] is False
    assert "videoId" in create["outputSchema"]["properties"]
    hints = [tool["annotations"] for tool in (create, get, cancel)]
    known = [(hint["readOnlyHint"], hint["destructiveHint"]) for hint in hints]
    assert known == [(False, False), (True, False), (False, True)]
    assert [hint["idempotentHint"] for hint in hints] == [False, True, True]
    services = FakeServices()
    services.registry = Registry.load().at(set())
    found = post(request("tools/list"), services).body["result"]["tools"]
    assert [tool["name"] for tool in found] == list(NAMES[1:])


def test_a_result_is_structured_and_text() -> None:
    services = FakeServices()
    result = use(services, "create_video", prompt="a boat", seconds=5)
    assert result["isError"] is False
    said = result["structuredContent"]
    assert said["notices"] == ["seconds 5 is not offered by sora-2; used 4"]
    assert said["videoId"] == services.workflow.started[0].video_id
    assert [json.loads(part["text"]) for part in result["content"]] == [said]
    assert services.workflow.started[0].base_url == "https://api.test"


def test_cancelling_is_for_its_tenant() -> None:
    services = at("queued")
    result = use(services, "cancel_video", videoId=VIDEO_ID)
    assert result["structuredContent"]["outcome"] == "cancelled"
    assert record(services).status == "cancelled"
    others = FakeServices()
    others.videos.add("other", [a_video(tenant="other")], None)
    for name in ("get_video", "cancel_video"):
        told = use(others, name, videoId=VIDEO_ID)
        assert told == use(others, name, videoId="x") == use(FakeServices(), name, videoId=VIDEO_ID)
        assert told["isError"] is True
        assert [part["text"] for part in told["content"]] == ["There is no video with this id."]
    assert others.videos.records["other", VIDEO_ID].status == "queued"


def test_a_cap_is_told_with_when_to_ask_again() -> None:
    services = FakeServices()
    services.accounts.general = (Caps(videos=0), Caps())
    result = use(services, "create_video", prompt="p")
    said, advice = (part["text"] for part in result["content"])
    assert said.startswith("This account's cap of videos a day is 0")
    assert (result["isError"], json.loads(advice)) == (
        True,
        {"retryable": True, "retryAfterSeconds": 900},
    )


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("create_video", {}, "A video needs a prompt: a text that describes it."),
        ("create_video", {"prompt": "p", "model": "x"}, "There is no such model."),
        ("get_video", {}, "get_video needs a videoId: the one that create_video gave."),
        ("list_videos", {"limit": 0}, "The limit must be a whole number from 1 to 100."),
    ],
)
def test_what_the_model_can_put_right_is_a_result(name: str, arguments: Any, sentence: str) -> None:
    result = use(FakeServices(), name, **arguments)
    assert result["isError"] is True
    assert result["content"][0]["text"].startswith(sentence)
    assert "structuredContent" not in result, "it would not be what the schema says"


def test_trouble_of_ours_is_no_secret_and_no_story(caplog: pytest.LogCaptureFixture) -> None:
    services = FakeServices()

    def fails(*_: Any) -> None:
        raise ConnectionError("a table at 10.0.0.1 that is gone")

    services.videos.page = fails  # type: ignore[method-assign, assignment]
    logging.disable(logging.CRITICAL)
    try:
        reply = post(request("tools/call", {"name": "list_videos"}), services)
    finally:
        logging.disable(logging.NOTSET)
    error = reply.body["error"]
    assert (error["code"], error["message"]) == (-32603, "Something went wrong on our side.")
    assert "10.0.0.1" not in json.dumps(reply.body)


def test_half_a_surrogate_pair_is_told() -> None:
    """The library's newest protocol reads bodies that cannot be written down."""
    envelope = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "create_video", "arguments": {"prompt": "\ud800"}, "_meta": envelope}
    services = FakeServices()
    reply = post(
        request("tools/call", params),
        services,
        mcp_protocol_version="2026-07-28",
        mcp_method="tools/call",
        mcp_name="create_video",
    )
    assert reply.status < 500
    assert services.workflow.started == []
