"""Slack's Web API over sockets: what is shown, what is known of a call that went wrong, and that
Slack's own library gets on with the platform on this machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from actionreel.chat import slack
from actionreel.chat.config import ChatConfig
from actionreel.chat.slack_api import UPLOAD_LIMIT, adapter
from actionreel.chat_ports import ChatPlatform
from actionreel.chats import Address, Button, ChatMessage, Film, Told
from actionreel.errors import (
    ChatError,
    ChatInDoubtError,
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
)
from actionreel.models import Place
from local.chat.slack import FakeSlack
from local.chat.slack_methods import CHANNEL, DIRECT
from tests.conftest import GIVE_UP_SECONDS
from tests.fakes import MP4, NOON, VIDEO_ID, cases
from tests.providers.server import DROP, ProviderServer, Reply, Routes, Sent, provider_server

TOKEN = "xoxb-a-secret-token"
PLACE = Place(platform="slack", channel=CHANNEL)
HERE = Address(PLACE)
CANCEL = Button("Cancel", "cancel", VIDEO_ID)
WORKING = Told("A paper boat: 40 % <b> & more", buttons=(CANCEL,))
READY = Told("A paper boat", "https://example.com/watch?a=1&b=2")
FILM = Film("boat.mp4", len(MP4), "https://files.test/boat", lambda: MP4)
UNREAD = replace(FILM, content=lambda: pytest.fail("the file was read"))


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        return


class Home:
    """The workspace on this machine, its API, and what arrives at the app."""

    def __init__(self, app: ProviderServer, fake: FakeSlack, url: str) -> None:
        self.app, self.fake, self.url = app, fake, url
        self.fresh: list[bool] = []

    def section(self, *, fresh: bool = False) -> Mapping[str, str]:
        self.fresh.append(fresh)
        return self.fake.section

    @property
    def slack(self) -> ChatPlatform:
        return adapter(ChatConfig(self.section))

    def received(self) -> list[ChatMessage]:
        """What the app was told, if the signatures are right."""
        return [_received(self.fake, sent) for sent in self.app.sent("POST")]


def _received(fake: FakeSlack, sent: Sent) -> ChatMessage:
    assert slack.verify(fake.section, sent.headers, sent.body, datetime.now(UTC))
    message = slack.read(fake.section, sent.headers, sent.body).message
    assert message
    return message


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    """What answers as tests say: the app, or Slack."""
    with provider_server() as running:
        yield running


@pytest.fixture(scope="module")
def host() -> Iterator[WSGIServer]:
    """Serves the API of the workspace of each test."""
    with make_server("127.0.0.1", 0, lambda *_: [], _Server, _Quiet) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def home(server: ProviderServer, host: WSGIServer) -> Home:
    fake = FakeSlack()
    fake.answer_seconds = GIVE_UP_SECONDS
    host.set_app(fake.application)
    url = f"http://127.0.0.1:{host.server_port}/slack"
    fake.connect(url, f"{server.url}/chat/slack")
    server.play({"POST /chat/slack": Reply()})
    return Home(server, fake, url)


def test_what_a_person_writes_comes_to_the_app(home: Home) -> None:
    written = home.fake.write("a <paper> boat & https://example.com/a?b=1&c=2")
    commanded = home.fake.write("/video a boat & a whale")
    talk, command = home.received()
    assert (talk.kind, talk.text) == ("talk", "a <paper> boat & https://example.com/a?b=1&c=2")
    assert (talk.place.channel, talk.place.thread, talk.place.reply_to) == (DIRECT, None, written)
    assert (command.kind, command.text) == ("command", "a boat & a whale")
    assert command.place.channel == CHANNEL and command.reply_token
    assert [it.id for it in home.fake.room.messages()] == [written, commanded]


def test_an_event_that_was_not_taken_comes_again_and_a_command_does_not(home: Home) -> None:
    home.app.play({"POST /chat/slack": [Reply(500), Reply()]})
    home.fake.write("a paper boat")
    first, second = home.app.sent("POST")
    assert first.json["event_id"] == second.json["event_id"]
    assert second.headers["x-slack-retry-num"] == "1"
    home.app.play({"POST /chat/slack": Reply(500)})
    with pytest.raises(RuntimeError, match="http_error"):
        home.fake.write("a paper boat")
    with pytest.raises(RuntimeError, match='/video failed with the error "dispatch_failed"'):
        home.fake.write("/video a boat")
    assert len(home.app.sent("POST")) == 3
    assert [it.text for it in home.fake.room.messages()] == ["a paper boat"] * 2


def test_one_message_is_written_and_edited_and_its_button_pressed(home: Home) -> None:
    asked = home.fake.write("/video a paper boat")
    posted = home.slack.post(HERE, WORKING, "a key")
    shown = home.fake.room.get(posted)
    assert (shown.text, shown.thread) == ("A paper boat: 40 % <b> & more", None)
    assert shown.buttons == (("Cancel", f"cancel:{VIDEO_ID}"),)
    home.fake.press(posted, CANCEL.value)
    pressed = home.received()[-1]
    assert (pressed.kind, pressed.text) == ("button", CANCEL.value)
    assert (pressed.place.channel, pressed.place.reply_to) == (CHANNEL, posted)
    with pytest.raises(RuntimeError, match="no such button"):
        home.fake.press(posted, f"retry:{VIDEO_ID}")
    home.slack.edit(HERE, posted, READY)
    edited = home.fake.room.get(posted)
    assert (edited.text, edited.url, edited.buttons, edited.edits) == (
        "A paper boat",
        "https://example.com/watch?a=1&b=2",
        (),
        1,
    )
    assert [it.id for it in home.fake.room.messages()] == [asked, posted]
    assert home.fake.refusals == []


def test_a_video_is_shown_in_its_thread(home: Home) -> None:
    asked = home.fake.write("/video a paper boat")
    here = Address(replace_place(thread=asked))
    posted = home.slack.post(here, WORKING, "a key")
    home.slack.send_video(here, posted, READY, FILM, "another key")
    assert home.fake.room.get(posted).thread == asked
    home.slack.take_back(here, posted)
    home.slack.take_back(here, posted)
    [video] = home.fake.room.messages()[1:]
    assert (video.thread, video.text, video.video, video.filename) == (
        asked,
        "A paper boat",
        MP4,
        "boat.mp4",
    )
    assert home.fake.refusals == ["chat.delete: message_not_found"]  # the second time


def replace_place(**changes: Any) -> Place:
    return PLACE.model_copy(update=changes)


def test_what_became_of_the_announcement_harms_no_video(home: Home) -> None:
    home.slack.send_video(HERE, None, READY, FILM, "a key")
    posted = home.slack.post(HERE, WORKING, "a key")
    home.fake.room.remove(posted)
    assert not home.slack.send_video(HERE, posted, READY, FILM, "another key")
    assert [it.video for it in home.fake.room.messages()] == [MP4, MP4]
    with pytest.raises(ChatRefusedError, match=r"\(message_not_found\)"):
        home.slack.edit(HERE, posted, READY)


def test_a_file_that_is_too_large_is_not_even_read(home: Home) -> None:
    huge = replace(UNREAD, size=UPLOAD_LIMIT + 1)
    with pytest.raises(ChatRefusedError, match="50 MB"):
        home.slack.send_video(HERE, None, READY, huge, "a key")


def test_where_the_app_is_not_its_answer_goes_where_the_command_came_from(home: Home) -> None:
    """There is nothing to edit, so that what passes is for nobody but who asked."""
    home.fake.bot_in_channel = False
    home.fake.write("/video a paper boat")
    there = Address(PLACE, home.received()[0].reply_token)
    assert home.slack.post(there, replace(WORKING, passing=True), "a key") == ""
    assert home.slack.post(there, READY, "a key") == ""
    _, passing, shown = home.fake.room.messages()
    assert (passing.text, passing.only_you, passing.buttons) == (WORKING.text, True, ())
    assert (shown.text, shown.only_you, shown.url) == ("A paper boat", False, READY.link)
    for announcement in ("", None):
        with pytest.raises(ChatRefusedError, match="invite the app"):
            home.slack.send_video(there, announcement, READY, FILM, "a key")
    with pytest.raises(ChatRefusedError, match="invite the app"):
        home.slack.edit(there, "", READY)
    for _ in range(3):
        home.slack.post(there, WORKING, "a key")
    with pytest.raises(ChatRefusedError, match=r"\(used_url\)"):
        home.slack.post(there, READY, "a key")
    with pytest.raises(ChatRefusedError, match=r"\(not_in_channel\)"):
        home.slack.post(HERE, READY, "a key")
    assert home.fake.refusals == []


def test_an_answer_comes_too_late_after_half_an_hour(home: Home) -> None:
    clock = NOON.timestamp()
    home.fake._clock = lambda: clock
    home.fake.bot_in_channel = False
    home.fake.write("/video a paper boat")
    [sent] = home.app.sent("POST")
    told = slack.read(home.fake.section, sent.headers, sent.body).message
    assert told
    there = Address(PLACE, told.reply_token)
    clock += 1801
    with pytest.raises(ChatRefusedError, match=r"\(expired_url\)"):
        home.slack.post(there, WORKING, "a key")
    stranger = Address(PLACE, "https://example.com/commands/1")
    with pytest.raises(ChatRefusedError, match="not its own"):
        home.slack.post(stranger, WORKING, "a key")


def test_what_the_app_lacks_is_told(home: Home) -> None:
    home.fake.missing_scopes = {"files:write"}
    with pytest.raises(ChatRefusedError, match=r"missing_scope\).*scopes.*installed"):
        home.slack.send_video(HERE, None, READY, FILM, "a key")
    elsewhere = Address(replace_place(channel="C0NOWHERE1"))
    with pytest.raises(ChatRefusedError, match=r"channel_not_found\).*invite"):
        home.slack.post(elsewhere, READY, "a key")
    home.fake.rate_limited = 1
    with pytest.raises(ChatThrottledError) as told:
        home.slack.post(HERE, READY, "a key")
    assert told.value.retry_after == 3
    assert home.slack.post(HERE, READY, "a key")


def test_a_token_that_is_refused_is_read_afresh_once(home: Home) -> None:
    right = home.fake.section["bot_token"]

    def section(*, fresh: bool = False) -> Mapping[str, str]:
        home.fresh.append(fresh)
        return {**home.fake.section, "bot_token": right if fresh else "xoxb-old"}

    assert adapter(ChatConfig(section)).post(HERE, READY, "a key")
    assert home.fresh == [False, True]
    for token in ("xoxb-wrong", "", "no\ntoken", "\u00e9"):
        wrong = {**home.fake.section, "bot_token": token}

        def stale(*, fresh: bool = False, wrong: Mapping[str, str] = wrong) -> Mapping[str, str]:
            return wrong

        with pytest.raises(ChatRefusedError, match=r"\((invalid_auth|not_authed)\)"):
            adapter(ChatConfig(stale)).post(HERE, READY, "a key")


# Of Slack itself, what is known of a call that went wrong.
ANSWERS: dict[str, tuple[Reply, type[ChatError]]] = {
    "reset": (DROP, ChatInDoubtError),
    "cut": (Reply(200, {"ok": True, "ts": "1.000001"}, cut=True), ChatInDoubtError),
    "500": (Reply(500), ChatInDoubtError),
    "503": (Reply(503, b"<html>"), ChatInDoubtError),
    "408": (Reply(408), ChatInDoubtError),
    "429": (Reply(429), ChatThrottledError),
    "ratelimited": (Reply(200, {"ok": False, "error": "ratelimited"}), ChatThrottledError),
    "404": (Reply(404, b"no"), ChatRefusedError),
    "redirect": (Reply(302, headers={"Location": "{base}/stolen"}), ChatRefusedError),
    "words": (Reply(200, b"ok"), ChatInDoubtError),
    "empty": (Reply(200), ChatInDoubtError),
    "list": (Reply(200, []), ChatInDoubtError),
    "neither": (Reply(200, {"ok": None}), ChatInDoubtError),
    "odd": (Reply(200, {"ok": "yes"}), ChatInDoubtError),
    "huge": (Reply(200, b" " * 2_000_000), ChatInDoubtError),
    "archived": (Reply(200, {"ok": False, "error": "is_archived"}), ChatRefusedError),
    "no code": (Reply(200, {"ok": False, "error": [1]}), ChatRefusedError),
    "prose": (Reply(200, {"ok": False, "error": f"{TOKEN} is bad"}), ChatRefusedError),
    **{
        code: (Reply(200, {"ok": False, "error": code}), ChatInDoubtError)
        for code in ("internal_error", "fatal_error", "service_unavailable", "request_timeout")
    },
}
ASKED = Reply(200, {"ok": True, "upload_url": "{base}/upload/abc", "file_id": "F1"})
STEPS: Routes = {
    "POST /files.getUploadURLExternal": ASKED,
    "POST /upload/abc": Reply(200, b"OK - 68"),
    "POST /files.completeUploadExternal": Reply(200, {"ok": True, "files": [{"id": "F1"}]}),
    "POST /chat.update": Reply(200, {"ok": True}),
}


def at(server: ProviderServer) -> ChatPlatform:
    def section(*, fresh: bool = False) -> Mapping[str, str]:
        return {"bot_token": TOKEN, "base_url": server.url}

    return adapter(ChatConfig(section))


def sent(server: ProviderServer) -> list[str]:
    return [it.path.removeprefix("/") for it in server.requests]


@pytest.mark.parametrize(("reply", "error"), cases(ANSWERS))
def test_what_is_known_of_a_message_that_went_wrong(
    server: ProviderServer, reply: Reply, error: type[ChatError]
) -> None:
    server.play({"POST /chat.*": reply})
    with pytest.raises(error) as posted:
        at(server).post(HERE, READY, "a key")
    assert type(posted.value) is error or error is ChatRefusedError
    assert TOKEN not in str(posted.value) and server.url not in str(posted.value)
    assert str(posted.value).endswith(".") and len(str(posted.value)) < 120
    with pytest.raises(error):
        at(server).edit(HERE, "1.000001", READY)
    with pytest.raises(error):
        at(server).take_back(HERE, "1.000001")
    assert sent(server) == ["chat.postMessage", "chat.update", "chat.delete"]  # each of them once


def test_a_message_whose_id_is_not_told_is_in_doubt(server: ProviderServer) -> None:
    server.play({"POST /chat.postMessage": Reply(200, {"ok": True})})
    with pytest.raises(ChatInDoubtError):
        at(server).post(HERE, READY, "a key")


@pytest.mark.parametrize(("reply", "error"), cases(ANSWERS))
def test_a_file_is_in_doubt_only_where_it_is_shown(
    server: ProviderServer, reply: Reply, error: type[ChatError]
) -> None:
    hidden = ChatUnavailableError if error is ChatInDoubtError else error
    server.play(STEPS, {"POST /files.getUploadURLExternal": reply})
    with pytest.raises(hidden):
        at(server).send_video(HERE, "1.000001", READY, FILM, "a key")
    assert sent(server) == ["files.getUploadURLExternal"]
    server.play(STEPS, {"POST /files.completeUploadExternal": reply})
    with pytest.raises(error):
        at(server).send_video(HERE, "1.000001", READY, FILM, "a key")
    assert sent(server)[2:] == ["files.completeUploadExternal"]
    server.play(STEPS)
    at(server).send_video(HERE, "1.000001", READY, FILM, "a key")
    assert sent(server)[3:] == []


@pytest.mark.parametrize(
    ("reply", "error"),
    cases(
        {
            "reset": (DROP, ChatUnavailableError),
            "500": (Reply(500), ChatUnavailableError),
            "429": (Reply(429), ChatThrottledError),
            "400": (Reply(400), ChatRefusedError),
            "302": (Reply(302), ChatRefusedError),
        }
    ),
)
def test_bytes_that_were_not_taken_are_no_video(
    server: ProviderServer, reply: Reply, error: type[ChatError]
) -> None:
    server.play(STEPS, {"POST /upload/abc": reply})
    with pytest.raises(error):
        at(server).send_video(HERE, None, READY, FILM, "a key")
    assert sent(server) == ["files.getUploadURLExternal", "upload/abc"]


def test_the_bytes_go_to_slack_alone_and_without_the_token(server: ProviderServer) -> None:
    server.play(STEPS)
    at(server).send_video(HERE, None, READY, FILM, "a key")
    assert sent(server)[-1] == "files.completeUploadExternal"
    upload = server.requests[1]
    assert upload.body == MP4 and TOKEN not in str(upload.headers)
    strangers: list[Any] = [
        server.url.replace("127.0.0.1", "localhost") + "/upload/abc",
        "http://files.slack.com/upload",
        "https://slack.com.example.com/upload",
        "https://notslack.com/upload",
        "",
        7,
        None,
    ]
    for url in strangers:
        asked = Reply(200, {"ok": True, "upload_url": url, "file_id": "F1"})
        server.play(STEPS, {"POST /files.getUploadURLExternal": asked})
        with pytest.raises((ChatRefusedError, ChatUnavailableError)):
            at(server).send_video(HERE, None, READY, FILM, "a key")
        assert sent(server) == ["files.getUploadURLExternal"]


def test_a_server_that_is_not_there_has_taken_nothing() -> None:
    with provider_server() as gone:
        slack_there = at(gone)
    with pytest.raises(ChatUnavailableError):
        slack_there.post(HERE, READY, "a key")


# Slack's own library, and calls that break the contract.


@pytest.fixture
def sdk(home: Home) -> WebClient:
    logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)
    return WebClient(home.fake.section["bot_token"], base_url=f"{home.url}/", retry_handlers=[])


def test_slacks_library_works_against_the_platform_on_this_machine(
    home: Home, sdk: WebClient
) -> None:
    assert sdk.auth_test()["bot_id"]
    written = slack.message(WORKING)
    posted = sdk.chat_postMessage(channel=CHANNEL, **written)
    assert home.fake.room.get(posted["ts"]).buttons == (("Cancel", CANCEL.value),)
    sdk.chat_update(channel=CHANNEL, ts=posted["ts"], **slack.message(READY))
    assert home.fake.room.get(posted["ts"]).url == READY.link
    done = sdk.files_upload_v2(
        filename="boat.mp4",
        file=MP4,
        channel=CHANNEL,
        thread_ts=posted["ts"],
        initial_comment="A paper boat",
    )
    assert done["files"][0]["title"] == "boat.mp4"
    shown = home.fake.room.messages()[-1]
    assert (shown.video, shown.thread, shown.text) == (MP4, posted["ts"], "A paper boat")
    assert home.fake.refusals == []


BLOCK: dict[str, Any] = {"type": "section", "text": {"type": "mrkdwn", "text": "a boat"}}
BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "a"}
ROW: dict[str, Any] = {"type": "actions", "elements": [{**BUTTON, "value": "v"}]}
BROKEN: dict[str, tuple[str, dict[str, Any], str]] = {
    "method": ("chat.shout", {}, "unknown_method"),
    "channel": ("chat.postMessage", {"channel": "C1", "text": "x"}, "channel_not_found"),
    "no text": ("chat.postMessage", {"channel": CHANNEL}, "no_text"),
    "long": ("chat.postMessage", {"channel": CHANNEL, "text": "x" * 40_001}, "msg_too_long"),
    "ts": ("chat.update", {"channel": CHANNEL, "text": "x"}, "invalid_arguments"),
    "no message": (
        "chat.update",
        {"channel": CHANNEL, "ts": "1", "text": "x"},
        "message_not_found",
    ),
    "thread": (
        "chat.postMessage",
        {"channel": CHANNEL, "text": "x", "thread_ts": "1"},
        "invalid_thread_ts",
    ),
    "no thread": (
        "chat.postMessage",
        {"channel": CHANNEL, "text": "x", "thread_ts": "1795305600.000100"},
        "thread_not_found",
    ),
    "no length": ("files.getUploadURLExternal", {"filename": "x"}, "missing_argument"),
    "length": ("files.getUploadURLExternal", {"filename": "x", "length": 0}, "invalid_arguments"),
    "huge": (
        "files.getUploadURLExternal",
        {"filename": "x", "length": 2**31},
        "file_upload_size_restricted",
    ),
    "files": ("files.completeUploadExternal", {"channel_id": CHANNEL}, "invalid_arguments"),
    "file": (
        "files.completeUploadExternal",
        {"channel_id": CHANNEL, "files": [{"id": "F1"}]},
        "file_not_found",
    ),
    **{
        name: ("chat.postMessage", {"channel": CHANNEL, "blocks": blocks}, error)
        for name, blocks, error in (
            ("51 blocks", [BLOCK] * 51, "invalid_blocks"),
            ("kind", [{"type": "poem"}], "invalid_blocks"),
            ("no block", ["x"], "invalid_blocks"),
            ("no words", [{**BLOCK, "text": {"type": "mrkdwn", "text": ""}}], "invalid_blocks"),
            (
                "wordy",
                [{**BLOCK, "text": {"type": "mrkdwn", "text": "x" * 3001}}],
                "invalid_blocks",
            ),
            (
                "all too wordy",
                [{**BLOCK, "text": {"type": "mrkdwn", "text": "x" * 3000}}] * 5,
                "msg_blocks_too_long",
            ),
            ("no buttons", [{"type": "actions", "elements": []}], "invalid_blocks"),
            ("no value", [{"type": "actions", "elements": [BUTTON]}], "invalid_blocks"),
            ("twins", [{"type": "actions", "elements": ROW["elements"] * 2}], "invalid_blocks"),
        )
    },
}


@pytest.mark.parametrize(("method", "arguments", "error"), cases(BROKEN))
def test_the_platform_on_this_machine_is_strict(
    home: Home, sdk: WebClient, method: str, arguments: dict[str, Any], error: str
) -> None:
    with pytest.raises(SlackApiError) as refused:
        sdk.api_call(method, json=arguments)
    assert refused.value.response["error"] == error
    assert home.fake.refusals == [f"{method}: {error}"]
    assert home.fake.room.messages() == []


def test_files_are_uploaded_once_and_whole(home: Home, sdk: WebClient) -> None:
    asked = sdk.files_getUploadURLExternal(filename="boat.mp4", length=4)
    files = [{"id": asked["file_id"], "title": "boat"}]

    def completed() -> str:
        try:
            sdk.files_completeUploadExternal(files=files, channel_id=CHANNEL)
        except SlackApiError as refused:
            return str(refused.response["error"])
        return "ok"

    assert completed() == "file_update_failed"
    assert httpx.post(asked["upload_url"], content=b"abc").status_code == 400
    assert httpx.post(asked["upload_url"], content=b"abcd").text == "OK - 4"
    assert httpx.post(asked["upload_url"], content=b"abcd").status_code == 400
    assert httpx.post(f"{home.url}/upload/other", content=b"abcd").status_code == 400
    assert [completed(), completed()] == ["ok", "file_not_found"]


@pytest.mark.parametrize(
    ("headers", "content", "error"),
    cases(
        {
            "no token": ({"Content-Type": "application/json"}, b"{}", "not_authed"),
            "words": ({"Content-Type": "text/plain"}, b"{}", "invalid_post_type"),
            "no type": ({}, b"{}", "invalid_post_type"),
            "no json": ({"Content-Type": "application/json"}, b"{", "invalid_json"),
            "list": ({"Content-Type": "application/json"}, b"[]", "json_not_object"),
            "no form": (
                {"Content-Type": "application/x-www-form-urlencoded"},
                b"{",
                "invalid_form_data",
            ),
        }
    ),
)
def test_bodies_are_of_the_kind_that_they_say(
    home: Home, headers: dict[str, str], content: bytes, error: str
) -> None:
    token = {"Authorization": f"Bearer {home.fake.section['bot_token']}"}
    with_token = {**headers, **({} if error == "not_authed" else token)}
    answer = httpx.post(f"{home.url}/chat.postMessage", headers=with_token, content=content)
    assert (answer.status_code, answer.json()) == (200, {"ok": False, "error": error})
    assert httpx.get(f"{home.url}/chat.postMessage").status_code == 404
