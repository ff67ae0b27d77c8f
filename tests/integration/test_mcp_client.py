"""The official Python client of the Model Context Protocol, against the stack of `make dev`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from uuid6 import uuid7

from actionreel import bootstrap
from local.stack import Stack
from tests.conftest import GIVE_UP_SECONDS
from tests.fakes import a_video

Mode = Literal["auto", "legacy"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


pytestmark = pytest.mark.anyio


@asynccontextmanager
async def connected(stack: Stack, mode: Mode = "auto", key: str = "") -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx2.AsyncClient(trust_env=False, headers=headers, timeout=60) as http,
        Client(streamable_http_client(f"{stack.url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


async def told(client: Client, name: str, **arguments: Any) -> dict[str, Any]:
    """What a tool answers; the client checks it against the tool's schema."""
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result
    said: dict[str, Any] = result.structured_content
    return said


async def refused(client: Client, name: str, **arguments: Any) -> str:
    """The sentence with which a tool refuses."""
    result = await client.call_tool(name, arguments)
    assert result.is_error, result
    [part] = result.content
    assert part.type == "text"
    return part.text


@pytest.mark.parametrize(("mode", "version"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")])
async def test_a_video_from_the_wish_to_the_file(stack: Stack, mode: Mode, version: str) -> None:
    """With the handshake of older clients, and without."""
    async with connected(stack, mode) as client:
        assert client.protocol_version == version
        tools = (await client.list_tools()).tools
        names = [tool.name for tool in tools]
        assert names == ["create_video", "get_video", "list_videos", "cancel_video"]
        made = await told(client, "create_video", prompt="[instant] a boat", seconds=4)
        video_id = made["videoId"]
        until = time.monotonic() + GIVE_UP_SECONDS
        video = made
        while "retryAfterSeconds" in video:
            assert time.monotonic() < until, f"a spinner that never ends: {video}"
            await anyio.sleep(min(video["retryAfterSeconds"], 2))
            video = await told(client, "get_video", videoId=video_id)
        assert (video["status"], video["videoId"]) == ("completed", video_id)
        film = httpx.get(video["videoUrl"], follow_redirects=True)
        assert (film.status_code, film.headers["content-type"]) == (200, "video/mp4")
        listed = (await told(client, "list_videos", limit=100))["videos"]
        assert [one["status"] for one in listed if one["videoId"] == video_id] == ["completed"]
        late = await told(client, "cancel_video", videoId=video_id)
        assert (late["outcome"], late["video"]["status"]) == ("too_late", "completed")


async def test_a_video_that_fails_says_why(stack: Stack) -> None:
    async with connected(stack) as client:
        video = await told(client, "create_video", prompt="[instant] [fail:moderation]")
        until = time.monotonic() + GIVE_UP_SECONDS
        while "retryAfterSeconds" in video:
            assert time.monotonic() < until
            await anyio.sleep(min(video["retryAfterSeconds"], 2))
            video = await told(client, "get_video", videoId=video["videoId"])
        assert (video["status"], video["code"]) == ("failed", "moderation")
        assert video["error"].endswith(".")


async def test_a_video_is_cancelled(stack: Stack) -> None:
    async with connected(stack) as client:
        video = await told(client, "create_video", prompt="[stuck] a boat that is not awaited")
        until = time.monotonic() + GIVE_UP_SECONDS
        outcome = ""
        while outcome != "cancelled":  # while the provider is asked, it is "not now"
            assert time.monotonic() < until
            result = await client.call_tool("cancel_video", {"videoId": video["videoId"]})
            outcome = "" if result.is_error else result.structured_content["outcome"]
            assert outcome in ("", "cancelled")
            await anyio.sleep(0.2)
        video = await told(client, "get_video", videoId=video["videoId"])
        assert (video["status"], video["code"]) == ("cancelled", "cancelled")


async def test_what_is_wrong_is_told(stack: Stack) -> None:
    async with connected(stack) as client:
        assert "needs a prompt" in await refused(client, "create_video")
        assert "no such model" in await refused(client, "create_video", prompt="p", model="x")
        with pytest.raises(MCPError, match="The tools are: create_video"):
            await client.call_tool("make_video", {})
        with pytest.raises(MCPError):
            await client.list_resources()


async def test_what_is_another_tenant_s_is_not_there(stack: Stack) -> None:
    video_id = str(uuid7())
    bootstrap.services().videos.add("agents", [a_video(tenant="agents", video_id=video_id)], None)
    key = stack.key("agents")
    async with connected(stack, key=key) as owner:
        assert (await told(owner, "get_video", videoId=video_id))["status"] == "queued"
        assert len((await told(owner, "list_videos"))["videos"]) == 1
    async with connected(stack) as client:
        nobody = "There is no video with this id."
        for asked in (video_id, "x", str(uuid7())):
            assert await refused(client, "get_video", videoId=asked) == nobody
            assert await refused(client, "cancel_video", videoId=asked) == nobody
        listed = (await told(client, "list_videos", limit=100))["videos"]
        assert video_id not in [video["videoId"] for video in listed]
    answer = httpx.post(f"{stack.url}/mcp", headers={"Authorization": "Bearer ar_wrong"})
    assert answer.status_code == 403


def test_the_tools_over_http(stack: Stack) -> None:
    """What a program does that has no client: the same tools, by their names."""
    with httpx.Client(base_url=stack.url, timeout=60) as http:
        names = [tool["name"] for tool in http.get("/tools?style=anthropic").json()["tools"]]
        assert names == ["create_video", "get_video", "list_videos", "cancel_video"]

        def use(name: str, arguments: dict[str, Any], **headers: str) -> Any:
            answer = http.post(f"/tools/{name}", json=arguments, headers=headers)
            assert answer.status_code == 200, answer.text
            return answer.json()

        once = {"Idempotency-Key": f"agents {uuid7()}"}
        made = use("create_video", {"prompt": "[instant] a boat"}, **once)
        again = use("create_video", {"prompt": "[instant] a boat"}, **once)
        assert made["videoId"] == again["videoId"]
        asked = {"videoId": made["videoId"]}
        until = time.monotonic() + GIVE_UP_SECONDS
        while "retryAfterSeconds" in (video := use("get_video", asked)):
            assert time.monotonic() < until
            time.sleep(min(video["retryAfterSeconds"], 2))
        assert video["status"] == "completed"
        assert use("cancel_video", asked)["outcome"] == "too_late"
        assert use("list_videos", {"limit": 1})["videos"]
        assert http.post("/tools/nothing", json={}).status_code == 404


def test_a_stream_and_a_session_are_refused(stack: Stack) -> None:
    for method in ("GET", "DELETE"):
        answer = httpx.request(method, f"{stack.url}/mcp", headers={"Accept": "text/event-stream"})
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_page_of_somewhere_else_does_not_get_in(stack: Stack) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"Accept": "application/json, text/event-stream"}
    url = f"{stack.url}/mcp"
    assert httpx.post(url, json=ping, headers=accept).json()["result"] == {}
    for headers in ({"Origin": "https://evil.test"}, {"Host": "evil.test"}):
        assert httpx.post(url, json=ping, headers=accept | headers).status_code in (403, 421)
