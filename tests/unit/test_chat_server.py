"""The server of the chat window: its page, its rooms, the platforms' APIs, and who may ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.chat.room import FakePlatform, Shown
from local.chat.server import _WINDOW, MAX_BODY_BYTES, ChatServer
from tests.chat_platform import Platform
from tests.fakes import MP4, cases


@pytest.fixture
def slack() -> Platform:
    return Platform("slack")


@pytest.fixture
def server(slack: Platform) -> Iterator[ChatServer]:
    platforms: list[FakePlatform] = [slack, Platform("discord")]
    with ChatServer(platforms) as running:
        yield running


@pytest.fixture
def client(server: ChatServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client


def messages(client: httpx.Client, room: str = "slack") -> list[dict[str, Any]]:
    answer = client.get(f"/rooms/{room}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


def test_the_platforms_are_told_their_addresses(server: ChatServer, slack: Platform) -> None:
    assert server.sections["slack"] == {"bot_token": "token of slack"}
    server.connect("http://127.0.0.1:8000")
    assert slack.webhook_url == "http://127.0.0.1:8000/chat/slack"
    assert server.sections["slack"]["base_url"] == f"{server.url}/slack/api"
    answer = httpx.post(f"{server.sections['slack']['base_url']}/chat.postMessage")
    assert answer.text == "slack POST /chat.postMessage"
    assert httpx.get(f"{server.url}/discord/api/gateway").text == "discord GET /gateway"


def test_it_has_no_address_unless_it_is_started() -> None:
    server = ChatServer([])
    server.stop()
    with pytest.raises(RuntimeError, match="not started"):
        _ = server.url


def test_a_port_that_is_taken(server: ChatServer) -> None:
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(OSError, match=f"cannot listen on port {port}"):
        ChatServer([], port).start()


def test_the_page_and_every_file_that_it_names(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    named = set(re.findall(r'(?:href|src)="([^"]+)"', page.text))
    assert named | {"index.html"} == {path.name for path in _WINDOW.iterdir()}
    kinds = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    for name in named:
        answer = client.get(f"/{name}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == f"{kinds[name.rpartition('.')[2]]}; charset=utf-8"
        assert answer.text == (_WINDOW / name).read_text()


def test_nothing_but_its_own_runs_in_the_page(client: httpx.Client) -> None:
    for path in ("/", "/window.js", "/rooms", "/none"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self';" in policy
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert not re.search(r"<script>|<style|\sstyle=|\son\w+=", client.get("/").text)


def test_what_is_written_and_answered(client: httpx.Client, slack: Platform) -> None:
    assert client.get("/rooms").json() == {"rooms": ["slack", "discord"]}
    asked = client.post("/rooms/slack", json={"text": "/video a boat"}).json()["id"]
    mine, answer = messages(client)
    assert (mine["id"], mine["author"], mine["text"]) == (asked, "you", "/video a boat")
    assert (answer["author"], answer["pending"], answer["thread"]) == ("bot", True, asked)
    slack.room.edit(
        answer["id"], pending=False, text="30 %", buttons=(("Cancel", "cancel:v"),), only_you=True
    )
    assert messages(client)[1] == {
        "id": answer["id"],
        "author": "bot",
        "text": "30 %",
        "thread": asked,
        "pending": False,
        "buttons": [{"label": "Cancel", "value": "cancel:v"}],
        "video": None,
        "filename": "",
        "onlyYou": True,
    }
    assert messages(client, "discord") == []


def test_a_room_that_has_not_changed_is_not_sent_again(
    client: httpx.Client, slack: Platform
) -> None:
    client.post("/rooms/slack", json={"text": "hello"})
    tag = client.get("/rooms/slack").headers["ETag"]
    again = client.get("/rooms/slack", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    slack.room.edit(slack.answer(), text="10 %")
    changed = client.get("/rooms/slack", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag


def test_what_is_not_accepted_is_told_in_the_platforms_words(
    client: httpx.Client, slack: Platform
) -> None:
    message = slack.room.add(Shown("7", "bot", buttons=(("Cancel", "cancel:v"),)))
    slack.trouble = "Slack says: operation_timeout"
    for answer in (
        client.post("/rooms/slack", json={"text": "hello"}),
        client.post(f"/rooms/slack/messages/{message.id}/press", json={"value": "cancel:v"}),
    ):
        assert answer.status_code == 502
        assert answer.json() == {"error": "Slack says: operation_timeout"}


def test_a_button_is_pressed_while_it_is_there(client: httpx.Client, slack: Platform) -> None:
    slack.room.add(Shown("a/b", "bot", buttons=(("Cancel", "cancel:v"),)))
    path = "/rooms/slack/messages/7/press"
    assert client.post(path, json={"value": "cancel:v"}).status_code == 404
    slack.room.add(Shown("7", "bot", buttons=(("Cancel", "cancel:v"),)))
    assert client.post(path, json={"value": "retry:v"}).status_code == 409
    assert client.post(path, json={"value": "cancel:v"}).status_code == 200
    assert slack.pressed == [("7", "cancel:v")]


def test_a_video_is_given_in_ranges(client: httpx.Client, slack: Platform) -> None:
    slack.room.add(Shown("1.5", "bot", video=MP4, filename="a\nb.mp4"))
    path = messages(client)[0]["video"]
    assert path == "/rooms/slack/messages/1.5/video"
    whole = client.get(path)
    assert (whole.status_code, whole.content) == (200, MP4)
    assert whole.headers["Content-Type"] == "video/mp4"
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = client.get(path, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["Content-Range"] == f"bytes 4-7/{len(MP4)}"
    assert client.get(path, headers={"Range": "bytes=9999-"}).status_code == 416


@pytest.mark.parametrize(
    ("url", "video"),
    cases(
        {
            "web": ("http://127.0.0.1:9/film.mp4", "http://127.0.0.1:9/film.mp4"),
            "script": ("javascript:alert(1)", None),
            "data": ("data:text/html,<script>alert(1)</script>", None),
            "none": ("", None),
        }
    ),
)
def test_a_video_elsewhere(
    client: httpx.Client, slack: Platform, url: str, video: str | None
) -> None:
    slack.room.add(Shown("1", "bot", url=url))
    assert messages(client)[0]["video"] == video
    assert client.get("/rooms/slack/messages/1/video").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    cases(
        {
            "no room": ("GET", "/rooms/irc", 404),
            "no room to write in": ("POST", "/rooms/irc", 404),
            "no message": ("GET", "/rooms/slack/messages/1/video", 404),
            "no file": ("GET", "/server.py", 404),
            "no file outside": ("GET", "/..%2Fserver.py", 404),
            "no deed": ("DELETE", "/rooms/slack", 405),
        }
    ),
)
def test_what_is_not_there(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path, json={"text": "x"})
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    cases(
        {
            "no JSON": (b"text=hello", 400),
            "no object": (b"[]", 400),
            "no text": (b"{}", 400),
            "blank": (b'{"text": "  "}', 400),
            "a number": (b'{"text": 7}', 400),
            "no UTF-8": (b'{"text": "\xff"}', 400),
            "half a character": (rb'{"text": "\ud800"}', 400),
            "deep": (b"[" * 90_000, 400),
            "huge": (b'{"text": "%s"}' % (b"a" * MAX_BODY_BYTES), 413),
        }
    ),
)
def test_odd_bodies(client: httpx.Client, slack: Platform, body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    assert client.post("/rooms/slack", content=body, headers=headers).status_code == status
    assert slack.room.messages() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    cases(
        {
            "another page": ({"Origin": "https://example.com"}, 403),
            "another port": ({"Origin": "http://127.0.0.1:1"}, 403),
            "a file": ({"Origin": "null"}, 403),
            "another name": ({"Host": "rebound.example.com"}, 403),
            "a form": ({"Content-Type": "text/plain"}, 415),
            "curl": ({}, 200),
        }
    ),
)
def test_other_pages_cannot_write(
    client: httpx.Client, slack: Platform, headers: dict[str, str], status: int
) -> None:
    content = b'{"text": "hello"}'
    headers = {"Content-Type": "application/json", **headers}
    assert client.post("/rooms/slack", content=content, headers=headers).status_code == status
    assert bool(slack.room.messages()) == (status == 200)


def test_its_own_page_can_write(server: ChatServer, client: httpx.Client) -> None:
    answer = client.post("/rooms/slack", json={"text": "hello"}, headers={"Origin": server.url})
    assert answer.status_code == 200
