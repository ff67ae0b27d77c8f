"""Requests that nobody should send, and what they get: never a 500."""

from __future__ import annotations

import httpx
import pytest

from local.stack import Stack
from tests.conftest import act
from tests.linked import content_link

JSON = {"Content-Type": "application/json"}
UNKNOWN_IDS = [
    "0199f3a0-0000-7000-8000-00000000ffff",
    "nothing",
    "..%2f..%2fetc",
    "VIDEO%23x",
    "a" * 2000,
    "%00",
    "%F0%9F%8E%AC",
]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "unreadable"),
        (b"{", 400, "unreadable"),
        (b"\xff\xfe{}", 400, "unreadable"),
        (b"[" * 10_000, 400, "unreadable"),
        (b'{"text": "x", "meta": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001, 400, "unreadable"),
        (b'{"text": ' + b"1" * 5_000 + b"}", 400, "unreadable"),
        (b'{"text": "x", "meta": {"a": NaN}}', 400, "unreadable"),
        (b'{"text": "x", "meta": {"a": 1e400}}', 400, "unreadable"),
        (b'{"text": "\\ud800"}', 400, "unreadable"),
        (b"[]", 422, "invalid_request"),
        (b"null", 422, "invalid_request"),
        (b"{}", 422, "invalid_request"),
        (b'{"text": 5}', 422, "invalid_request"),
        (b'{"text": "x", "messageId": ""}', 422, "invalid_request"),
        (b'{"text": "x", "meta": []}', 422, "invalid_request"),
        (b'{"text": "x", "messageid": "y"}', 422, "invalid_request"),
        (b'{"text": "x", "meta": {"error": 1}}', 422, "invalid_request"),
        (b'{"text": "' + b"x" * 205_000 + b'"}', 413, "too_large"),
        (b'{"text": "' + b"x" * 1_100_000 + b'"}', 413, "too_large"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_bodies(api: httpx.Client, body: bytes, status: int, code: str) -> None:
    answer = api.post("/actions", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["error"]


def test_other_content_types(api: httpx.Client) -> None:
    answer = api.post("/actions", content=b"text=x", headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (415, "not_json")
    answer = api.post("/actions", content=b'{"text": "x"}')
    assert (answer.status_code, answer.json()["code"]) == (415, "not_json"), "as a web page could"
    other_case = {"Content-Type": "Application/JSON; Charset=UTF-8"}
    assert api.post("/actions", content=b'{"text": "x"}', headers=other_case).status_code == 200


def test_a_message_without_actions(api: httpx.Client) -> None:
    answer = api.post("/actions", json={"text": "Hello.", "meta": {"a": 1}})
    assert answer.json() == {"type": "CONTINUE"}


@pytest.mark.parametrize("video_id", UNKNOWN_IDS)
@pytest.mark.parametrize("part", ["", "/content", "/poster"])
def test_unknown_ids_are_all_the_same(api: httpx.Client, video_id: str, part: str) -> None:
    answer = api.get(f"/videos/{video_id}{part}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_polling_an_unknown_id(api: httpx.Client) -> None:
    tag = '<continueVideoPolling>{"videoId": "nothing"}</continueVideoPolling>'
    [result] = act(api, tag)
    assert result["code"] == "not_found"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "cursor=x", f"conversationId={'a' * 201}"]
)
def test_bad_queries(api: httpx.Client, query: str) -> None:
    answer = api.get(f"/videos?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("POST", "/video"), ("DELETE", "/v1"), ("GET", "/actions/")],
)
def test_unknown_routes(api: httpx.Client, method: str, path: str) -> None:
    answer = api.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("POST", "/videos", "GET"), ("DELETE", "/", "GET")]
)
def test_other_methods(api: httpx.Client, method: str, path: str, allowed: str) -> None:
    answer = api.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "wrong_method")
    assert answer.headers["Allow"] == allowed


def test_not_ready_yet(api: httpx.Client, stack: Stack) -> None:
    [result] = act(api, '<createAIVideo>{"prompt": "[stuck] snow"}</createAIVideo>')
    answer = api.get(content_link(stack, result["data"]["videoId"]))
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")


def test_instructions(api: httpx.Client) -> None:
    answer = api.get("/instructions")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "<createAIVideo>" in answer.text


@pytest.mark.parametrize(
    "headers",
    [{"Host": "rebound.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}],
    ids=str,
)
def test_web_pages_of_others_reach_nothing(stack: Stack, headers: dict[str, str]) -> None:
    for address in (stack.url, f"{stack.aws_url}/moto-api/data.json", stack.aws_url):
        assert httpx.get(address, headers=headers).status_code == 403


def test_an_answer_that_would_be_too_long_starts_nothing(api: httpx.Client) -> None:
    text = (
        '<createAIVideo>{"prompt": "x"}</createAIVideo>'
        + "<createAIVideo>{}</createAIVideo>" * 5000
    )
    answer = api.post("/actions", json={"text": text, "conversationId": "too long"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    listed = api.get("/videos", params={"conversationId": "too long"}).json()["videos"]
    assert listed == []
