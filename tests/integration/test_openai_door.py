"""The official openai SDK at our own door: only its address and its key are changed."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from PIL import Image

from actionreel import bootstrap
from actionreel.accounts import Caps
from local.stack import HOME_KEY, Stack
from tests.conftest import GIVE_UP_SECONDS, act, ended, studio_jobs

# Every method of `videos` says that OpenAI's own service has ended; the protocol has not.
pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

TIMES: Any = {"poll_interval_ms": 200}
UNKNOWN = "video_0199f3a000007000800000000000ffff"
TENANT = "opens-the-door"


def connect(stack: Stack, key: str = HOME_KEY, **more: Any) -> OpenAI:
    plain = openai.DefaultHttpxClient(trust_env=False)
    settings = {"max_retries": 0, "timeout": 60, "http_client": plain, **more}
    return OpenAI(base_url=f"{stack.url}/v1", api_key=key, **settings)


@pytest.fixture
def client(stack: Stack) -> Iterator[OpenAI]:
    with connect(stack) as client:
        yield client


def picture(kind: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (1280, 720), "teal").save(made, kind)
    return made.getvalue()


@pytest.fixture
def alone(stack: Stack) -> Iterator[tuple[OpenAI, httpx.Client]]:
    """A tenant whose numbers nobody else changes: videos of other tests may still be made."""
    key = stack.key(TENANT)
    api = httpx.Client(
        base_url=stack.url, headers={"Authorization": f"Bearer {key}"}, timeout=GIVE_UP_SECONDS
    )
    with connect(stack, key) as client, api:
        yield client, api


def test_a_video_from_creation_to_deletion(alone: tuple[OpenAI, httpx.Client]) -> None:
    client, api = alone
    prompt = "Ein Papierboot im Regen ☔"
    video = client.videos.create(prompt=prompt, model="sora-2", seconds="8", size="720x1280")
    assert (video.object, video.error, video.completed_at) == ("video", None, None)
    assert video.status in ("queued", "in_progress")
    assert (video.prompt, video.model, video.size, video.seconds) == (
        prompt,
        "studio",
        "720x1280",
        "8",
    )
    told: Any = video
    assert told.notices == ["sora-2 was switched off on 2026-09-24; used studio"]

    done = client.videos.poll(video.id, **TIMES)
    assert (done.id, done.status, done.progress) == (video.id, "completed", 100)
    assert (done.completed_at or 0) >= done.created_at == video.created_at

    film = client.videos.download_content(video.id)
    assert film.response.headers["content-type"] == "video/mp4"
    assert film.content[4:8] == b"ftyp"
    still = client.videos.download_content(video.id, variant="thumbnail")
    with Image.open(io.BytesIO(still.content)) as image:
        assert image.size == (720, 1280)
    with pytest.raises(openai.NotFoundError, match="no spritesheet"):
        client.videos.download_content(video.id, variant="spritesheet")

    [own] = api.get("/videos").json()["videos"]
    assert own["videoId"].replace("-", "") == video.id.removeprefix("video_")
    used = api.get("/usage").json()["today"]

    gone = client.videos.delete(video.id)
    assert (gone.id, gone.object, gone.deleted) == (video.id, "video.deleted", True)
    with pytest.raises(openai.NotFoundError) as unknown:
        client.videos.retrieve(video.id)
    with pytest.raises(openai.NotFoundError) as never:
        client.videos.retrieve(UNKNOWN)
    assert unknown.value.body == never.value.body
    assert api.get(f"/videos/{own['videoId']}").status_code == 404
    assert client.videos.list().data == []
    assert api.get("/usage").json()["today"] == used  # what was made stays counted
    bucket = bootstrap.services().storage
    with pytest.raises(Exception, match="no such file"):
        bucket.read(f"videos/{TENANT}/{own['videoId']}.mp4")


def test_create_and_poll_and_a_failure(client: OpenAI) -> None:
    failed = client.videos.create_and_poll(prompt="[fail:moderation]", **TIMES)
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.code == "moderation_blocked"
    assert failed.error.message


def test_one_that_is_being_made_is_not_deleted(client: OpenAI, api: httpx.Client) -> None:
    video = client.videos.create(prompt="[stuck] and not deleted")
    with pytest.raises(openai.ConflictError, match="Cancel it first: DELETE /videos/"):
        client.videos.delete(video.id)
    with pytest.raises(openai.ConflictError, match="no file"):
        client.videos.download_content(video.id)
    hexed = video.id.removeprefix("video_")
    own = f"{hexed[:8]}-{hexed[8:12]}-{hexed[12:16]}-{hexed[16:20]}-{hexed[20:]}"
    until = time.monotonic() + GIVE_UP_SECONDS
    while api.delete(f"/videos/{own}").status_code == 409 and time.monotonic() < until:
        time.sleep(0.2)
    assert client.videos.retrieve(video.id).status == "failed"
    client.videos.delete(video.id)


def test_lists_in_both_orders_with_pages(stack: Stack) -> None:
    with connect(stack, stack.key("lister")) as client:
        made = [client.videos.create(prompt=f"[stuck] {number}").id for number in range(5)]
        assert [one.id for one in client.videos.list(limit=2)] == made[::-1]
        assert [one.id for one in client.videos.list(limit=2, order="asc")] == made
        page = client.videos.list(limit=2)
        assert (page.has_more, page.data[-1].id) == (True, made[3])
        rest = client.videos.list(limit=100, after=made[3])
        assert ([one.id for one in rest.data], rest.has_more) == (made[2::-1], False)
        with pytest.raises(openai.NotFoundError):
            client.videos.list(after="video_nonsense")


def test_an_image_goes_with_the_creation(stack: Stack, client: OpenAI) -> None:
    content = picture()
    reference = ("boat.png", content, "image/png")
    video = client.videos.create(prompt="from a file", input_reference=reference)
    assert client.videos.poll(video.id, **TIMES).status == "completed"
    [kept] = bootstrap.services().videos.page("default", 1, None, None)[0]
    assert kept.input_reference_url is not None
    key = kept.input_reference_url.removeprefix("upload:")
    assert bootstrap.services().storage.read(key) == content
    with pytest.raises(openai.BadRequestError) as refused:
        client.videos.create(prompt="p", input_reference=("x.png", b"no image", "image/png"))
    assert refused.value.param == "input_reference"
    client.videos.delete(video.id)
    with pytest.raises(Exception, match="no such file"):
        bootstrap.services().storage.read(key)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/x.png", "upload:videos/default/secret.mp4", "file:///etc/passwd", "data:x"],
)
def test_no_address_gets_at_what_is_ours(stack: Stack, url: str) -> None:
    answer = httpx.post(
        f"{stack.url}/v1/videos", json={"prompt": "p", "input_reference": {"image_url": url}}
    )
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == "input_reference"


def test_a_remix(client: OpenAI) -> None:
    first = client.videos.create_and_poll(prompt="a paper boat", **TIMES)
    second = client.videos.remix(first.id, prompt="the same at night")
    assert second.remixed_from_video_id == first.id
    assert (second.model, second.size, second.seconds) == (first.model, first.size, first.seconds)
    assert client.videos.poll(second.id, **TIMES).status == "completed"
    with pytest.raises(openai.ConflictError):
        client.videos.remix(client.videos.create(prompt="[stuck]").id, prompt="p")
    with pytest.raises(openai.NotFoundError):
        client.videos.remix(UNKNOWN, prompt="p")
    with pytest.raises(openai.BadRequestError, match="1 to 4,000"):
        client.videos.remix(first.id, prompt=" ")


def test_json_bodies(stack: Stack) -> None:
    def post(**body: Any) -> httpx.Response:
        return httpx.post(f"{stack.url}/v1/videos", json=body)

    made = post(prompt="[stuck] json", seconds=12)
    assert (made.status_code, made.json()["seconds"]) == (200, "12")
    nothing = post()
    assert nothing.status_code == 400
    assert nothing.json()["error"]["type"] == "invalid_request_error"
    assert nothing.json()["error"]["param"] == "prompt"
    unknown = post(prompt="p", model="no-such")
    assert (unknown.status_code, unknown.json()["error"]["param"]) == (400, "model")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"prompt=p", "application/x-www-form-urlencoded", 415),
        (b"prompt", "", 415),
        (b"\xff", "multipart/form-data", 400),
        (b"\xff", "multipart/form-data; boundary=x", 400),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x", 400),
        (b"x" * 4_300_000, "multipart/form-data; boundary=x", 413),
    ],
)
def test_bodies_that_cannot_be_read(stack: Stack, content: bytes, kind: str, status: int) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = httpx.post(f"{stack.url}/v1/videos", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}


def test_a_cap_is_insufficient_quota_and_not_tried_again(stack: Stack) -> None:
    key = stack.key("capped-sdk")
    bootstrap.services().accounts.set_caps("capped-sdk", Caps(videos=1))
    with connect(stack, key, max_retries=3) as client:
        client.videos.create(prompt="[stuck] the only one")
        began = time.monotonic()
        with pytest.raises(openai.RateLimitError, match="cap of 1 video a day") as refused:
            client.videos.create(prompt="p")
        assert refused.value.code == "insufficient_quota"
        assert 0 < int(refused.value.response.headers["Retry-After"]) <= 86_400
        assert time.monotonic() - began < 30
    bootstrap.services().accounts.set_caps("capped-sdk", Caps(concurrent=1))
    with connect(stack, key) as client, pytest.raises(openai.RateLimitError) as soon:
        client.videos.create(prompt="p")
    assert soon.value.code == "rate_limit_exceeded"
    with connect(stack, "ar_nobody") as client, pytest.raises(openai.PermissionDeniedError):
        client.videos.list()


def test_what_a_cap_refused_is_not_answered_with_another_video(stack: Stack) -> None:
    key = stack.key("one-at-a-time")
    bootstrap.services().accounts.set_caps("one-at-a-time", Caps(concurrent=1))
    with connect(stack, key, max_retries=3) as client:
        first = client.videos.create(prompt="[stuck] the same twice")
        with pytest.raises(openai.RateLimitError, match="1 video at one time"):
            client.videos.create(prompt="[stuck] the same twice")
        assert [one.id for one in client.videos.list()] == [first.id]


def test_a_field_that_there_is_not_is_told(client: OpenAI) -> None:
    video = client.videos.create(prompt="p", extra_body={"n": 4, "quality": "high"})
    assert "ignored: n, quality" in video.model_dump()["notices"]


def test_addresses_that_there_are_not(client: OpenAI, stack: Stack) -> None:
    with pytest.raises(openai.NotFoundError, match="nothing at this address"):
        client.files.list()
    names = {model.id for model in client.models.list()}
    assert "studio" in names


class Flaky(httpx.HTTPTransport):
    """A line that breaks after the request has arrived, for its first `breaks` POSTs."""

    def __init__(self, breaks: int) -> None:
        super().__init__()
        self.breaks = breaks
        self.posts = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if request.method == "POST":
            self.posts += 1
            if self.posts <= self.breaks:
                response.read()
                raise httpx.ReadTimeout("the line broke", request=request)
        return response


def test_a_client_s_own_second_try_makes_no_second_video(stack: Stack) -> None:
    line = Flaky(breaks=2)
    key = stack.key("flaky")
    plain = httpx.Client(transport=line, follow_redirects=True)
    with connect(stack, key, max_retries=3, http_client=plain) as client:
        video = client.videos.create(
            prompt="[stuck] once", input_reference=("a.png", picture(), "image/png")
        )
        assert line.posts == 3
        assert [one.id for one in client.videos.list()] == [video.id]
        another = client.videos.create(
            prompt="[stuck] once", input_reference=("a.png", picture(), "image/png")
        )
        assert another.id != video.id  # who asks twice, gets two
        same = [
            client.videos.create(prompt="p", extra_headers={"Idempotency-Key": "k"}).id
            for _ in range(2)
        ]
        assert same[0] == same[1]
        sentence = "This Idempotency-Key came before, with another request; give each request its"
        with pytest.raises(openai.BadRequestError, match=sentence):
            client.videos.create(prompt="another", extra_headers={"Idempotency-Key": "k"})


def test_both_doors_lead_to_the_same_videos(
    client: OpenAI, api: httpx.Client, stack: Stack
) -> None:
    [result] = act(api, '<createAIVideo>{"prompt": "through a tag"}</createAIVideo>')
    name = "video_" + result["data"]["videoId"].replace("-", "")
    assert client.videos.retrieve(name).prompt == "through a tag"
    ended(api, result)
    assert client.videos.retrieve(name).status == "completed"
    assert [job["prompt"] for job in studio_jobs(stack)].count("through a tag") == 1
