"""The studio keeps to the OpenAI Videos protocol, renders real films, and fails when it is told."""

from __future__ import annotations

import dataclasses
import io
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from local.studio import Studio, form
from local.studio.job import Job
from local.studio.jobs import Jobs
from local.studio.render import render
from local.studio.words import ANSWERS

SMALL = {"size": "128x100", "seconds": "1"}
LONG = "The camera glides through an endless library. " * 90
ERROR = {"message", "type", "param", "code"}
PATIENCE = 60  # seconds: half as long as [create:hang] is silent


@contextmanager
def calling(studio: Studio) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer studio"}
    with httpx.Client(
        base_url=studio.url, headers=headers, timeout=PATIENCE, trust_env=False
    ) as client:
        yield client


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder under which studios that open from now on keep their films."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def alone(films: Path) -> Iterator[httpx.Client]:
    """A client of a studio that no other test uses, with one worker, and without a pace."""
    with Studio(workers=1, pace_seconds=0) as studio, calling(studio) as client:
        yield client


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with Studio(pace_seconds=0.3) as studio, calling(studio) as client:
        yield client


def post(client: httpx.Client, prompt: str, **more: Any) -> httpx.Response:
    return client.post("/videos", json=SMALL | {"prompt": prompt} | more)


def create(client: httpx.Client, prompt: str, **more: Any) -> dict[str, Any]:
    response = post(client, prompt, **more)
    assert response.status_code == 200, response.text
    video: dict[str, Any] = response.json()
    return video


def finish(
    client: httpx.Client, video: dict[str, Any], seconds: float = PATIENCE
) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while video["status"] in ("queued", "in_progress") and time.monotonic() < deadline:
        time.sleep(0.02)
        video = client.get(f"/videos/{video['id']}").json()
    return video


def film(client: httpx.Client, video: dict[str, Any], variant: str = "video") -> httpx.Response:
    return client.get(f"/videos/{video['id']}/content", params={"variant": variant})


def delete(client: httpx.Client, video: dict[str, Any]) -> httpx.Response:
    return client.delete(f"/videos/{video['id']}")


def page(client: httpx.Client, **params: Any) -> dict[str, Any]:
    response = client.get("/videos", params=params)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def prompts(client: httpx.Client) -> list[str]:
    return [video["prompt"] for video in page(client, limit=100)["data"]]


def boxes(data: bytes) -> dict[str, bytes]:
    """The boxes of an MP4 in their order, one level deep."""
    found, at = {}, 0
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        found[name.decode("latin-1")] = data[at + 8 : at + length]
        at += length
    return found


def measure(mp4: bytes) -> tuple[int, int, float]:
    """Width and height in pixels, length in seconds, as the file itself says."""
    moov = boxes(boxes(mp4)["moov"])
    scale, length = struct.unpack_from(">II", moov["mvhd"], 12)
    width, height = struct.unpack_from(">II", boxes(moov["trak"])["tkhd"], 76)
    return width >> 16, height >> 16, length / scale


def test_a_job_goes_from_queued_to_a_film(client: httpx.Client) -> None:
    asked = time.time()
    video = create(client, "A paper boat", model="sora-2-pro", seconds="2")
    assert video["status"] in ("queued", "in_progress")
    assert video["id"].startswith("video_")
    assert {"object": "video", "model": "sora-2-pro", "seconds": "2"}.items() <= video.items()
    assert video["completed_at"] is video["error"] is None
    early = film(client, create(client, "[stuck]"))
    assert early.status_code == 404
    assert "not ready" in early.json()["error"]["message"]
    assert video["progress"] < 100
    video = finish(client, video)
    assert time.time() - asked >= 0.3
    assert (video["status"], video["progress"]) == ("completed", 100)
    assert video["created_at"] <= video["completed_at"] <= time.time()
    assert video["usage"] == {"cost": 0}

    content = film(client, video)
    assert content.headers["content-type"] == "video/mp4"
    names = list(boxes(content.content))
    assert names.index("moov") < names.index("mdat")
    assert b"avc1" in content.content
    assert measure(content.content) == (128, 100, 2.0)
    poster = film(client, video, "thumbnail")
    assert poster.headers["content-type"] == "image/webp"
    with Image.open(io.BytesIO(poster.content)) as image:
        assert (image.format, image.size) == ("WEBP", (128, 100))
    assert film(client, video, "soundtrack").status_code == 400


def test_progress_is_the_slower_of_the_render_and_the_pace() -> None:
    job = Job("p", "sora-2", "128x100", "1", pace=100, created=time.time() - 50)
    steps: tuple[tuple[str, int, dict[str, Any]], ...] = (
        ("queued", 0, {}),
        ("in_progress", 0, {"begun": True}),
        ("in_progress", 19, {"rendered": 0.2}),
        ("in_progress", 49, {"rendered": 1.0}),
        ("in_progress", 49, {"finished": time.time()}),
        ("completed", 100, {"created": time.time() - 100}),
        ("failed", 99, {"error": {"code": "server_error", "message": "m"}}),
    )
    for status, progress, changes in steps:
        job = dataclasses.replace(job, **changes)
        shown = job.document()
        assert (shown["status"], shown["progress"]) == (status, progress)


@pytest.mark.parametrize(
    "prompt", [LONG, "Café 🚤 一只纸船 \ud800\x00", "🚤", "';[in]drawtext=text=%{pts}:\\'"]
)
@pytest.mark.parametrize("size", ["180x320", "320x180"])
def test_any_prompt_can_be_drawn(tmp_path: Path, prompt: str, size: str) -> None:
    shares: list[float] = []
    made, poster = render(tmp_path, prompt, "note", size, 1, shares.append)
    width, height = map(int, size.split("x"))
    assert measure(made.read_bytes()) == (width, height, 1.0)
    assert shares[-1] == 1.0
    with Image.open(poster) as image:
        assert image.size == (width, height)


def test_a_wider_font_need_not_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.studio.caption.WIDER_FONTS", ("none.ttf",))
    render(tmp_path, "Café — 一只纸船", "note", "320x180", 1, lambda share: None)


def test_a_render_ends_with_what_its_progress_raises(tmp_path: Path) -> None:
    def progress(_: float) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        render(tmp_path, "p", "n", "128x100", 60, progress)


def test_a_render_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").mkdir()
    with pytest.raises(RuntimeError, match=r"film\.mp4"):
        render(tmp_path, "p", "n", "128x100", 1, lambda share: None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", " "),
        ("prompt", ""),
        ("model", ""),
        ("seconds", "0"),
        ("seconds", 61),
        ("seconds", "eight"),
        ("size", "1280"),
        ("size", "98x100"),
        ("size", "101x100"),
        ("size", "2000x100"),
    ],
)
def test_a_bad_field_is_refused(client: httpx.Client, field: str, value: Any) -> None:
    response = post(client, **{"prompt": "p", field: value})
    assert response.status_code == 400
    error = response.json()["error"]
    assert set(error) == ERROR
    assert error["type"] == "invalid_request_error"
    assert field in error["message"]


def picture(kind: str = "PNG", width: int = 128, height: int = 100) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (width, height)).save(made, kind)
    return made.getvalue()


def send_form(
    client: httpx.Client, reference: bytes | None = None, /, **data: str
) -> httpx.Response:
    # A name makes it a form even where no file goes with it.
    none = {"nothing": (None, "")}
    file = {"input_reference": ("a picture", reference)} if reference is not None else none
    return client.post("/videos", data=SMALL | data, files=file)


def test_a_form_is_read_as_json_is(client: httpx.Client) -> None:
    prompt = 'Café 🚤\r\n"a"\r\r\n\n--b [fail:server]'
    response = send_form(client, prompt=prompt, model="m", seconds="2")
    assert response.status_code == 200, response.text
    assert {"prompt": prompt, "model": "m", "seconds": "2"}.items() <= response.json().items()
    refused = send_form(client, prompt="p", seconds="61")
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "seconds")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_form_can_bring_a_picture_of_the_size_of_the_video(
    client: httpx.Client, kind: str
) -> None:
    assert send_form(client, picture(kind), prompt="p [fail:server]").status_code == 200


def test_bytes_of_a_form_come_whole() -> None:
    for tail in (b"", b"\r", b"\n", b"\r\n", b"\r\n--", b"\r\r\n\n"):
        content = bytes(range(256)) * 100 + tail
        request = httpx.Request("POST", "http://s", files={"file": ("a", content)})
        assert form.fields(request.read(), request.headers["content-type"]) == {"file": content}


@pytest.mark.parametrize(
    "reference",
    [
        picture(width=100, height=128),
        picture("GIF"),
        picture()[:20],
        b"",
        "https://e.x/a.png",
        {},
        {"image_url": 1},
        {"image_url": "https://e.x/a.png", "file_id": "file_1"},
    ],
)
def test_another_reference_is_refused(client: httpx.Client, reference: Any) -> None:
    if isinstance(reference, bytes):
        response = send_form(client, reference, prompt="p")
    else:
        response = post(client, "p", input_reference=reference)
    assert (response.status_code, response.json()["error"]["param"]) == (400, "input_reference")


@pytest.mark.parametrize("name", ["image_url", "file_id"])
def test_a_reference_can_be_named(client: httpx.Client, name: str) -> None:
    video = create(client, "p [fail:server]", input_reference={name: "https://e.x/a.png"})
    assert video["size"] == SMALL["size"]
    flat = {f"input_reference[{name}]": "https://e.x/a.png"}
    assert send_form(client, prompt="p [fail:server]", **flat).status_code == 200
    both = {"input_reference[image_url]": "https://e.x/a.png", "input_reference[file_id]": "f"}
    assert send_form(client, prompt="p", **both).status_code == 400


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[]", "application/json"),
        (b"", "multipart/form-data"),
        (b"", "multipart/form-data; boundary=b"),
        (b"no form", "multipart/form-data; boundary=b"),
        (b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\np', "b"),
        (b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n\xff\r\n--b--', "b"),
        (b"--b\r\nContent-Type: message/rfc822\r\n\r\np\r\n--b--", "b"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    client: httpx.Client, body: bytes, content_type: str
) -> None:
    if content_type == "b":
        content_type = "multipart/form-data; boundary=b"
    response = client.post("/videos", content=body, headers={"Content-Type": content_type})
    assert response.status_code == 400
    assert response.json()["error"]["param"] is None, "the body as a whole, not one of its fields"


def test_what_is_not_a_call_is_refused_in_the_same_shape(client: httpx.Client) -> None:
    refused = [
        (400, client.post("/videos", content="{")),
        (401, client.get("/videos", headers={"Authorization": "Bearer other"})),
        (404, client.get("/videos/video_none")),
        (404, client.get("/videos/video_none/content")),
        (404, client.get("/elsewhere")),
    ]
    for status, response in refused:
        assert response.status_code == status
        assert set(response.json()["error"]) == ERROR


def test_the_key_is_a_choice() -> None:
    with Studio(api_key="k") as studio, calling(studio) as client:
        assert client.get("/videos").status_code == 401
        assert client.get("/videos", headers={"Authorization": "Bearer k"}).status_code == 200


def test_jobs_are_listed_in_pages(alone: httpx.Client) -> None:
    nothing: dict[str, Any] = {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }
    assert page(alone) == nothing
    made = [create(alone, f"{number} [fail:server]")["id"] for number in range(23)]
    for params, ids, more in (
        ({}, made[:2:-1], True),
        ({"limit": 23}, made[::-1], False),
        ({"limit": 22}, made[:0:-1], True),
        ({"limit": 100, "order": "asc"}, made, False),
        ({"limit": 1, "after": made[20]}, [made[19]], True),
        ({"after": made[2]}, [made[1], made[0]], False),
        ({"after": made[20], "order": "asc"}, made[21:], False),
        ({"after": made[0]}, [], False),
    ):
        found = page(alone, **params)
        assert [video["id"] for video in found["data"]] == ids
        assert (found["first_id"], found["last_id"]) == ((ids or [None])[0], (ids or [None])[-1])
        assert (found["object"], found["has_more"]) == ("list", more)
    assert page(alone, limit=1)["data"] == [alone.get(f"/videos/{made[-1]}").json()]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("0", "101", "-1", "020", "2.5", "ten", "")),
        *(("order", value) for value in ("newest", "DESC", "")),
        ("after", "video_none"),
    ],
)
def test_a_bad_page_is_refused(client: httpx.Client, name: str, value: str) -> None:
    response = client.get("/videos", params={name: value})
    assert response.status_code == 400
    error = response.json()["error"]
    assert set(error) == ERROR
    assert (error["type"], error["param"]) == ("invalid_request_error", name)


def test_a_list_lags_or_leaves_out(alone: httpx.Client) -> None:
    prompt = "late [unlisted*2][fail:server]"
    late, never = create(alone, prompt), create(alone, "never [unlisted] [fail:server]")
    shown = create(alone, "shown [fail:server]")
    lists = [page(alone, limit=2) for _ in range(4)]
    assert [[video["id"] for video in found["data"]] for found in lists] == [
        *[[shown["id"]]] * 2,
        *[[shown["id"], late["id"]]] * 2,
    ]
    assert not any(found["has_more"] for found in lists)
    create(alone, prompt)
    assert prompts(alone)[0] == "shown [fail:server]", "another job with the words lags anew"
    assert finish(alone, never)["status"] == "failed"


def test_a_list_fails_where_it_shows_the_job_with_the_word(alone: httpx.Client) -> None:
    old = create(alone, "[list:500*1][list:half*1][list:empty*1][list:drop*1] [fail:server]")
    new = create(alone, "[list:404*1] [fail:server]")
    assert alone.get("/videos").status_code == 404
    [shown] = page(alone, limit=1)["data"]
    assert shown["id"] == new["id"], "what the older job wants is not asked yet"
    assert alone.get("/videos").status_code == 500
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        alone.get("/videos")
    assert alone.get("/videos", params={"after": new["id"]}).content == b""
    with pytest.raises(httpx.RemoteProtocolError):
        alone.get("/videos")
    assert [video["id"] for video in page(alone)["data"]] == [new["id"], old["id"]]


def test_job_words(client: httpx.Client) -> None:
    blocked = create(client, "[fail:moderation]")
    broken = create(client, "[fail:server]")
    slow, stuck = create(client, "[slow]"), create(client, "[stuck]")
    ready = create(client, "p [instant]")
    assert (ready["status"], ready["progress"]) == ("completed", 100)
    assert film(client, ready).status_code == 200
    blocked, broken = finish(client, blocked), finish(client, broken)
    assert (blocked["status"], blocked["error"]["code"]) == ("failed", "moderation_blocked")
    assert (broken["status"], broken["error"]["code"]) == ("failed", "server_error")
    assert blocked["completed_at"] is None and 0 < blocked["progress"] < 100
    assert "failed" in film(client, blocked).json()["error"]["message"]
    for video in (slow, stuck):
        assert finish(client, video, 0.4)["status"] == "in_progress"


@pytest.mark.parametrize(
    "call", ["create", "created", "poll", "list", "content", "poster", "cancel"]
)
def test_every_call_can_be_refused(client: httpx.Client, call: str) -> None:
    refusals = {word: answer for word, answer in ANSWERS.items() if answer.status >= 400}
    assert len(refusals) == 12
    words = "".join(f"[{call}:{word}*1]" for word in refusals)
    prompt = f"refuse to {call} {words} {'[stuck]' if call == 'cancel' else '[instant]'}"
    if call in ("create", "created"):
        responses = [post(client, prompt) for _ in refusals]
    else:
        job = f"/videos/{create(client, prompt)['id']}"
        method, path = {
            "poll": ("GET", job),
            "list": ("GET", "/videos"),
            "content": ("GET", f"{job}/content"),
            "poster": ("GET", f"{job}/content?variant=thumbnail"),
            "cancel": ("DELETE", job),
        }[call]
        responses = [client.request(method, path) for _ in refusals]
    assert [response.status_code for response in responses] == [
        answer.status for answer in refusals.values()
    ]
    for response in responses:
        assert set(response.json()["error"]) == ERROR
    assert (prompt in prompts(client)) == (call != "create")


def test_refusals_can_be_told_apart(client: httpx.Client) -> None:
    codes = {
        "402": "billing_hard_limit_reached",
        "429": "rate_limit_exceeded",
        "quota": "insufficient_quota",
        "moderation": "content_policy_violation",
    }
    for answer, code in codes.items():
        assert post(client, f"[create:{answer}]").json()["error"]["code"] == code


def test_answers_that_are_no_answer(client: httpx.Client) -> None:
    page = post(client, "[create:html]")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html")
    nothing = post(client, "[create:empty]")
    assert (nothing.status_code, nothing.content) == (200, b"")
    with pytest.raises(httpx.RemoteProtocolError):
        post(client, "[create:drop]")
    with pytest.raises(httpx.ReadTimeout):
        client.post("/videos", json={"prompt": "[create:hang]"}, timeout=0.2)
    video = create(client, "[poll:drop*1]")
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(f"/videos/{video['id']}")
    assert finish(client, video)["status"] == "completed"


def test_an_answer_can_be_lost_though_the_job_was_made(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        post(client, "lost [created:drop]")
    assert prompts(client)[0] == "lost [created:drop]"


def test_a_refusal_can_say_when_to_ask_again(client: httpx.Client) -> None:
    prompt = "busy [create:429 after 7*2][create:429*1][poll:503 after 30*1] [fail:server]"
    refused = [post(client, prompt) for _ in range(3)]
    assert [response.status_code for response in refused] == [429] * 3
    assert [response.headers.get("retry-after") for response in refused] == ["7", "7", None]
    video = create(client, prompt)
    poll = client.get(f"/videos/{video['id']}")
    assert (poll.status_code, poll.headers["retry-after"]) == (503, "30")
    assert "retry-after" not in client.get(f"/videos/{video['id']}").headers


@pytest.mark.parametrize(("call", "variant"), [("content", "video"), ("poster", "thumbnail")])
def test_a_film_can_be_elsewhere(client: httpx.Client, call: str, variant: str) -> None:
    video = create(client, f"[instant] [{call}:redirect*1] [{call}:redirect-away*1]")
    here, away, file = (film(client, video, variant) for _ in range(3))
    assert (here.status_code, away.status_code, file.status_code) == (302, 302, 200)
    assert away.headers["location"] == "http://169.254.169.254/latest/meta-data/"
    there = here.url.join(here.headers["location"])
    assert (there.host, there.port) == (here.url.host, here.url.port)
    assert there.path != here.url.path
    assert httpx.get(there, trust_env=False).status_code == 401
    followed = client.get(there)
    assert (followed.content, followed.headers["content-type"]) == (
        file.content,
        file.headers["content-type"],
    )
    assert client.get(f"/videos/{create(client, '[stuck]')['id']}/files/video").status_code == 404


def test_words_are_used_up(client: httpx.Client) -> None:
    prompt = "once [create:429*2][create:503*1][poll:500*2]"
    statuses = [post(client, prompt).status_code for _ in range(4)]
    assert statuses == [429, 429, 503, 200]
    video = client.get("/videos").json()["data"][0]
    polls = [client.get(f"/videos/{video['id']}").status_code for _ in range(3)]
    assert polls == [500, 500, 200]
    assert post(client, "another [create:429*1]").status_code == 429


def test_content_can_be_cut(client: httpx.Client) -> None:
    video = create(
        client, "[instant] [content:half*1] [content:cut*1] [content:html*1] [poster:none]"
    )
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        film(client, video)
    cut, page, whole = film(client, video), film(client, video), film(client, video)
    assert int(cut.headers["content-length"]) == len(cut.content) == len(whole.content) // 2
    assert whole.content.startswith(cut.content)
    assert page.text.startswith("<!doctype html>")
    assert film(client, video, "thumbnail").status_code == 404


def gone(client: httpx.Client, video: dict[str, Any]) -> bool:
    calls = ("GET", ""), ("GET", "/content"), ("GET", "/files/video"), ("DELETE", "")
    answers = [client.request(method, f"/videos/{video['id']}{rest}") for method, rest in calls]
    return {answer.status_code for answer in answers} == {404} and all(
        video["id"] != other["id"] for other in page(client, limit=100)["data"]
    )


def test_a_finished_job_can_be_deleted(alone: httpx.Client, films: Path) -> None:
    kept = create(alone, "kept [instant]")
    for prompt in ("[instant] [cancel:unsupported]", "[fail:server] [cancel:unsupported]"):
        video = finish(alone, create(alone, prompt))
        response = delete(alone, video)
        assert response.status_code == 200
        assert response.json() == {"id": video["id"], "object": "video.deleted", "deleted": True}
        assert gone(alone, video)
    assert [path.parent.name for path in films.rglob("film.mp4")] == [kept["id"]]
    assert film(alone, kept).status_code == 200


def test_a_delete_ends_the_rendering(
    alone: httpx.Client, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            begun.append(self)

    monkeypatch.setattr("subprocess.Popen", Watched)
    video = create(alone, "p", size="1998x1998", seconds="60")
    deadline = time.monotonic() + PATIENCE
    while not begun and time.monotonic() < deadline:
        time.sleep(0.01)
    [ffmpeg] = begun
    response = delete(alone, video)
    assert response.json() == {"id": video["id"], "object": "video.deleted", "deleted": True}
    assert ffmpeg.returncode == -signal.SIGKILL, "it ended before the answer, and not by itself"
    assert not list(films.rglob("*.*"))
    assert gone(alone, video)
    assert finish(alone, create(alone, "the worker is free"))["status"] == "completed"


def test_a_delete_takes_a_job_off_the_queue(
    alone: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []
    may_end = threading.Event()

    def pretend(folder: Path, prompt: str, *_: object) -> tuple[Path, Path]:
        rendered.append(prompt)
        assert may_end.wait(PATIENCE)
        return folder, folder

    monkeypatch.setattr("local.studio.render.render", pretend)
    first, second, third = (create(alone, prompt) for prompt in ("first", "second", "third"))
    assert delete(alone, second).status_code == 200
    assert gone(alone, second)
    may_end.set()
    assert finish(alone, third)["status"] == finish(alone, first)["status"] == "completed"
    assert rendered == ["first", "third"]


def test_a_delete_may_be_no_way_to_cancel(alone: httpx.Client) -> None:
    words = "[cancel:unsupported*2][cancel:405*1][cancel:drop*1]"
    video = create(alone, f"[stuck] {words}[cancelled:drop]")
    for status in (400, 400, 405):
        response = delete(alone, video)
        assert (response.status_code, set(response.json()["error"])) == (status, ERROR)
    with pytest.raises(httpx.RemoteProtocolError):
        delete(alone, video)
    assert alone.get(f"/videos/{video['id']}").status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        delete(alone, video)
    assert gone(alone, video)


def test_a_key_makes_one_job(alone: httpx.Client) -> None:
    def ask(prompt: str, key: str | None, **more: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key is not None else {}
        return alone.post("/videos", json={"prompt": prompt} | SMALL | more, headers=headers)

    first = ask("one", "a").json()
    assert finish(alone, first)["status"] == "completed"
    again = ask("one", "a")
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert again.json()["status"] == "completed", "the document is the present one"
    for changed in (ask("two", "a"), ask("one", "a", seconds="2"), ask("one", "a", more=1)):
        assert (changed.status_code, set(changed.json()["error"])) == (422, ERROR)
    assert len({first["id"], *(ask("one", key).json()["id"] for key in ("b", "", None))}) == 4
    assert delete(alone, first).status_code == 200
    assert ask("one", "a").status_code == 410
    assert len(prompts(alone)) == 3


def test_a_key_makes_one_job_however_many_ask_at_once(
    alone: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Jobs.add

    def slowly(jobs: Jobs, job: Job) -> None:
        time.sleep(0.2)  # so that all others come meanwhile
        add(jobs, job)

    monkeypatch.setattr(Jobs, "add", slowly)
    body, headers = SMALL | {"prompt": "p [instant]"}, {"Idempotency-Key": "k"}
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(alone.post, "/videos", json=body, headers=headers) for _ in range(8)]
        answers = [future.result().json() for future in asked]
    assert {answer["status"] for answer in answers} == {"completed"}
    assert {answer["id"] for answer in answers} == {page(alone)["first_id"]}
    assert len(prompts(alone)) == 1


def test_a_key_gives_the_job_whose_answer_was_lost(alone: httpx.Client) -> None:
    def ask(prompt: str) -> httpx.Response:
        body, headers = SMALL | {"prompt": prompt}, {"Idempotency-Key": prompt}
        return alone.post("/videos", json=body, headers=headers)

    lost = "lost [created:drop*1][created:503*1] [stuck]"
    with pytest.raises(httpx.RemoteProtocolError):
        ask(lost)
    assert ask(lost).status_code == 503
    refused = "refused [create:500*1][create:429*1] [stuck]"
    assert [ask(refused).status_code for _ in range(2)] == [500, 429]
    assert prompts(alone) == [lost]
    ids = [ask(prompt).json()["id"] for prompt in (lost, refused, lost, refused)]
    assert ids[:2] == ids[2:]
    assert prompts(alone) == [refused, lost]


def test_fifty_at_once_are_rendered_two_by_two(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work: list[str] = []
    most: list[int] = []
    two = threading.Barrier(2, timeout=PATIENCE)  # of fifty, each has another at its side

    def pretend(folder: Path, prompt: str, *_: object) -> tuple[Path, Path]:
        at_work.append(prompt)
        most.append(len(at_work))
        two.wait()
        at_work.remove(prompt)
        return folder, folder

    monkeypatch.setattr("local.studio.render.render", pretend)
    with (
        Studio(pace_seconds=0) as studio,
        calling(studio) as client,
        ThreadPoolExecutor(50) as pool,
    ):
        made = list(pool.map(lambda number: create(client, f"number {number}"), range(50)))
        assert {finish(client, job)["status"] for job in made} == {"completed"}
        assert len(set(prompts(client))) == len(most) == 50
    assert max(most) == 2


def test_a_render_that_fails_fails_its_job_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> tuple[Path, Path]:
        raise RuntimeError("no space left")

    with Studio(workers=1, pace_seconds=0) as studio, calling(studio) as client:
        with monkeypatch.context() as patch:
            patch.setattr("local.studio.render.render", broken)
            video = finish(client, create(client, "p"))
        assert video["status"] == "failed"
        assert video["error"] == {"code": "server_error", "message": "no space left"}
        assert create(client, "p [instant]")["status"] == "completed"


def test_stop_ends_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    studio = Studio()
    studio.stop()
    with pytest.raises(RuntimeError):
        _ = studio.url
    studio.start()
    port = httpx.URL(studio.url).port
    with calling(studio) as client, ThreadPoolExecutor(2) as pool:
        hanging = pool.submit(post, client, "[create:hang]")
        instant = pool.submit(post, client, "[instant]", size="1280x720", seconds="60")
        for _ in range(4):
            create(client, "p", size="1280x720", seconds="60")
        deadline = time.monotonic() + PATIENCE
        while len(list(tmp_path.rglob("film.mp4"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)  # until both workers are at it, and the one for instant jobs
        assert list(tmp_path.rglob("film.mp4"))
        started = time.monotonic()
        studio.stop()
        studio.stop()
        assert time.monotonic() - started < PATIENCE
        assert isinstance(hanging.exception(PATIENCE), httpx.RemoteProtocolError)
        assert instant.result(PATIENCE).json()["status"] == "in_progress"
    assert not list(tmp_path.iterdir())
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port or 0), timeout=1)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_alone_until_a_signal(tmp_path: Path, ending: signal.Signals) -> None:
    command = [sys.executable, "-m", "local.studio", "--port", "0"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as alone:
        assert alone.stdout and alone.stderr
        [url] = re.findall(r"http\S+/v1", alone.stdout.readline())
        body = {"prompt": "p", "seconds": "60"}
        headers = {"Authorization": "Bearer studio"}
        assert httpx.post(f"{url}/videos", json=body, headers=headers).status_code == 200
        deadline = time.monotonic() + 10
        while not list(tmp_path.rglob("film.mp4")) and time.monotonic() < deadline:
            time.sleep(0.02)
        alone.send_signal(ending)
        assert alone.wait(timeout=PATIENCE) == 0
        assert alone.stderr.read() == ""
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_is_an_error(client: httpx.Client) -> None:
    port = client.base_url.port or 0
    with pytest.raises(OSError, match=f"cannot listen on port {port}: Address already in use"):
        Studio(port=port).start()
    command = [sys.executable, "-m", "local.studio", "--port", str(port)]
    alone = subprocess.run(command, capture_output=True, text=True)
    assert alone.returncode == 1
    assert alone.stderr.startswith("The studio cannot open")
    assert "Traceback" not in alone.stderr


def test_a_start_does_not_wait_for_what_renders() -> None:
    check = (
        "import sys, local.studio; sys.exit({'PIL', 'imageio_ffmpeg'} & set(sys.modules) != set())"
    )
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


def test_it_can_be_opened_again() -> None:
    studio = Studio(pace_seconds=0)
    for _ in range(2):
        with studio, calling(studio) as client:
            assert prompts(client) == []
            assert create(client, "p [instant]")["status"] == "completed"


def test_workers_do_not_outlive_the_studio() -> None:
    before = threading.active_count()
    with Studio() as studio, calling(studio) as client:
        create(client, "[instant]")
    deadline = time.monotonic() + PATIENCE
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() <= before
