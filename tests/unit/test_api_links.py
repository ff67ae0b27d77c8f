"""The routes of a video's file and still image, which ask for no key, as Lambda calls them."""

from __future__ import annotations

import io
import json
import logging
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from actionreel import bootstrap
from actionreel.errors import StaleVideoError
from actionreel.links import last_day, token
from actionreel.models import VideoStatus
from actionreel.observability import logger
from functions.api import app
from local.gateway import Gateway
from local.lambdas import Answer
from local.template import Template
from tests.fakes import LINK_KEY, NOON, VIDEO_ID, FakeServices, a_video, at, cases, record
from tests.linked import CONTENT, POSTER, TOKEN

POSTER_KEY = f"videos/default/{VIDEO_ID}.jpg"
OTHER_ID = VIDEO_ID[:-1] + "2"
END = last_day(NOON, 365)
PARTS = ["content", "poster"]
REFUSED = cases(
    {
        "none": None,
        "empty": "",
        "no token": "x",
        "forged": TOKEN[:-1] + ("A" if TOKEN[-1] != "A" else "B"),
        "at its end": token(LINK_KEY, "default", VIDEO_ID, (END - 390) // 30 * 30, 0),
        "of another revision": token(LINK_KEY, "default", VIDEO_ID, END, 1),
        "of another tenant": token(LINK_KEY, "other", VIDEO_ID, END, 0),
        "of another video": token(LINK_KEY, "default", OTHER_ID, END, 0),
        "of another deployment": token("another", "default", VIDEO_ID, END, 0),
    }
)


@pytest.fixture
def services() -> FakeServices:
    made = at("completed", poster_key=POSTER_KEY)
    made.videos.add("default", [a_video(video_id=OTHER_ID, status="completed")], None)
    return made


def call(
    services: FakeServices,
    path: str,
    query: dict[str, str] | None = None,
    method: str = "GET",
    tenant: str | None = None,
) -> dict[str, Any]:
    """The answer to an event of API Gateway; `tenant` is what an authorizer says."""
    bootstrap.use(services)
    authorizer = {"authorizer": {"lambda": {"tenant": tenant}}} if tenant else {}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "headers": {"host": "api.test"},
        "requestContext": {
            **authorizer,
            "domainName": "api.test",
            "http": {"method": method, "path": path},
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = query
    return app.lambda_handler(event, None)


def fetch(services: FakeServices, link: str, method: str = "GET", **more: str) -> dict[str, Any]:
    """Follows a link as a chat would."""
    split = urlsplit(link)
    query = {name: values[0] for name, values in parse_qs(split.query).items()}
    return call(services, split.path, query | more, method)


def shown(services: FakeServices) -> Any:
    answer = call(services, f"/videos/{VIDEO_ID}", tenant="default")
    assert answer["statusCode"] == 200
    return json.loads(answer["body"])


def test_a_link_leads_to_the_file_without_a_key(services: FakeServices) -> None:
    answer = fetch(services, CONTENT)
    assert (answer["statusCode"], answer["body"]) == (302, "")
    assert f"videos/default/{VIDEO_ID}.mp4" in answer["headers"]["Location"]
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert answer["headers"]["Referrer-Policy"] == "no-referrer"
    assert TOKEN not in answer["headers"]["Location"]
    saved = fetch(services, CONTENT, download="true")["headers"]["Location"]
    assert saved != answer["headers"]["Location"]


def test_a_link_leads_to_the_still_image_without_a_key(services: FakeServices) -> None:
    answer = fetch(services, POSTER)
    assert answer["statusCode"] == 302
    assert POSTER_KEY in answer["headers"]["Location"]


@pytest.mark.parametrize("link", [CONTENT, POSTER])
def test_a_head_leads_to_where_a_head_is_answered(services: FakeServices, link: str) -> None:
    answers = {method: fetch(services, link, method) for method in ("GET", "HEAD")}
    assert [answer["statusCode"] for answer in answers.values()] == [302, 302]
    found = {method: answer["headers"]["Location"] for method, answer in answers.items()}
    assert found["HEAD"].endswith("head=True") and found["GET"].endswith("head=False")


def test_the_record_has_the_links(services: FakeServices) -> None:
    assert (shown(services)["videoUrl"], shown(services)["posterUrl"]) == (CONTENT, POSTER)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("given", REFUSED)
def test_any_other_token_is_answered_as_an_unknown_id_is(
    services: FakeServices, part: str, given: str | None
) -> None:
    query = {} if given is None else {"token": given}
    unknown = call(services, f"/videos/{VIDEO_ID[:-1]}9/{part}", query)
    assert unknown["statusCode"] == 404
    assert call(services, f"/videos/{VIDEO_ID}/{part}", query) == unknown
    assert call(services, f"/videos/{VIDEO_ID}/{part}", query, tenant="default") == unknown
    assert call(services, f"/videos/no-id/{part}", {"token": TOKEN}) == unknown
    head = call(services, f"/videos/{VIDEO_ID}/{part}", query, "HEAD")
    assert head["statusCode"] == 404


@pytest.mark.parametrize("part", PARTS)
def test_the_token_alone_says_whose_video_it_is(services: FakeServices, part: str) -> None:
    answer = call(services, f"/videos/{VIDEO_ID}/{part}", {"token": TOKEN}, tenant="other")
    assert answer["statusCode"] == 302


def test_another_tenants_video_of_the_same_id_is_another_video(services: FakeServices) -> None:
    theirs = a_video(tenant="other", status="completed")
    services.videos.add("other", [theirs], None)
    given = token(LINK_KEY, "other", VIDEO_ID, END, 0)
    answer = call(services, f"/videos/{VIDEO_ID}/content", {"token": given})
    assert f"videos/other/{VIDEO_ID}.mp4" in answer["headers"]["Location"]


def test_a_link_works_for_a_year(services: FakeServices) -> None:
    services.clock = NOON + timedelta(days=365)
    assert fetch(services, CONTENT)["statusCode"] == 302
    services.clock = NOON + timedelta(days=396)
    assert fetch(services, CONTENT)["statusCode"] == 404


def test_revoked_links_lead_nowhere_and_the_record_has_new_ones(services: FakeServices) -> None:
    answer = call(services, f"/videos/{VIDEO_ID}/links", method="DELETE", tenant="default")
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body) == (200, shown(services))
    assert body["videoUrl"] != CONTENT
    for old, new in ((CONTENT, body["videoUrl"]), (POSTER, body["posterUrl"])):
        assert fetch(services, old)["statusCode"] == 404
        assert fetch(services, new)["statusCode"] == 302


@pytest.mark.parametrize("tenant", ["other", "default"])
def test_nobody_revokes_the_links_of_another_or_of_no_video(
    services: FakeServices, tenant: str
) -> None:
    path = f"/videos/{VIDEO_ID if tenant == 'other' else 'no-id'}/links"
    answer = call(services, path, method="DELETE", tenant=tenant)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "not_found")
    assert record(services).link_revision == 0
    keyless = call(services, f"/videos/{VIDEO_ID}/links", {"token": TOKEN}, method="DELETE")
    assert keyless["statusCode"] == 401
    assert record(services).link_revision == 0


@pytest.mark.parametrize("status", ["queued", "generating", "failed"])
def test_links_that_are_not_there_yet_can_be_revoked(status: VideoStatus) -> None:
    services = at(status)
    answer = call(services, f"/videos/{VIDEO_ID}/links", method="DELETE", tenant="default")
    assert (answer["statusCode"], record(services).link_revision) == (200, 1)


def test_a_video_that_is_gone_when_its_links_are_revoked() -> None:
    services = at("completed")

    def goes(write: str, changes: Any) -> None:
        raise StaleVideoError(None)

    services.videos.before = goes
    answer = call(services, f"/videos/{VIDEO_ID}/links", method="DELETE", tenant="default")
    assert answer["statusCode"] == 404


# The secret of the links cannot be read


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (f"/videos/{VIDEO_ID}", {}),
        ("/videos", {}),
        (f"/videos/{VIDEO_ID}/content", {"token": TOKEN}),
        (f"/videos/{VIDEO_ID}/poster", {"token": TOKEN}),
        (f"/videos/{OTHER_ID[:-1]}9/poster", {"token": TOKEN}),
    ],
)
def test_reading_is_a_503_while_links_cannot_be_made(
    services: FakeServices, path: str, query: dict[str, str]
) -> None:
    services.secrets["links"] = ""
    answer = call(services, path, query, tenant="default")
    assert answer["statusCode"] == 503
    assert json.loads(answer["body"])["error"] == "The links cannot be made now."


def test_what_has_no_link_is_told_all_the_same() -> None:
    services = at("generating")
    services.secrets["links"] = ""
    assert shown(services)["status"] == "generating"


# Tokens are secrets


def test_the_log_of_the_function_has_no_token(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise ConnectionError("DynamoDB")

    monkeypatch.setattr(services.videos, "get", breaks)
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logger.addHandler(handler)
    try:
        assert fetch(services, CONTENT)["statusCode"] == 500
    finally:
        logger._logger.removeHandler(handler)
    assert "ConnectionError" in said.getvalue()
    assert TOKEN not in said.getvalue()


def test_the_log_at_home_has_no_token() -> None:
    class Nothing:
        def invoke(self, function: str, payload: bytes) -> Answer:
            assert TOKEN in payload.decode()
            return Answer(b'{"statusCode": 404}', False)

    lines: list[str] = []
    gateway = Gateway(0, Template({}).routes(), lines.append)
    gateway.functions = Nothing()
    gateway.start()
    try:
        path = CONTENT.removeprefix("https://api.test")
        answer = httpx.get(f"{gateway.url}{path}", trust_env=False)
    finally:
        gateway.stop()
    assert (answer.status_code, len(lines)) == (404, 1)
    assert f"/videos/{VIDEO_ID}/content" in lines[0] and TOKEN not in lines[0]
