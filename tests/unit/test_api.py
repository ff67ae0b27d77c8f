"""The API's routes for one video, as Lambda calls them: cancelling, and making it again."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from actionreel import bootstrap
from actionreel.accounts import Caps
from actionreel.errors import CrowdedError, ProviderRejectedError, ProviderUnavailableError
from actionreel.models import Failure, Video
from actionreel.results import view
from functions.api import app
from tests.fake_chats import CALLBACK
from tests.fakes import OPEN, REFUSED, VIDEO_ID, FakeServices, a_video, at, cases, record
from tests.linked import LINKS

CHARGED = Failure(code="timeout", message="Too late.", maybe_charged=True)
NOT_FOUND = {"error": "There is no video with this id.", "code": "not_found"}
NO_IDS = cases(
    {
        "unknown": "0199f3a0-0000-7000-8000-00000000ffff",
        "of another tenant": "0199f3a0-0000-7000-8000-000000000009",
        "a word": "v1",
        "in capitals": VIDEO_ID.upper(),
        "too long": "v" * 3000,
        "a path": "..%2f..%2fsecret",
        "half": VIDEO_ID[:-1],
        "a wildcard": "*",
    }
)


class Reply(NamedTuple):
    status: int
    body: Any


def call(services: FakeServices, method: str, path: str, body: Any = None, **event: Any) -> Reply:
    """The answer to an event of API Gateway; the body as it is, or as JSON."""
    bootstrap.use(services)
    http = {"method": method, "path": path}
    asked: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "headers": {"host": "api.test"},
        "requestContext": {
            "authorizer": {"lambda": {"tenant": "default"}},
            "domainName": "api.test",
            "http": http,
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    if body is not None:
        asked["body"] = body if isinstance(body, str) else json.dumps(body)
        asked["headers"]["content-type"] = "application/json"
    answer = app.lambda_handler(asked | event, None)
    assert answer["headers"]["Content-Type"] == "application/json"
    return Reply(answer["statusCode"], json.loads(answer["body"]))


def delete(services: FakeServices, video_id: str = VIDEO_ID, **event: Any) -> Reply:
    return call(services, "DELETE", f"/videos/{video_id}", **event)


def retry(
    services: FakeServices, body: Any = None, video_id: str = VIDEO_ID, **event: Any
) -> Reply:
    return call(services, "POST", f"/videos/{video_id}/retry", body, **event)


def shown(services: FakeServices, video_id: str = VIDEO_ID) -> Any:
    return view(record(services, video_id), LINKS).model_dump(mode="json", by_alias=True)


# DELETE /videos/{videoId}


def test_a_video_is_cancelled() -> None:
    services = at("queued")
    reply = delete(services)
    assert reply.status == 200
    assert reply.body == {
        "outcome": "cancelled",
        "message": "The video is cancelled.",
        "video": shown(services),
    }
    assert reply.body["video"]["status"] == "cancelled"


@pytest.mark.parametrize("outcome", ["too_late", "unsupported"])
def test_a_video_that_is_not_cancelled_is_told_with_200(outcome: Any) -> None:
    services = at("generating")
    services.studio.stopping = outcome
    reply = delete(services)
    assert (reply.status, reply.body["outcome"]) == (200, outcome)
    assert reply.body["video"] == shown(services)


def test_while_the_provider_is_asked_it_is_a_409() -> None:
    reply = delete(at("submitting"))
    assert (reply.status, reply.body["code"], reply.body["retryable"]) == (409, "not_now", True)
    assert reply.body["error"].endswith("try again in a minute.")


@pytest.mark.parametrize(
    ("error", "later"),
    [
        (ProviderUnavailableError("It is off."), {"retryable": True}),
        (ProviderRejectedError("The key is wrong."), {}),
    ],
)
def test_a_provider_that_cannot_be_reached_is_a_503(error: Any, later: dict[str, bool]) -> None:
    services = at("generating")
    services.studio.stopping = error
    reply = delete(services)
    assert reply == (503, {"error": str(error), "code": error.code, **later})


def test_where_too_many_write_at_once_it_is_a_503_and_not_our_fault() -> None:
    services = at("queued")

    def crowded(*_: object, **__: object) -> Video:
        raise CrowdedError

    services.videos.advance = crowded  # type: ignore[method-assign]
    sentence = "Too much happens at this moment; try again."
    told = {"error": sentence, "code": "busy", "retryable": True}
    assert delete(services) == (503, told)


@pytest.mark.parametrize("video_id", NO_IDS)
def test_nothing_can_be_cancelled_that_is_not_there(video_id: str) -> None:
    services = at("queued")
    services.videos.add("other", [a_video(tenant="other", video_id=str(video_id))], None)
    assert delete(services, video_id) == (404, NOT_FOUND)


@pytest.mark.parametrize("body", ["not JSON", "{", '{"a": 1}', "x" * 2_000_000])
def test_the_body_of_a_cancellation_says_nothing(body: str) -> None:
    assert delete(at("queued"), body=body).status == 200


# POST /videos/{videoId}/retry


def test_a_video_is_made_again() -> None:
    services = at("failed", failure=REFUSED)
    reply = retry(services)
    assert reply.status == 202
    again = reply.body["videoId"]
    assert reply.body == shown(services, again)
    assert (reply.body["status"], reply.body["retryOf"]) == ("queued", VIDEO_ID)
    assert shown(services)["retriedAs"] == again
    assert [video.video_id for video in services.workflow.started] == [again]


def test_a_second_retry_gives_the_same_video() -> None:
    services = at("failed", failure=REFUSED)
    assert retry(services) == retry(services)


@pytest.mark.parametrize("body", [None, "", {}, {"acceptDoubleCharge": False}])
def test_what_may_have_been_charged_is_not_made_again_unasked(body: Any) -> None:
    services = at("unknown", failure=CHARGED)
    reply = retry(services, body)
    assert (reply.status, reply.body["code"]) == (409, "may_be_charged")
    assert '{"acceptDoubleCharge": true}' in reply.body["error"]
    assert services.workflow.started == []


@pytest.mark.parametrize("encoded", [False, True])
def test_what_may_have_been_charged_is_made_again_for_who_accepts_that(encoded: bool) -> None:
    body = '{"acceptDoubleCharge": true}'
    sent = base64.b64encode(body.encode()).decode() if encoded else body
    reply = retry(at("unknown", failure=CHARGED), sent, isBase64Encoded=encoded)
    assert reply.status == 202


@pytest.mark.parametrize("status", [*OPEN, "completed", "cancelled"])
def test_there_is_nothing_to_make_again(status: str) -> None:
    reply = retry(at(status), {"acceptDoubleCharge": True})
    code = "not_now" if status in OPEN else "nothing_to_retry"
    assert (reply.status, reply.body["code"]) == (409, code)


@pytest.mark.parametrize("video_id", NO_IDS)
@pytest.mark.parametrize("body", [None, {"acceptDoubleCharge": True}])
def test_nothing_can_be_made_again_that_is_not_there(video_id: str, body: Any) -> None:
    services = at("failed")
    services.videos.add("other", [a_video(tenant="other", video_id=str(video_id))], None)
    assert retry(services, body, video_id) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    cases(
        {
            "text": ("yes", 400, "unreadable"),
            "cut": ('{"acceptDoubleCharge": tr', 400, "unreadable"),
            "blank": (" ", 400, "unreadable"),
            "half a surrogate pair": (r'{"a": "\ud800"}', 400, "unreadable"),
            "10,000 levels": ("[" * 10_000 + "]" * 10_000, 400, "unreadable"),
            "too large": ('{"a": "' + "x" * 1024 * 1024 + '"}', 413, "too_large"),
            "a list": ([], 422, "invalid_request"),
            "a text as JSON": ('"yes"', 422, "invalid_request"),
            "a number": ("1", 422, "invalid_request"),
            "another field": ({"acceptdoublecharge": True}, 422, "invalid_request"),
            "a word": ({"acceptDoubleCharge": "perhaps"}, 422, "invalid_request"),
            "null": ({"acceptDoubleCharge": None}, 422, "invalid_request"),
            "a list of it": ({"acceptDoubleCharge": [True]}, 422, "invalid_request"),
        }
    ),
)
def test_a_body_that_does_not_say_what_is_accepted(body: Any, status: int, code: str) -> None:
    services = at("unknown", failure=CHARGED)
    reply = retry(services, body)
    assert (reply.status, reply.body["code"]) == (status, code)
    assert reply.body.keys() == {"error", "code"}
    assert services.workflow.started == []


def test_a_body_of_another_kind_is_a_415() -> None:
    headers = {"host": "api.test", "content-type": "text/plain"}
    reply = retry(at("unknown"), '{"acceptDoubleCharge": true}', headers=headers)
    assert (reply.status, reply.body["code"]) == (415, "not_json")


def test_an_empty_body_needs_no_kind() -> None:
    headers = {"host": "api.test", "content-type": "text/plain"}
    assert retry(at("failed"), "", headers=headers).status == 202


def test_both_routes_are_in_the_schema_with_what_they_can_answer() -> None:
    bootstrap.use(FakeServices())
    paths = call(FakeServices(), "GET", "/openapi.json").body["paths"]
    cancelling = paths["/videos/{video_id}"]["delete"]["responses"]
    retrying = paths["/videos/{video_id}/retry"]["post"]["responses"]
    assert cancelling.keys() >= {"200", "404", "409", "503"}
    assert retrying.keys() >= {"202", "400", "404", "409", "413", "415", "422"}


# callbackUrl

TAG = '<createAIVideo>{"prompt": "a paper boat"}</createAIVideo>'
HOOK = "https://program.example/hook?secret=1"


def posted(services: FakeServices, url: Any) -> Reply:
    return call(services, "POST", "/actions", {"text": TAG, "callbackUrl": url})


def test_a_result_can_go_to_a_program() -> None:
    services = FakeServices()
    reply = posted(services, HOOK)
    assert (reply.status, reply.body["results"][0]["type"]) == (200, "VIDEO_PENDING")
    [video] = services.videos.records.values()
    assert video.place is not None
    assert (video.place.platform, video.place.url) == ("callback", HOOK)
    assert "secret" not in json.dumps(reply.body)
    assert "secret" not in video.job().model_dump_json()
    assert video.job().tell == "now"


@pytest.mark.parametrize(
    "url",
    cases(
        {
            "http": "http://program.example/hook",
            "private": "https://10.0.0.1/hook",
            "the metadata of a cloud": "https://169.254.169.254/latest",
            "this machine": "https://localhost/hook",
            "a name within": "https://hooks.internal/hook",
            "a user name": "https://user:password@program.example/hook",
            "another port": "https://program.example:8443/hook",
            "another scheme": "file:///etc/passwd",
            "a line break": "https://program.example/hook\r\nX: y",
            "a backslash": "https://program.example\\@10.0.0.1/",
            "no address": "hook",
            "empty": "",
            "too long": f"https://program.example/{'x' * 2048}",
            "no text": 7,
            "an allowed origin as a user name": "http://127.0.0.1:9@10.0.0.1/",
            "an allowed origin as a beginning": "http://127.0.0.1:99/",
        }
    ),
)
def test_an_address_that_must_not_be_called_is_refused(url: Any) -> None:
    services = FakeServices()
    services.callback_origins = ("http://127.0.0.1:9",)
    reply = posted(services, url)
    assert (reply.status, reply.body["code"]) == (422, "invalid_request")
    assert (services.videos.records, services.log) == ({}, [])
    assert "password" not in json.dumps(reply.body)


def test_an_origin_that_the_owner_named_may_be_called() -> None:
    services = FakeServices()
    services.callback_origins = ("http://127.0.0.1:9",)
    assert posted(services, "http://127.0.0.1:9/hook").status == 200


@pytest.mark.parametrize(
    ("delivery", "reason"), [(None, None), ("owed", None), ("not_delivered", "Because.")]
)
def test_a_record_says_whether_its_result_was_told(delivery: Any, reason: str | None) -> None:
    place = CALLBACK.model_copy(update={"turn_id": "a secret of the chat"})
    services = at("completed", place=place, delivery=delivery, delivery_reason=reason)
    reply = call(services, "GET", f"/videos/{VIDEO_ID}")
    assert reply.body["delivery"] == {"to": "callback", "status": delivery, "reason": reason}
    assert "secret" not in json.dumps(reply.body)
    assert call(at("completed"), "GET", f"/videos/{VIDEO_ID}").body["delivery"] is None


@pytest.mark.parametrize("path", ["/v1/videos", f"/v1/videos/video_{'0' * 32}/remix"])
@pytest.mark.parametrize(
    "key", cases({"too long": "k" * 191, "half a pair": "\ud800", "a line's end": "a\nb"})
)
def test_a_key_that_cannot_be_kept_is_said_and_makes_nothing(path: str, key: str) -> None:
    services = FakeServices()
    headers = {"content-type": "application/json", "idempotency-key": key}
    reply = call(services, "POST", path, {"prompt": "p"}, headers=headers)
    assert reply.status == 400
    assert reply.body["error"]["message"].startswith("Idempotency-Key can have at most 190")
    assert services.videos.records == {}


def test_usage_has_the_caps_of_the_account_and_those_of_all_together() -> None:
    services = FakeServices()
    services.accounts.general = (Caps(videos=5), Caps(usd=Decimal("2.5")))
    reply = call(services, "GET", "/usage")
    none = {"videos": None, "seconds": None, "usd": None, "concurrent": None}
    assert (reply.status, reply.body["caps"]) == (200, none | {"videos": 5})
    assert reply.body["deploymentCaps"] == none | {"usd": 2.5}
