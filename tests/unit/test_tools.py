"""The tools over HTTP: what a model is told, and what it is told when it is wrong."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from jsonschema import Draft202012Validator

from actionreel import bootstrap
from actionreel.accounts import Caps
from actionreel.errors import ProviderUnavailableError
from actionreel.models import Failure
from actionreel.registry import Registry
from actionreel.tool_schemas import answer_schema, tools
from functions.api import app
from tests.fakes import REFUSED, SEED, VIDEO_ID, FakeServices, a_video, at, cases, record

BASE = "https://api.test"
CHARGED = Failure(code="timeout", message="Too late.", maybe_charged=True)


class Reply(NamedTuple):
    status: int
    body: Any


def ask(services: FakeServices, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    bootstrap.use(services)
    path, _, query = path.partition("?")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "api.test"}
        | {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {
            "authorizer": {"lambda": {"tenant": "default"}},
            "domainName": "api.test",
            "http": {"method": method, "path": path},
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = dict([query.split("=")])
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
        event["headers"].setdefault("content-type", "application/json")
    answer = app.lambda_handler(event, None)
    assert answer["headers"]["Content-Type"] == "application/json"
    return Reply(answer["statusCode"], json.loads(answer["body"]))


def use(services: FakeServices, name: str, arguments: Any = None, **headers: str) -> Reply:
    """Calls a tool. What it answers is what its schema says."""
    reply = ask(services, "POST", f"/tools/{name}", arguments, **headers)
    if reply.status == 200:
        [tool] = [tool for tool in tools(SEED) if tool.name == name]
        Draft202012Validator(answer_schema(tool)).validate(reply.body)
    else:
        assert reply.body.keys() - {"retryAfterSeconds"} in (
            {"error", "code"},
            {"error", "code", "retryable"},
        )
    return reply


def test_the_tools_come_in_the_form_that_is_asked_for() -> None:
    services = FakeServices()
    for query, first in [("", "function"), ("?style=openai", "function")]:
        reply = ask(services, "GET", f"/tools{query}")
        assert (reply.status, reply.body["tools"][0]["type"]) == (200, first)
    anthropic = ask(services, "GET", "/tools?style=anthropic").body["tools"]
    assert anthropic[0].keys() == {"name", "description", "input_schema"}
    bedrock = ask(services, "GET", "/tools?style=bedrock").body["tools"]
    assert bedrock[0]["toolSpec"]["inputSchema"].keys() == {"json"}
    reply = ask(services, "GET", "/tools?style=gemini")
    assert reply.status == 422
    assert "openai" in reply.body["error"]


def test_the_tools_are_those_of_what_can_be_had_here() -> None:
    services = FakeServices()
    services.registry = Registry.load().at(set())
    names = [tool["function"]["name"] for tool in ask(services, "GET", "/tools").body["tools"]]
    assert names == ["get_video", "list_videos", "cancel_video"]


def test_a_video_is_created() -> None:
    services = FakeServices()
    reply = use(services, "create_video", {"prompt": " a boat ", "seconds": "6", "loud": True})
    [video] = services.workflow.started
    assert reply == Reply(
        200,
        {
            "videoId": video.video_id,
            "status": "queued",
            "next": "Call get_video with this videoId in 2 seconds, not before.",
            "retryAfterSeconds": 2,
            "prompt": "a boat",
            "model": "sora-2",
            "seconds": 4,
            "size": "1280x720",
            "createdAt": "2026-11-22T12:00:00Z",
            "notices": ["seconds 6 is not offered by sora-2; used 4", "ignored: loud"],
        },
    )
    assert video.base_url == BASE


def test_with_a_key_a_create_can_be_repeated() -> None:
    services = FakeServices()
    first = use(services, "create_video", {"prompt": "p", "seconds": 8}, idempotency_key="k")
    again = use(services, "create_video", {"seconds": 8, "prompt": "p"}, idempotency_key="k")
    assert first == again
    assert len(services.videos.records) == 1
    other = use(services, "create_video", {"prompt": "another"}, idempotency_key="k")
    assert (other.status, other.body["code"]) == (422, "message_mismatch")
    use(services, "create_video", {"prompt": "p", "seconds": 8}, idempotency_key="l")
    use(services, "create_video", {"prompt": "p", "seconds": 8})
    assert len(services.videos.records) == 3


def test_a_name_in_the_arguments_does_the_same() -> None:
    """For callers of the protocol, which has no headers for that."""
    services = FakeServices()
    named = {"prompt": "p", "requestId": "boat-1"}
    first = use(services, "create_video", named)
    assert use(services, "create_video", named) == first
    assert "notices" not in first.body or first.body["notices"] is None
    use(services, "create_video", {"prompt": "p", "requestId": "boat-2"})
    assert len(services.videos.records) == 2
    wrong = use(services, "create_video", {"prompt": "p", "requestId": 7})
    assert (wrong.status, wrong.body["code"]) == (422, "invalid_action")
    assert len(services.videos.records) == 2


def test_a_name_says_more_than_the_key_of_a_call() -> None:
    """A model that asks once more makes another call; the name is its own."""
    services = FakeServices()
    named = {"prompt": "p", "requestId": "boat-1"}
    first = use(services, "create_video", named, idempotency_key="call-1")
    assert use(services, "create_video", named, idempotency_key="call-2") == first
    assert use(services, "create_video", named) == first
    assert len(services.videos.records) == 1


def test_a_cap_is_told_with_its_sentence() -> None:
    services = FakeServices()
    services.accounts.general = (Caps(videos=0), Caps())
    reply = use(services, "create_video", {"prompt": "p"})
    assert (reply.status, reply.body["code"]) == (429, "quota")
    assert "This account's cap of videos a day is 0" in reply.body["error"]
    assert (reply.body["retryable"], reply.body["retryAfterSeconds"]) == (True, 900)
    assert services.workflow.started == []


def test_a_finished_video_has_its_links() -> None:
    services = at("completed", poster_key="videos/default/x.jpg")
    body = use(services, "get_video", {"videoId": VIDEO_ID}).body
    assert (body["status"], "retryAfterSeconds" in body) == ("completed", False)
    assert body["videoUrl"].startswith(f"{BASE}/videos/{VIDEO_ID}/content")
    assert body["posterUrl"].startswith(f"{BASE}/videos/{VIDEO_ID}/poster")
    assert body["next"] == "The video is ready: give the reader videoUrl."


@pytest.mark.parametrize(
    ("failure", "advice"),
    cases(
        {
            "refused": (REFUSED, "Do not ask"),
            "charged perhaps": (CHARGED, "Do not ask"),
            "for now": (Failure(code="rate_limited", message="Later.", retryable=True), "may work"),
        }
    ),
)
def test_why_there_is_no_video(failure: Failure, advice: str) -> None:
    body = use(at("failed", failure=failure), "get_video", {"videoId": VIDEO_ID}).body
    said = (body["error"], body["code"], body["retryable"], body["maybeCharged"])
    assert said == (failure.message, failure.code, failure.retryable, failure.maybe_charged)
    assert advice in body["next"]
    assert ("but for a requestId" in body["next"]) == failure.retryable
    assert "videoUrl" not in body


def test_while_it_is_made_the_model_is_told_when_to_look() -> None:
    services = at("generating", progress=40)
    services.videos.records["default", VIDEO_ID] = record(services).model_copy(
        update={"next_check_at": services.now().replace(second=20)}
    )
    body = use(services, "get_video", {"videoId": VIDEO_ID}).body
    assert (body["progress"], body["retryAfterSeconds"]) == (40, 21)
    assert "in 21 seconds, not before" in body["next"]


def test_the_list_has_pages() -> None:
    services = FakeServices()
    ids = [VIDEO_ID[:-1] + str(number) for number in range(3)]
    long = [a_video(video_id=one, prompt="x" * 300) for one in ids]
    services.videos.add("default", long, None)
    services.videos.add("other", [a_video(tenant="other")], None)
    page = use(services, "list_videos", {"limit": "2"}).body
    assert [video["videoId"] for video in page["videos"]] == ids[:0:-1]
    assert page["videos"][0]["prompt"] == f"{'x' * 200} ..."
    rest = use(services, "list_videos", {"limit": 2.0, "cursor": page["cursor"]}).body
    assert [video["videoId"] for video in rest["videos"]] == ids[:1]
    assert rest.keys() == {"videos"}
    assert len(use(services, "list_videos").body["videos"]) == 3


@pytest.mark.parametrize("limit", [0, 101, -1, 1.5, True, "many", "1" * 50, [], 10**400])
def test_a_limit_that_is_none(limit: Any) -> None:
    reply = use(FakeServices(), "list_videos", {"limit": limit})
    assert (reply.status, reply.body["code"]) == (422, "invalid_action")
    assert "1 to 100" in reply.body["error"]


@pytest.mark.parametrize("cursor", ["x", 5, ["a"], VIDEO_ID.upper()])
def test_a_cursor_that_is_none(cursor: Any) -> None:
    reply = use(FakeServices(), "list_videos", {"cursor": cursor})
    assert (reply.status, reply.body["code"]) == (422, "invalid_action")


def test_a_video_is_cancelled() -> None:
    services = at("queued")
    body = use(services, "cancel_video", {"videoId": VIDEO_ID}).body
    assert (body["outcome"], body["message"]) == ("cancelled", "The video is cancelled.")
    assert (body["video"]["status"], body["video"]["maybeCharged"]) == ("cancelled", False)
    assert use(services, "cancel_video", {"videoId": VIDEO_ID}).body == body, "once more is as once"
    late = use(at("completed"), "cancel_video", {"videoId": VIDEO_ID}).body
    assert (late["outcome"], late["video"]["status"]) == ("too_late", "completed")


def test_a_cancellation_that_cannot_be_now() -> None:
    reply = use(at("submitting"), "cancel_video", {"videoId": VIDEO_ID})
    assert (reply.status, reply.body["code"], reply.body["retryable"]) == (409, "not_now", True)
    services = at("generating")
    services.studio.stopping = ProviderUnavailableError("It does not answer.")
    assert use(services, "cancel_video", {"videoId": VIDEO_ID}).status == 503


@pytest.mark.parametrize("name", ["get_video", "cancel_video"])
def test_who_is_not_there_is_told_the_same(name: str) -> None:
    services = FakeServices()
    services.videos.add("other", [a_video(tenant="other")], None)
    ids: list[Any] = [VIDEO_ID, VIDEO_ID[:-1] + "9", VIDEO_ID.upper(), "x", "", 5, {}, "a" * 5000]
    for video_id in ids:
        reply = use(services, name, {"videoId": video_id})
        said = {"error": "There is no video with this id.", "code": "not_found"}
        assert reply == Reply(404, said), "it will not be there later"
    reply = use(services, name, {})
    assert reply.status == 422
    assert reply.body["error"] == f"{name} needs a videoId: the one that create_video gave."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    cases(
        {
            "none": ({}, "A video needs a prompt"),
            "no prompt": ({"seconds": 4}, "A video needs a prompt"),
            "no such model": ({"prompt": "p", "model": "x"}, "The models are: sora-2"),
            "not public": (
                {"prompt": "p", "input_reference_url": "http://a.b/c.png"},
                "must be the https address",
            ),
        }
    ),
)
def test_bad_arguments_are_told_in_a_sentence(arguments: Any, sentence: str) -> None:
    reply = use(FakeServices(), "create_video", arguments)
    assert (reply.status, reply.body["code"]) == (422, "invalid_action")
    assert sentence in reply.body["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    [("[]", 422), ('"x"', 422), ("{", 400), ('{"prompt": "\\ud800"}', 400), ("[" * 9999, 400)],
)
def test_a_body_that_is_no_object(body: str, status: int) -> None:
    assert use(FakeServices(), "create_video", body).status == status


def test_a_body_of_another_kind() -> None:
    assert use(FakeServices(), "list_videos", "a=b", content_type="text/plain").status == 415
    assert use(FakeServices(), "list_videos", f'"{"x" * 1_100_000}"').status == 413


@pytest.mark.parametrize("name", ["nothing", "create_Video", "x" * 3000])
def test_a_tool_that_is_not_there(name: str) -> None:
    reply = use(FakeServices(), name, {})
    assert (reply.status, reply.body["code"]) == (404, "not_found")
    names = "create_video, get_video, list_videos, cancel_video."
    assert reply.body["error"].endswith(f"The tools are: {names}")
    assert len(reply.body["error"]) < 200


def test_nobody_is_served_without_a_tenant() -> None:
    bootstrap.use(FakeServices())
    for method, path in (("GET", "/tools"), ("POST", "/tools/list_videos")):
        event = {
            "version": "2.0",
            "rawPath": path,
            "routeKey": f"{method} {path}",
            "headers": {"host": "api.test"},
            "requestContext": {"http": {"method": method, "path": path}, "stage": "$default"},
        }
        assert app.lambda_handler(event, None)["statusCode"] == 401
