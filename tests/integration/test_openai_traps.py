"""What OpenAI's door must not be led into: half forms, lists with holes, second tries."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from PIL import Image
from uuid6 import uuid7

from actionreel import bootstrap
from actionreel.accounts import Caps
from actionreel.models import Failure
from local.stack import Stack
from tests.conftest import GIVE_UP_SECONDS
from tests.fakes import NOON, a_video

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

UNKNOWN = "video_0199f3a000007000800000000000ffff"
MALFORMED = [
    "video_",
    UNKNOWN.upper(),
    UNKNOWN + "0",
    "0199f3a0-0000-7000-8000-00000000ffff",
    "a" * 2000,
    "a%22b",
    "a%5Cb",
    "a%3Fb",
    "%00",
    "%F0%9F%98%80",
    UNKNOWN + "%0A",
]


@pytest.fixture
def key(stack: Stack) -> str:
    """A tenant for the test alone."""
    return stack.key(f"t-{uuid7().hex}")


@pytest.fixture
def door(stack: Stack, key: str) -> Iterator[httpx.Client]:
    authorization = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{stack.url}/v1/", headers=authorization, timeout=60) as client:
        yield client


@pytest.fixture
def client(stack: Stack, key: str) -> Iterator[OpenAI]:
    plain = openai.DefaultHttpxClient(trust_env=False)
    settings: Any = {"max_retries": 0, "timeout": 60, "http_client": plain}
    with OpenAI(base_url=f"{stack.url}/v1", api_key=key, **settings) as client:
        yield client


def picture() -> tuple[str, bytes, str]:
    made = io.BytesIO()
    Image.new("RGB", (1280, 720), "teal").save(made, "PNG")
    return "boat.png", made.getvalue(), "image/png"


def own_id(name: str) -> str:
    hexed = name.removeprefix("video_")
    return "-".join((hexed[:8], hexed[8:12], hexed[12:16], hexed[16:20], hexed[20:]))


def uploads() -> set[str]:
    storage: Any = bootstrap.services().storage
    found = storage._client.list_objects_v2(Bucket=storage._bucket, Prefix="uploads/")
    return {kept["Key"] for kept in found.get("Contents", [])}


def told(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "date"]
    return answer.status_code, answer.content, headers


def test_every_id_that_is_nobody_s_gives_the_same_404(stack: Stack, door: httpx.Client) -> None:
    others = a_video(tenant="somebody", video_id=str(uuid7()), status="completed")
    own = door.post("videos", json={"prompt": "[fail:server]"}).json()
    until = time.monotonic() + GIVE_UP_SECONDS
    while door.get(f"videos/{own['id']}").json()["status"] != "failed":
        assert time.monotonic() < until
        time.sleep(0.2)
    assert door.delete(f"videos/{own['id']}").status_code == 200
    bootstrap.services().videos.add("somebody", [others], None)
    unknown = told(door.get(f"videos/{UNKNOWN}"))
    assert unknown[0] == 404
    for name in (*MALFORMED, own["id"], f"video_{others.video_id.replace('-', '')}"):
        assert told(door.get(f"videos/{name}")) == unknown, name
        assert told(door.delete(f"videos/{name}")) == unknown, name
        assert told(door.get(f"videos/{name}/content")) == unknown, name
        assert told(door.post(f"videos/{name}/remix", json={"prompt": "p"})) == unknown, name


@pytest.mark.parametrize("missing", [2, 4, 40, 300])
def test_a_form_that_was_cut_off_makes_nothing(door: httpx.Client, missing: int) -> None:
    files: Any = {"prompt": (None, "[stuck] cut"), "input_reference": picture()}
    whole = door.build_request("POST", "videos", files=files)
    content, kind = whole.read(), whole.headers["content-type"]
    cut = content.rstrip()[:-missing]
    before = uploads()
    answer = door.post("videos", content=cut, headers={"Content-Type": kind})
    assert answer.status_code == 400, answer.text
    assert door.get("videos").json()["data"] == []
    assert uploads() == before


def test_what_was_deleted_leaves_no_hole_in_lists(client: OpenAI, stack: Stack) -> None:
    tenant = "holes"
    lister = client.with_options(api_key=stack.key(tenant))
    videos = bootstrap.services().videos
    failed: Any = {"status": "failed", "failure": Failure(code="internal", message="No.")}
    made = [a_video(tenant=tenant, video_id=str(uuid7()), **failed) for _ in range(40)]
    videos.add(tenant, made[:20], None)
    videos.add(tenant, made[20:], None)
    for video in made[4:38]:  # many more than a page holds
        videos.advance(tenant, video.video_id, {"failed"}, deleted_at=NOON)
    left = [f"video_{video.video_id.replace('-', '')}" for video in made[:4] + made[38:]]
    for limit in (1, 2, 5, 6, 100):
        assert [one.id for one in lister.videos.list(limit=limit)] == left[::-1], limit
        assert [one.id for one in lister.videos.list(limit=limit, order="asc")] == left, limit
    assert lister.videos.list(limit=6).has_more is False
    assert lister.videos.list(limit=5).has_more is True


def test_a_key_and_an_image_make_one_video(door: httpx.Client) -> None:
    before = uploads()

    def post(prompt: str, idempotency_key: str) -> httpx.Response:
        return door.post(
            "videos",
            data={"prompt": prompt},
            files={"input_reference": picture()},
            headers={"Idempotency-Key": idempotency_key},
        )

    first, again = post("[stuck] key", "k" * 190), post("[stuck] key", "k" * 190)
    assert first.json()["id"] == again.json()["id"]
    assert len(uploads() - before) == 1, "what came again is not kept twice"
    other = post("[stuck] another", "k" * 190)
    assert other.status_code == 400
    assert "Idempotency-Key" in other.json()["error"]["message"]
    assert post("[stuck] key", "k" * 191).status_code == 400
    assert len(uploads() - before) == 1


def test_a_key_says_more_than_a_second_try(door: httpx.Client) -> None:
    """Who names two requests wants two videos, though a library tries one of them twice."""

    def post(**headers: str) -> Any:
        return door.post("videos", json={"prompt": "[stuck] two"}, headers=headers).json()["id"]

    first = post(**{"Idempotency-Key": "one"})
    tried = {"Idempotency-Key": "two", "x-stainless-retry-count": "1"}
    second = post(**tried)
    assert second != first
    assert post(**tried) == second


def test_nothing_is_kept_of_what_is_refused(door: httpx.Client, stack: Stack) -> None:
    before = uploads()
    files = {"input_reference": picture()}
    assert door.post("videos", files=files).json()["error"]["param"] == "prompt"
    unknown = door.post("videos", files=files, data={"prompt": "p", "model": "no-such"})
    assert unknown.json()["error"]["param"] == "model"
    bootstrap.services().accounts.set_caps("capped-image", Caps(videos=0))
    headers = {"Authorization": f"Bearer {stack.key('capped-image')}"}
    capped = door.post("videos", files=files, data={"prompt": "p"}, headers=headers)
    assert (capped.status_code, capped.headers["x-should-retry"]) == (429, "false")
    assert capped.json()["error"]["code"] == "insufficient_quota"
    assert uploads() == before


def test_a_remix_that_is_tried_again_is_one_and_can_be_retried(
    client: OpenAI, door: httpx.Client, stack: Stack
) -> None:
    first = client.videos.create_and_poll(prompt="a paper boat", poll_interval_ms=200)

    def remix(prompt: str, **headers: str) -> Any:
        return door.post(f"videos/{first.id}/remix", json={"prompt": prompt}, headers=headers)

    made = remix("[stuck] at night", **{"Idempotency-Key": "r"}).json()
    assert remix("[stuck] at night", **{"Idempotency-Key": "r"}).json()["id"] == made["id"]
    assert remix("[stuck] at noon", **{"Idempotency-Key": "r"}).status_code == 400
    tried = remix("[stuck] at night", **{"x-stainless-retry-count": "1"}).json()
    assert tried["id"] == made["id"]
    assert remix("[stuck] at night").json()["id"] != made["id"], "who asks twice gets two"

    failed = client.videos.poll(remix("[fail:server]").json()["id"], poll_interval_ms=200)
    assert failed.status == "failed"
    retry = door.post(f"{stack.url}/videos/{own_id(failed.id)}/retry").json()["videoId"]
    again = client.videos.retrieve(f"video_{retry.replace('-', '')}")
    assert again.remixed_from_video_id == first.id


def test_a_second_try_finds_its_video_behind_many_others(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {stack.key('many')}"}

    def post(**more: str) -> Any:
        fields = {"prompt": "[stuck] first"}
        return httpx.post(f"{stack.url}/v1/videos", json=fields, headers=headers | more).json()

    first = post()
    for _ in range(6):
        others = [
            a_video(tenant="many", video_id=str(uuid7()), created_at=datetime.now(UTC))
            for _ in range(20)
        ]
        bootstrap.services().videos.add("many", others, None)
    assert post(**{"x-stainless-retry-count": "2"})["id"] == first["id"]


def test_links_die_with_the_video_and_its_image_is_nobody_s_business(
    client: OpenAI, door: httpx.Client, stack: Stack
) -> None:
    video = client.videos.create_and_poll(
        prompt="from a file", input_reference=picture(), poll_interval_ms=200
    )
    own = door.get(f"{stack.url}/videos/{own_id(video.id)}").json()
    assert own["inputReferenceUrl"] is None
    assert httpx.get(own["videoUrl"]).status_code == 302
    client.videos.delete(video.id)
    assert httpx.get(own["videoUrl"]).status_code == 404


def test_a_redirect_does_not_take_the_key_along(door: httpx.Client, client: OpenAI) -> None:
    video = client.videos.create_and_poll(prompt="a paper boat", poll_interval_ms=200)
    answer = door.get(f"videos/{video.id}/content")
    assert (answer.status_code, answer.headers["cache-control"]) == (302, "no-store")
    followed = httpx.get(answer.headers["location"])  # signed: it needs no key
    assert followed.headers["content-type"] == "video/mp4"


@pytest.mark.parametrize(
    ("query", "param"),
    [("limit=0", "limit"), ("limit=x", "limit"), ("order=up", "order")],
)
def test_a_bad_parameter_is_named(door: httpx.Client, query: str, param: str) -> None:
    answer = door.get(f"videos?{query}")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_the_asynchronous_client(stack: Stack, key: str) -> None:
    async def film() -> bytes:
        plain = openai.DefaultAsyncHttpxClient(trust_env=False)
        async with openai.AsyncOpenAI(
            base_url=f"{stack.url}/v1", api_key=key, max_retries=0, http_client=plain
        ) as client:
            video = await client.videos.create_and_poll(prompt="boat", poll_interval_ms=200)
            found = [one.id async for one in client.videos.list(limit=1)]
            assert found == [video.id]
            return (await client.videos.download_content(video.id)).content

    assert asyncio.run(film())[4:8] == b"ftyp"
