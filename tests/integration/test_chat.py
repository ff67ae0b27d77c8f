"""Chats through the whole stack: somebody writes, and the video comes back to the same place."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
import pytest
from standardwebhooks import Webhook

from actionreel.signatures import sign_standard_webhooks
from local.chat.room import FakePlatform, Shown
from local.stack import Stack
from tests.conftest import GIVE_UP_SECONDS, studio_jobs

PLATFORMS = ("slack", "discord", "telegram")
TALKERS = ("slack", "telegram")


@pytest.fixture(params=PLATFORMS)
def platform(request: pytest.FixtureRequest, stack: Stack) -> FakePlatform:
    return stack.platforms[request.param]


def until(what: Callable[[], Any]) -> Any:
    """Waits for what becomes true, and gives it."""
    ends = time.monotonic() + GIVE_UP_SECONDS
    while not (found := what()):
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.2)
    return found


def about(platform: FakePlatform, word: str) -> list[Shown]:
    """The bot's messages with that word."""
    return [
        shown for shown in platform.room.messages() if shown.author == "bot" and word in shown.text
    ]


def record(api: httpx.Client, word: str) -> dict[str, Any]:
    """The record of the video whose prompt has that word."""
    videos = api.get("/videos", params={"limit": 100}).json()["videos"]
    found: dict[str, Any] = next((video for video in videos if word in video["prompt"]), {})
    return found


def _is_told(record: dict[str, Any]) -> bool:
    return (record["delivery"] or {}).get("status") in ("delivered", "not_delivered")


def told(api: httpx.Client, word: str) -> dict[str, Any]:
    """The record, once its result was told or could not be."""
    seen: dict[str, Any] = until(lambda: (found := record(api, word)) and _is_told(found) and found)
    return seen


def word() -> str:
    return f"boat{uuid4().hex[:8]}"


def test_a_command_brings_its_video(
    platform: FakePlatform, api: httpx.Client, stack: Stack
) -> None:
    boat = word()
    platform.write(f"/video a {boat} in the rain --seconds 4 --portrait")
    assert told(api, boat)["delivery"] == {
        "to": platform.name,
        "status": "delivered",
        "reason": None,
    }
    video = record(api, boat)
    assert (video["seconds"], video["size"], video["status"]) == (4, "720x1280", "completed")
    [shown] = about(platform, boat)
    assert shown.video and len(shown.video) == video["bytes"]
    assert "is ready" in shown.text and not shown.pending and not shown.buttons
    jobs = [job for job in studio_jobs(stack) if boat in json.dumps(job)]
    assert len(jobs) == 1
    assert platform.refusals == []


def test_a_failure_is_told_with_its_reason(platform: FakePlatform, api: httpx.Client) -> None:
    boat = word()
    platform.write(f"/video [fail:moderation] a {boat}")
    assert told(api, boat)["delivery"]["status"] == "delivered"
    [shown] = about(platform, boat)
    assert "There is no video of" in shown.text and "for its content" in shown.text
    assert not shown.buttons, "the same would come of it"


@pytest.mark.parametrize("name", TALKERS)
def test_what_is_no_command_is_explained(name: str, stack: Stack) -> None:
    platform = stack.platforms[name]
    before = len(platform.room.messages())
    platform.write("/video a boat --sideways")
    explained = until(
        lambda: [
            shown
            for shown in platform.room.messages()[before:]
            if "no option --sideways" in shown.text
        ]
    )
    assert len(explained) == 1


def test_a_video_in_doubt_is_told_as_one(
    platform: FakePlatform, api: httpx.Client, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider has begun it, and its answer got lost: what the message says meanwhile."""
    boat, edited, edit = word(), [], platform.room.edit

    def noted(message_id: str, **changes: Any) -> Shown:
        shown = edit(message_id, **changes)
        edited.append(shown)
        return shown

    monkeypatch.setattr(platform.room, "edit", noted)
    platform.write(f"/video [created:drop] [unlisted*2] a {boat}")
    assert told(api, boat)["status"] == "completed"
    doubts = [shown for shown in edited if boat in shown.text and "is in doubt: " in shown.text]
    assert len(doubts) == 1
    assert len([job for job in studio_jobs(stack) if boat in json.dumps(job)]) == 1


def test_a_press_cancels(platform: FakePlatform, api: httpx.Client) -> None:
    boat = word()
    platform.write(f"/video [stuck] a {boat}")
    offered = until(lambda: [shown for shown in about(platform, boat) if shown.buttons])
    [(label, value)] = offered[0].buttons
    assert label == "Cancel"
    platform.press(offered[0].id, value)
    assert told(api, boat)["status"] == "cancelled"
    [shown] = about(platform, boat)
    assert "cancelled" in shown.text and not shown.buttons


def test_a_press_makes_it_again(platform: FakePlatform, api: httpx.Client) -> None:
    boat = word()
    platform.write(f"/video [fail:server] a {boat}")
    offered = until(
        lambda: [shown for shown in about(platform, boat) if ("Try again" in dict(shown.buttons))]
    )
    platform.press(offered[0].id, dict(offered[0].buttons)["Try again"])
    again = until(
        lambda: [
            video
            for video in api.get("/videos", params={"limit": 100}).json()["videos"]
            if boat in video["prompt"] and video["retryOf"]
        ]
    )
    assert again[0]["delivery"]["to"] == platform.name
    until(lambda: record(api, boat)["delivery"]["status"] == "delivered")


@pytest.mark.parametrize("name", TALKERS)
def test_a_model_answers_makes_a_video_and_sees_it(
    name: str, api: httpx.Client, stack: Stack
) -> None:
    platform, boat = stack.platforms[name], word()
    before = len(platform.room.messages())
    platform.write(f"Please make a video of a {boat}")
    assert told(api, boat)["status"] == "completed"
    until(
        lambda: (
            len([it for it in platform.room.messages()[before:] if "I am a script" in it.text]) == 2
        )
    )
    words = [shown.text for shown in platform.room.messages()[before:] if shown.author == "bot"]
    assert not any("<createAIVideo>" in text for text in words)
    [shown] = about(platform, boat)
    assert shown.video


def test_a_model_answers_on_discord_when_it_is_asked(stack: Stack) -> None:
    platform = stack.platforms["discord"]
    before = len(platform.room.messages())
    platform.write("/ask what can you do?")
    answers = until(
        lambda: [it for it in platform.room.messages()[before:] if "I am a script" in it.text]
    )
    assert len(answers) == 1 and not answers[0].pending


def test_an_update_that_comes_again_starts_nothing(stack: Stack, api: httpx.Client) -> None:
    boat, telegram = word(), stack.platforms["telegram"]
    number = int(hashlib.sha256(boat.encode()).hexdigest()[:8], 16)
    chat = {"id": 1, "type": "private", "first_name": "A"}
    update = {
        "update_id": number,
        "message": {
            "message_id": 1,
            "date": 1,
            "chat": chat,
            "from": {"id": 1, "is_bot": False, "first_name": "A"},
            "text": f"/video a {boat}",
            "entities": [{"type": "bot_command", "offset": 0, "length": 6}],
        },
    }
    secret = {"X-Telegram-Bot-Api-Secret-Token": telegram.section["secret_token"]}
    threads = [
        threading.Thread(target=lambda: api.post("/chat/telegram", json=update, headers=secret))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told(api, boat)
    assert [boat in json.dumps(job) for job in studio_jobs(stack)].count(True) == 1


@pytest.fixture
def program() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A program that is called back, and what it was sent. It fails at the first call."""
    calls: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            calls.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(503 if len(calls) == 1 else 204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", calls
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def trusted(program: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The program's origin, which the deployment's owner has named."""
    from actionreel import bootstrap

    origin: str = program[0]
    services: Any = bootstrap.services()
    monkeypatch.setattr(
        services, "settings", services.settings.model_copy(update={"callback_origins": origin})
    )
    vars(services).pop("callbacks", None)
    return origin


def test_a_program_is_called_back(
    program: tuple[str, list[tuple[dict[str, str], bytes]]],
    trusted: str,
    api: httpx.Client,
    stack: Stack,
) -> None:
    boat, (url, calls) = word(), program
    text = f'<createAIVideo>{{"prompt": "a {boat}"}}</createAIVideo>'
    answer = api.post("/actions", json={"text": text, "callbackUrl": f"{url}/done?key=theirs"})
    [pending] = answer.json()["results"]
    assert told(api, boat)["delivery"]["to"] == "callback"
    until(lambda: record(api, boat)["delivery"]["status"] == "delivered")
    (_, first), (headers, body) = calls
    message = Webhook(stack.callback_secret).verify(body, headers)
    assert first == body
    assert message["type"] == "video.completed"
    assert message["data"]["type"] == "CHAT_VIDEO"
    assert headers["webhook-id"] == pending["data"]["videoId"] == message["data"]["data"]["videoId"]
    assert (
        httpx.get(message["data"]["data"]["videoUrl"], follow_redirects=True).content[4:8]
        == b"ftyp"
    )
    assert "key=theirs" not in json.dumps(api.get("/videos").json())


def test_events_of_a_program(
    program: tuple[str, list[tuple[dict[str, str], bytes]]],
    trusted: str,
    api: httpx.Client,
    stack: Stack,
) -> None:
    """The owner's own bot: one video for a program, one for a chat, and a tag that is wrong."""
    url, calls = program
    one, two = word(), word()

    def send(message_id: str, text: str, to: dict[str, str]) -> httpx.Response:
        body = json.dumps({"text": text, "to": to}).encode()
        at = int(time.time())
        signature = sign_standard_webhooks(stack.events_secret, message_id, at, body)
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(at),
            "webhook-signature": signature,
        }
        return api.post("/chat/events", content=body, headers=headers)

    tag = '<createAIVideo>{{"prompt": "a {}"}}</createAIVideo>'
    wrong = "<createAIVideo>{}</createAIVideo>"
    assert send(one, tag.format(one) + wrong, {"callbackUrl": f"{url}/done"}).status_code == 202
    slack = stack.platforms["slack"]
    channel = {"platform": "slack", "channel": "C0LOCAL001"}
    assert send(two, tag.format(two), channel).status_code == 202
    assert told(api, one)["delivery"]["to"] == "callback"
    assert told(api, two)["delivery"]["to"] == "slack"
    until(lambda: len(calls) >= 3)
    kinds = sorted({json.loads(body)["type"] for _, body in calls})
    assert kinds == ["message.refused", "video.completed"]
    until(lambda: [shown for shown in about(slack, two) if shown.video])


def test_private_addresses_are_not_called(api: httpx.Client) -> None:
    for url in ("http://127.0.0.1:9/", "https://10.0.0.1/", "https://localhost/", "ftp://a.b/"):
        answer = api.post("/actions", json={"text": "x", "callbackUrl": url})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("name", [*PLATFORMS, "events", "irc", ""])
def test_a_stranger_is_refused(name: str, api: httpx.Client) -> None:
    answer = api.post(f"/chat/{name}", content=b"{}")
    assert answer.status_code == (404 if name in ("irc", "") else 401)
