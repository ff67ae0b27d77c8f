"""The studio through the real openai SDK: what it says is the protocol to those who wrote it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI
from PIL import Image

from actionreel.mp4 import whole_mp4
from local.studio import Studio

# Every method of `videos` says that OpenAI's own service has ended; the protocol has not.
pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

# Smaller and shorter than the SDK's types allow, to be rendered soon.
SMALL: Any = {"model": "sora-2", "size": "128x100", "seconds": "1"}


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with Studio(pace_seconds=0.2) as running:
        yield running


def connect(studio: Studio, key: str = "studio") -> OpenAI:
    plain = openai.DefaultHttpxClient(trust_env=False)
    return OpenAI(base_url=studio.url, api_key=key, max_retries=0, timeout=60, http_client=plain)


@pytest.fixture
def client(studio: Studio) -> Iterator[OpenAI]:
    with connect(studio) as client:
        yield client


def test_a_video_from_creation_to_deletion(client: OpenAI) -> None:
    prompt = "Ein Papierboot im Regen ☔"
    video = client.videos.create(prompt=prompt, **SMALL)
    assert (video.object, video.error, video.completed_at) == ("video", None, None)
    assert video.status in ("queued", "in_progress")
    assert (video.prompt, video.model, video.size, video.seconds) == (prompt, *SMALL.values())

    done = client.videos.poll(video.id, poll_interval_ms=50)
    assert (done.id, done.status, done.progress) == (video.id, "completed", 100)
    assert (done.completed_at or 0) >= done.created_at == video.created_at

    film = client.videos.download_content(video.id)
    assert film.response.headers["content-type"] == "video/mp4"
    assert b"".join(whole_mp4([film.content])) == film.read()
    still = client.videos.download_content(video.id, variant="thumbnail")
    with Image.open(io.BytesIO(still.content)) as image:
        assert (image.format, image.size) == ("WEBP", (128, 100))

    gone = client.videos.delete(video.id)
    assert (gone.id, gone.object, gone.deleted) == (video.id, "video.deleted", True)
    with pytest.raises(openai.NotFoundError, match="nothing at /v1/videos/"):
        client.videos.retrieve(video.id)


def test_a_picture_goes_with_the_creation(client: OpenAI) -> None:
    def picture(width: int, height: int) -> tuple[str, bytes, str]:
        made = io.BytesIO()
        Image.new("RGB", (width, height), "teal").save(made, "PNG")
        return "boat.png", made.getvalue(), "image/png"

    prompt = "[fail:server]"
    video = client.videos.create(prompt=prompt, input_reference=picture(128, 100), **SMALL)
    assert video.prompt == prompt
    with pytest.raises(openai.BadRequestError) as refused:
        client.videos.create(prompt=prompt, input_reference=picture(100, 128), **SMALL)
    assert refused.value.param == "input_reference"
    # The SDK takes a link here by its types, and refuses it when it looks for files.
    link = {"input_reference": {"image_url": "https://example.com/boat.png"}}
    assert client.videos.create(prompt=prompt, extra_body=link, **SMALL).prompt == prompt
    with pytest.raises(openai.BadRequestError, match="input_reference"):
        client.videos.create(prompt=prompt, extra_body={"input_reference": {"url": "x"}}, **SMALL)


def test_what_is_left_out_has_the_values_of_the_protocol(client: OpenAI) -> None:
    video = client.videos.create(prompt="[fail:server]")
    assert (video.model, video.size, video.seconds) == ("sora-2", "720x1280", "4")


def test_a_job_that_fails_says_why(client: OpenAI) -> None:
    video = client.videos.create_and_poll(prompt="[fail:moderation]", poll_interval_ms=50, **SMALL)
    assert video.status == "failed"
    assert video.error is not None
    assert video.error.code == "moderation_blocked"
    assert video.error.message == "Rejected by the safety system."
    with pytest.raises(openai.NotFoundError, match="not ready: it is failed"):
        client.videos.download_content(video.id)


def test_the_list_is_paged() -> None:
    with Studio(pace_seconds=0) as alone, connect(alone) as client:
        assert list(client.videos.list()) == []
        made = [client.videos.create(prompt="[stuck]", **SMALL).id for _ in range(5)]
        newest = client.videos.list(limit=2)
        assert [video.id for video in newest.data] == made[:2:-1]
        assert (newest.has_more, newest.last_id) == (True, made[3])
        assert [video.id for video in newest] == made[::-1], "the SDK turns the pages by itself"
        oldest = client.videos.list(limit=2, order="asc", after=made[0])
        assert [video.id for video in oldest.data] == made[1:3]


@pytest.mark.parametrize(
    ("prompt", "kind", "code", "said"),
    [
        ("[create:400]", openai.BadRequestError, "invalid_value", "Invalid value for seconds."),
        ("[create:moderation]", openai.BadRequestError, "content_policy_violation", "safety"),
        ("[create:404]", openai.NotFoundError, "not_found", "no such model"),
        ("[create:429]", openai.RateLimitError, "rate_limit_exceeded", "Rate limit reached."),
        ("[create:quota]", openai.RateLimitError, "insufficient_quota", "current quota"),
        ("[create:500]", openai.InternalServerError, "server_error", "had an error"),
    ],
)
def test_a_refusal_is_the_error_of_the_sdk(
    client: OpenAI, prompt: str, kind: type[openai.APIStatusError], code: str, said: str
) -> None:
    with pytest.raises(kind, match=said) as refused:
        client.videos.create(prompt=prompt, **SMALL)
    assert refused.value.code == code


def test_a_bad_value_is_named(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match=r"Invalid value for seconds\.") as refused:
        client.videos.create(prompt="p", **SMALL | {"seconds": "61"})
    assert (refused.value.param, refused.value.type) == ("seconds", "invalid_request_error")


def test_a_wrong_key_is_refused(studio: Studio) -> None:
    with (
        connect(studio, "other") as stranger,
        pytest.raises(openai.AuthenticationError, match="Incorrect API key"),
    ):
        stranger.videos.create(prompt="p", **SMALL)
