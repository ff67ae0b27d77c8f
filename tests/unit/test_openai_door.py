"""OpenAI's door: the shapes of its documents, its forms, its images, and deleting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import repeat
from typing import Any

import pytest
from botocore.exceptions import ClientError

from actionreel import jobs, openai_door
from actionreel.aws.s3 import S3VideoStorage
from actionreel.deletion import delete
from actionreel.errors import AssetUnavailableError, RequestError, VideoNotFoundError
from actionreel.forms import FormFile, read_form
from actionreel.models import Failure, Video
from actionreel.orders import Image
from actionreel.retries import retry
from actionreel.uploads import new_upload, uploaded
from tests.fakes import NOON, PENDING, REQUEST, VIDEO_ID, a_job, a_video, at, record

FORM = "multipart/form-data; boundary=x"
WHOLE = (
    b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na boat\r\n'
    b'--x\r\nContent-Disposition: form-data; name="input_reference"; filename="a.png"\r\n\r\n'
    b"\x89PNG\r\n--x--\r\n"
)
REFUSED = Failure(code="moderation", message="Refused.")


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("queued", "queued"),
        ("submitting", "queued"),
        ("generating", "in_progress"),
        ("storing", "in_progress"),
        ("completed", "completed"),
        ("failed", "failed"),
        ("cancelled", "failed"),
        ("expired", "failed"),
        ("unknown", "failed"),
    ],
)
def test_every_status_has_a_word_and_every_failure_a_reason(status: Any, shown: str) -> None:
    ended = status in ("failed", "cancelled", "expired", "unknown")
    video = a_video(status=status, failure=REFUSED if ended else None)
    document = openai_door.video_object(video)
    assert document["status"] == shown
    reason = {"code": "moderation_blocked", "message": "Refused."}
    assert document["error"] == (reason if ended else None)
    assert (document["created_at"], document["expires_at"]) == (int(NOON.timestamp()), None)
    assert document["seconds"] == str(video.seconds)
    if status == "failed":
        assert openai_door.video_object(a_video(status="failed"))["error"]["message"]


def test_a_name_is_one_id_and_an_id_one_name() -> None:
    name = openai_door.public_id(VIDEO_ID)
    assert openai_door.video_id(name) == VIDEO_ID
    for other in (VIDEO_ID, name.upper(), f"{name}\n", f" {name}", f"{name}0", "video_", ""):
        assert openai_door.video_id(other) == ""


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ("limit: too many.", "limit"),
        ("The image is damaged.", "input_reference"),
        ("input_reference_url is no text.", "input_reference"),
        ("The prompt is long.", "prompt"),
        ("There is no model of that name.", "model"),
        ("Not now.", None),
    ],
)
def test_the_field_that_an_error_is_about(said: str, param: str | None) -> None:
    assert openai_door.param_of(said) == param


@pytest.mark.parametrize("nothing", [None, "", {}])
def test_an_empty_reference_is_none(nothing: Any) -> None:
    given = {"prompt": "p", "size": "", "input_reference": nothing}
    assert openai_door.tag_body(given) == ({"prompt": "p"}, None)


def test_fields_that_there_are_not_go_on_by_their_names_alone() -> None:
    given = {"prompt": "p", "n": 4, "input_reference_url": "https://e.x/a.png"}
    assert openai_door.tag_body(given) == ({"prompt": "p", "n": None}, None)


def test_a_second_try_asks_for_no_more_than_it_has_to_see() -> None:
    old = a_video(created_at=NOON - openai_door.SECOND_TRY, request_digest="d")
    new = a_video(created_at=NOON - openai_door.SECOND_TRY + timedelta(seconds=1))
    made = new.model_copy(update={"request_digest": "d"})
    assert openai_door.second_try([new, made, old], "d", NOON) == made
    assert openai_door.second_try(repeat(old), "d", NOON) is None  # without an end


def test_a_form_is_read() -> None:
    assert read_form(WHOLE, FORM) == {
        "prompt": "a boat",
        "input_reference": FormFile("a.png", b"\x89PNG"),
    }


@pytest.mark.parametrize("length", range(len(WHOLE) - 4))
def test_a_form_that_was_cut_off_is_none(length: int) -> None:
    with pytest.raises(RequestError) as refused:
        read_form(WHOLE[:length], FORM)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", FORM.replace("x", ""), "multipart/form-data; boundary=y"]
)
def test_a_form_without_its_boundary_is_none(kind: str) -> None:
    with pytest.raises(RequestError):
        read_form(WHOLE, kind)


def from_upload() -> Any:
    url = new_upload("default", Image(b"x", "image/png", 300, 400)).url
    return a_job(request=REQUEST.model_copy(update={"input_reference_url": url, "size": None}))


def test_an_upload_that_is_gone_is_told_before_anything_is_asked() -> None:
    services = at("queued")
    job = jobs.create(from_upload(), services)
    assert (job.status, services.studio.orders) == ("failed", [])
    assert job.failure and "no longer kept" in job.failure.message


def test_who_fetches_images_gets_a_link_to_the_upload() -> None:
    services, job = at("queued", PENDING), from_upload()
    key = uploaded(job.request.input_reference_url)
    assert key
    services.storage.save(key, iter([b"x"]), "image/png")
    jobs.create(job, services)
    [order] = services.studio.orders
    assert str(order.request.input_reference_url).startswith(f"https://files.test/{key}")


def test_two_uploads_of_one_image_are_told_apart_by_their_keys_alone() -> None:
    image = Image(b"x", "image/png", 300, 400)
    one, other = new_upload("t", image), new_upload("t", image)
    assert (one.key != other.key, str(one)) == (True, str(other))


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_what_s3_says_of_a_file_that_is_not_there(code: str) -> None:
    class Refusing:
        def get_object(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": code}}, "GetObject")

    client: Any = Refusing()
    with pytest.raises(AssetUnavailableError):
        S3VideoStorage(client, "bucket").read("uploads/t/x.png")


@pytest.mark.parametrize("retried_as", [None, "0199f3a0-0000-7000-8000-000000000002"])
def test_an_image_that_a_retry_needs_stays(retried_as: str | None) -> None:
    key = "uploads/default/x.png"
    failed: Any = {"failure": REFUSED, "retried_as": retried_as}
    services = at("failed", input_reference_url=f"upload:{key}", **failed)
    services.storage.save(key, iter([b"x"]), "image/png")
    delete("default", VIDEO_ID, services)
    assert (key in services.storage.files) == (retried_as is not None)
    assert record(services).deleted_at is not None
    with pytest.raises(VideoNotFoundError):
        delete("default", VIDEO_ID, services)


@pytest.mark.parametrize(
    ("status", "delivery", "said"),
    [("generating", None, "Cancel it first"), ("completed", "owed", "still being sent")],
)
def test_what_is_not_over_is_not_deleted(status: str, delivery: Any, said: str) -> None:
    services = at(status, delivery=delivery)
    with pytest.raises(RequestError, match=said) as refused:
        delete("default", VIDEO_ID, services)
    assert refused.value.status == 409
    kept: Video = record(services)
    assert kept.deleted_at is None


@pytest.mark.parametrize("first", ["the files", "the mark"])
def test_a_retry_that_comes_between_keeps_its_image(first: str) -> None:
    """A delete has two steps; whoever asks for a retry meanwhile has it with its start image, or
    learns that the video is gone."""
    services, job = at("failed", failure=REFUSED), from_upload()
    upload = str(job.request.input_reference_url)
    services.videos.advance("default", VIDEO_ID, {"failed"}, input_reference_url=upload)
    key = uploaded(upload)
    assert key
    services.storage.save(key, iter([b"x"]), "image/png")
    tried: list[Video | VideoNotFoundError] = []
    remove = services.storage.delete

    def meanwhile(keys: Sequence[str]) -> None:
        if (key in keys) == (first == "the mark") and not tried:
            try:
                tried.append(retry("default", VIDEO_ID, services))
            except VideoNotFoundError as gone:
                tried.append(gone)
        remove(keys)

    services.storage.delete = meanwhile  # type: ignore[method-assign]
    delete("default", VIDEO_ID, services)
    assert len(tried) == 1
    assert (key in services.storage.files) == isinstance(tried[0], Video)
    assert isinstance(tried[0], Video) == (first == "the files")
