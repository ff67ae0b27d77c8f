"""The main job through the running stack: HTTP in, real handlers, real files."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import imageio_ffmpeg
import pytest

from actionreel import bootstrap, messages
from actionreel.api_models import ActionsRequest
from actionreel.models import Video
from local.stack import Stack
from local.studio.words import JOB_WORDS
from tests.conftest import GIVE_UP_SECONDS, act, ended, executions, studio_jobs

SEED_MESSAGE = (
    '<createAIVideo>{"prompt": "scene description", "model": "sora-2", "seconds": 8, '
    '"size": "1280x720"}</createAIVideo>'
)


@pytest.fixture(scope="module")
def story(api: httpx.Client) -> dict[str, Any]:
    """One message, from its first answer to its video."""
    [first] = act(api, SEED_MESSAGE, conversationId="story", meta={"_meta_actions": ["REQUEST"]})
    return {"first": first, "last": ended(api, first)}


def record(api: httpx.Client, result: dict[str, Any]) -> dict[str, Any]:
    video_id = result.get("videoId") or result["data"]["videoId"]
    shown: dict[str, Any] = api.get(f"/videos/{video_id}").json()
    return shown


def test_first_answer_is_pending(story: dict[str, Any]) -> None:
    first = story["first"]
    assert first["type"] == "VIDEO_PENDING"
    assert first["data"]["status"] == "queued"
    assert first["_meta_actions"] == ["REQUEST"]


def test_a_model_that_was_switched_off_gives_way_with_a_notice(
    story: dict[str, Any], api: httpx.Client
) -> None:
    told = ["sora-2 was switched off on 2026-09-24; used studio"]
    assert story["first"]["notices"] == story["last"]["notices"] == told
    assert record(api, story["last"])["model"] == "studio"


def test_last_answer_is_a_video_of_ours(story: dict[str, Any], stack: Stack) -> None:
    data = story["last"]["data"]
    assert story["last"]["type"] == "CHAT_VIDEO"
    assert data["videoUrl"].startswith(f"{stack.url}/videos/{data['videoId']}/content?token=")
    assert data["posterUrl"].startswith(f"{stack.url}/videos/{data['videoId']}/poster?token=")


def test_file_is_what_was_asked_for(
    story: dict[str, Any], api: httpx.Client, tmp_path: Any
) -> None:
    file = tmp_path / "video.mp4"
    answer = api.get(story["last"]["data"]["videoUrl"], follow_redirects=True)
    assert answer.headers["content-type"] == "video/mp4"
    file.write_bytes(answer.content)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(file)]
    report = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert "Video: h264" in report
    assert "1280x720" in report
    assert re.search(r"Duration: 00:00:08\.0", report)


def test_links_are_signed_for_the_moment(story: dict[str, Any], api: httpx.Client) -> None:
    answer = api.get(story["last"]["data"]["videoUrl"])
    assert answer.status_code == 302
    assert "X-Amz-Expires=900" in answer.headers["location"]
    assert "inline" in answer.headers["location"]
    download = api.get(f"{story['last']['data']['videoUrl']}&download=true")
    assert "attachment" in download.headers["location"]


def test_a_link_tells_the_size_before_it_gives_the_file(
    story: dict[str, Any], api: httpx.Client
) -> None:
    link = story["last"]["data"]["videoUrl"]
    asked = api.head(link, follow_redirects=True)
    file = api.get(link, follow_redirects=True)
    assert (asked.status_code, asked.content) == (200, b"")
    for name in ("content-length", "content-type"):
        assert asked.headers[name] == file.headers[name]


def test_poster_is_an_image(story: dict[str, Any], api: httpx.Client) -> None:
    poster = api.get(story["last"]["data"]["posterUrl"], follow_redirects=True)
    assert poster.headers["content-type"] == "image/webp"
    assert poster.content[8:12] == b"WEBP"


def test_links_stay_the_same_and_can_be_revoked(story: dict[str, Any], api: httpx.Client) -> None:
    data = story["last"]["data"]
    before = record(api, story["last"])
    assert (before["videoUrl"], before["posterUrl"]) == (data["videoUrl"], data["posterUrl"])
    revoked = api.delete(f"/videos/{data['videoId']}/links").json()
    gone = [api.get(data["videoUrl"]), api.get(data["posterUrl"])]
    unknown = api.get("/videos/0199f3a0-0000-7000-8000-00000000ffff/content")
    assert [(one.status_code, one.text) for one in gone] == [(404, unknown.text)] * 2
    assert api.get(revoked["videoUrl"]).status_code == 302
    assert record(api, story["last"])["videoUrl"] == revoked["videoUrl"]
    story["last"]["data"] |= {name: revoked[name] for name in ("videoUrl", "posterUrl")}


def test_record_tells_the_story(story: dict[str, Any], api: httpx.Client) -> None:
    shown = record(api, story["last"])
    assert shown["status"] == "completed"
    assert shown["progress"] == 100
    assert shown["conversationId"] == "story"
    assert shown["createdAt"] <= shown["submittedAt"] <= shown["completedAt"]
    assert shown["costUsd"] == 0, "the studio says that it is free"
    assert shown["error"] is None


def test_execution_is_named_by_the_video(story: dict[str, Any], stack: Stack) -> None:
    video_id = story["last"]["data"]["videoId"]
    [execution] = [each for each in executions() if each["name"] == video_id]
    assert execution["status"] == "SUCCEEDED"


def test_list_is_newest_first_and_has_pages(api: httpx.Client) -> None:
    tags = '<createAIVideo>{"prompt": "[fail:server]"}</createAIVideo>' * 5
    made = [result["data"]["videoId"] for result in act(api, tags, conversationId="pages")]
    first = api.get("/videos", params={"conversationId": "pages", "limit": 3}).json()
    rest = api.get(
        "/videos", params={"conversationId": "pages", "limit": 3, "cursor": first["cursor"]}
    ).json()
    listed = [video["videoId"] for video in first["videos"] + rest["videos"]]
    assert listed == list(reversed(made))
    assert rest["cursor"] is None


def test_a_message_that_comes_again_starts_nothing(api: httpx.Client) -> None:
    text = '<createAIVideo>{"prompt": "once"}</createAIVideo><createAIVideo>{}</createAIVideo>'

    def post(_: int) -> Any:
        return act(api, text, messageId="once", conversationId="once")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(8)))
    assert len({answer[0]["data"]["videoId"] for answer in answers}) == 1
    assert {answer[1]["code"] for answer in answers} == {"invalid_action"}
    listed = api.get("/videos", params={"conversationId": "once"}).json()["videos"]
    assert len(listed) == 1
    again = api.post("/actions", json={"text": text}, headers={"Idempotency-Key": "once"})
    assert again.json()["results"][0]["data"]["videoId"] == listed[0]["videoId"]


def test_fifty_deliveries_of_one_message(api: httpx.Client, stack: Stack) -> None:
    """Past the gateway, which calls the API one request at a time at home."""
    tags = "".join(
        f'<createAIVideo>{{"prompt": "fifty times, {name}"}}</createAIVideo>' for name in "abc"
    )
    message = ActionsRequest(text=tags + "<createAIVideo>{}</createAIVideo>", message_id="fifty")
    together = threading.Barrier(50)

    def deliver(_: int) -> list[str]:
        together.wait()
        outcomes = messages.act(message, "default", bootstrap.services())
        return [
            outcome.video_id if isinstance(outcome, Video) else outcome.code for outcome in outcomes
        ]

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(deliver, range(50)))
    [answer] = {tuple(answer) for answer in answers}
    videos = answer[:3]
    assert answer[3] == "invalid_action"
    assert len(set(videos)) == 3
    for video_id in videos:
        poll = f'<continueVideoPolling>{{"videoId": "{video_id}"}}</continueVideoPolling>'
        assert ended(api, act(api, poll)[0])["type"] == "CHAT_VIDEO"
    asked = [job["prompt"] for job in studio_jobs(stack) if "fifty times" in job["prompt"]]
    assert sorted(asked) == [f"fifty times, {name}" for name in "abc"]
    names = [execution["name"] for execution in executions()]
    assert [names.count(video_id) for video_id in videos] == [1, 1, 1]


def test_a_message_id_belongs_to_one_text(api: httpx.Client) -> None:
    assert act(api, "nothing to do", messageId="mine") == []
    other = api.post("/actions", json={"text": "something else", "messageId": "mine"})
    assert other.status_code == 422
    assert other.json()["code"] == "message_mismatch"


@pytest.mark.minutes
def test_fifty_messages_at_once(api: httpx.Client) -> None:
    tag = '<createAIVideo>{{"prompt": "boat number {}", "seconds": 4}}</createAIVideo>'
    with ThreadPoolExecutor(50) as pool:
        firsts = list(pool.map(lambda n: act(api, tag.format(n))[0], range(50)))
    lasts = [ended(api, first) for first in firsts]
    assert [last.get("type") for last in lasts] == ["CHAT_VIDEO"] * 50


def test_progress_is_seen_on_the_way(api: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(JOB_WORDS, "[slow]", {"pace": 150.0})
    [result] = act(api, '<createAIVideo>{"prompt": "[slow] tide"}</createAIVideo>')
    seen: set[int] = set()
    until = time.monotonic() + GIVE_UP_SECONDS
    while result["type"] == "VIDEO_PENDING" and time.monotonic() < until and len(seen) < 3:
        time.sleep(1)
        [result] = act(
            api,
            f'<continueVideoPolling>{{"videoId": "{result["data"]["videoId"]}"}}'
            "</continueVideoPolling>",
        )
        if result["type"] == "VIDEO_PENDING" and result["data"]["progress"]:
            seen.add(result["data"]["progress"])
    assert len(seen) == 3
    assert all(0 < progress < 100 for progress in seen)
