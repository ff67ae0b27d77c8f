"""The adapter for Discord before a Discord on this machine, over sockets; and that Discord itself,
before discord.py."""

from __future__ import annotations

import importlib
import io
import json
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from werkzeug.wrappers import Request, Response

from actionreel.chat import discord, discord_api
from actionreel.chat.config import ChatConfig
from actionreel.chat.discord_api import Discord, adapter
from actionreel.chats import Address, Button, ChatMessage, Film, Told
from actionreel.errors import (
    ChatError,
    ChatInDoubtError,
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
)
from actionreel.models import Place
from local.chat.discord import FakeDiscord
from local.chat.room import FakePlatform, Shown
from local.loopback import serve
from tests.conftest import GIVE_UP_SECONDS
from tests.fakes import MP4, NOON, VIDEO_ID, cases
from tests.providers.server import DROP, ProviderServer, Reply, Sent, provider_server

TOLD = Told("“a boat” is being made.", buttons=(Button("Cancel", "cancel", VIDEO_ID),))
READY = Told("“a boat” is ready.", link="https://us.example/v/1")
KEY = f"{VIDEO_ID}-progress"
SLEEP = "actionreel.chat.discord_api.sleep"
TOKEN, BOT = "an-interaction-s-token", "a-bot-s-token"
DEFERRED = Address(Place(platform="discord", channel="2", author="3", deferred=True), TOKEN)
LATER = Address(DEFERRED.place)
ELSEWHERE = Address(Place(platform="discord", channel="2", author="3", reply_to="4"), TOKEN)


class App:
    """Our end of the interactions: verifies and reads them, and answers as it is told to."""

    def __init__(self) -> None:
        self.section: Mapping[str, str] = {}
        self.messages: list[ChatMessage] = []
        self.answers: list[int] = []
        self.early: Callable[[], None] = lambda: None  # what is done before the answer goes out
        self.status: int | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        body, headers = request.get_data(), {k.lower(): v for k, v in request.headers.items()}
        response = Response(status=401)
        if discord.verify(self.section, headers, body, NOON):
            received = discord.read(self.section, headers, body)
            if received.message:
                self.messages.append(received.message)
                self.early()
            response = Response(json.dumps(received.reply.body), status=200)
        if self.status is not None and len(self.answers) > 1:
            response = Response(status=self.status)
        self.answers.append(response.status_code)
        return response(environ, start_response)

    @property
    def address(self) -> Address:
        """Where the last message is answered."""
        return Address(self.messages[-1].place, self.messages[-1].reply_token)


class World:
    """A Discord and the app in it. `seconds` have passed since noon."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.app = App()
        self.fake = FakeDiscord(clock=lambda: NOON.timestamp() + self.seconds)
        self.fake.answer_seconds = GIVE_UP_SECONDS
        self.platform: FakePlatform = self.fake
        self.discord = adapter(ChatConfig(lambda *, fresh=False: self.fake.section))
        self.app.section = self.fake.section

    def command(self, text: str = "/video a boat") -> Address:
        """Somebody gives a command; where it is answered."""
        self.fake.write(text)
        return self.app.address

    def shown(self) -> list[Shown]:
        """What we have written."""
        return [message for message in self.fake.room.messages() if message.author == "bot"]

    def later(self) -> Address:
        """Where the last command is answered once its token is worth nothing."""
        self.seconds += 900
        return Address(self.app.messages[-1].place)


@contextmanager
def served(application: Any) -> Iterator[str]:
    server = serve(application, 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def running() -> Iterator[list[World]]:
    """One server for all worlds: the one at the end of the list is there."""
    worlds = [World()]

    def api(environ: dict[str, Any], start_response: Any) -> Any:
        return worlds[-1].fake.application(environ, start_response)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        return worlds[-1].app(environ, start_response)

    with served(api) as api_url, served(app) as app_url:
        worlds[0].fake.connect(api_url, app_url)
        yield worlds


@pytest.fixture
def world(running: list[World], monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(SLEEP, lambda seconds: None)
    before = running[-1].fake
    running.append(World())
    running[-1].fake.connect(before.section["base_url"], before._webhook_url)
    return running[-1]


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with provider_server() as running:
        yield running


def ours(server: ProviderServer, **changes: str) -> Discord:
    """The adapter before a server that answers what a test says."""
    section = {"application_id": "1", "bot_token": BOT, "base_url": server.url, **changes}
    return adapter(ChatConfig(lambda *, fresh=False: section))


def film(content: bytes = MP4) -> Film:
    return Film(f"{VIDEO_ID}.mp4", len(content), "https://files.test/v", lambda: content)


def refusal(status: int, code: int) -> Reply:
    return Reply(status, {"message": f"a stranger's words for {code}", "code": code})


def paths(server: ProviderServer) -> list[str]:
    return [f"{sent.method} {sent.path}" for sent in server.requests]


def payload(sent: Sent) -> Any:
    """What was sent, of a form the JSON in it."""
    kind = sent.headers["content-type"]
    if not kind.startswith("multipart/form-data"):
        return sent.json
    with Request.from_values(data=sent.body, content_type=kind, method="POST") as request:
        return json.loads(request.form["payload_json"])


# With a Discord


def test_an_app_is_tried_before_it_is_called(world: World) -> None:
    assert world.command().place.channel
    assert world.app.answers == [401, 200, 200]
    world.command("/ask for a boat")
    assert world.app.answers == [401, 200, 200, 200]
    assert [message.kind for message in world.app.messages] == ["command", "talk"]


def test_an_app_that_believes_everybody_is_removed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord, "verify", lambda *_: True)
    with pytest.raises(RuntimeError, match="could not be verified"):
        world.fake.write("/video a boat")
    assert world.fake.refusals


def test_a_command_without_an_answer_is_told(world: World) -> None:
    world.app.status = 500
    with pytest.raises(RuntimeError, match="did not respond"):
        world.fake.write("/video a boat")
    with pytest.raises(RuntimeError, match="commands only"):
        world.fake.write("video a boat")
    assert world.shown() == []


def test_an_answer_that_takes_its_time_is_none(world: World) -> None:
    world.command()  # before it the app is tried, and that takes what it takes
    before = world.shown()
    world.fake.answer_seconds = 0.05
    world.app.early = lambda: time.sleep(0.2)
    with pytest.raises(RuntimeError, match="did not respond"):
        world.fake.write("/video a boat")
    assert world.shown() == before


def test_options_arrive_as_options(world: World) -> None:
    world.command("/video a boat --seconds 8 --portrait --model x --image https://i.example/b.png")
    assert world.app.messages[-1].text == (
        "--seconds 8 --model x --image https://i.example/b.png --portrait -- a boat"
    )


def test_the_owed_answer_is_filled_and_edited(world: World) -> None:
    address = world.command()
    assert [message.pending for message in world.shown()] == [True]
    message_id = world.discord.post(address, TOLD, KEY)
    [shown] = world.shown()
    assert (shown.id, shown.text, shown.pending) == (message_id, TOLD.text, False)
    assert shown.buttons == (("Cancel", f"cancel:{VIDEO_ID}"),)
    world.discord.edit(address, message_id, READY)
    [shown] = world.shown()
    assert (shown.text, shown.buttons, shown.url) == (READY.text, (), READY.link)
    assert world.fake.refusals == []


def test_a_message_is_taken_back_with_a_token_and_without(world: World) -> None:
    for address in (world.command(), world.command().place):
        to = address if isinstance(address, Address) else Address(address)
        message_id = world.discord.post(to, TOLD, KEY)
        world.discord.take_back(to, message_id)
        world.discord.take_back(to, message_id)
        assert message_id not in [shown.id for shown in world.shown()]
        with pytest.raises(ChatRefusedError):
            world.discord.edit(to, message_id, READY)


def test_after_a_quarter_of_an_hour_the_bot_edits_the_same_message(world: World) -> None:
    message_id = world.discord.post(world.command(), TOLD, KEY)
    world.discord.edit(world.later(), message_id, READY)
    world.discord.send_video(world.later(), message_id, READY, film(), VIDEO_ID)
    [shown] = world.shown()
    assert (shown.text, shown.video) == (READY.text, MP4)


def test_a_token_that_expired_sooner_is_noticed(world: World) -> None:
    address = world.command()
    message_id = world.discord.post(address, TOLD, KEY)
    world.later()
    world.discord.edit(address, message_id, READY)
    world.discord.send_video(address, message_id, READY, film(), VIDEO_ID)
    assert [message.video for message in world.shown()] == [MP4]
    assert world.discord.post(address, TOLD, KEY) != message_id


def test_the_bot_says_the_same_once(world: World) -> None:
    world.command()
    later = world.later()
    first = world.discord.post(later, TOLD, KEY)
    assert world.discord.post(later, TOLD, KEY) == first
    assert world.discord.post(later, TOLD, VIDEO_ID) != first
    assert len(world.shown()) == 3
    assert world.discord.repeats_safely


@pytest.mark.parametrize("way", ["announced", "owed", "expired", "by name", "follow-up"])
def test_a_video_that_is_sent_twice_is_shown_once(world: World, way: str) -> None:
    address = world.command()
    announcement = None
    if way == "announced":
        announcement = world.discord.post(address, TOLD, KEY)
    elif way in ("expired", "by name"):
        world.discord.post(address, TOLD, KEY)
        address = world.later()
        announcement = "@original" if way == "by name" else None
    elif way == "follow-up":
        address = Address(address.place.model_copy(update={"deferred": False}), address.reply_token)
    for _ in range(2):
        world.discord.send_video(address, announcement, READY, film(), VIDEO_ID)
    [shown] = [message for message in world.shown() if message.video]
    assert (shown.video, shown.filename, shown.text) == (MP4, f"{VIDEO_ID}.mp4", READY.text)
    assert len(world.shown()) == (1 if way in ("announced", "owed") else 2)


def test_a_video_is_shown_though_its_announcement_was_deleted(world: World) -> None:
    address = world.command()
    message_id = world.discord.post(address, TOLD, KEY)
    world.fake.room.remove(message_id)
    with pytest.raises(ChatRefusedError):
        world.discord.edit(address, message_id, READY)
    world.discord.send_video(address, message_id, READY, film(), VIDEO_ID)
    assert [message.video for message in world.shown()] == [MP4]


def test_the_name_of_an_answer_is_worth_nothing_without_its_token(world: World) -> None:
    world.command()
    with pytest.raises(ChatRefusedError):
        world.discord.edit(world.later(), "@original", READY)
    assert world.fake.refusals == []  # nobody was asked


def test_who_is_ahead_of_the_answer_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The execution was faster than the HTTP answer that tells Discord of the deferral."""
    answered = threading.Event()
    posted: list[str] = []

    def post() -> None:
        posted.append(world.discord.post(world.app.address, TOLD, KEY))

    monkeypatch.setattr(SLEEP, lambda seconds: answered.wait(GIVE_UP_SECONDS))
    ahead = threading.Thread(target=post)
    world.app.early = ahead.start
    world.fake.write("/video a boat")
    answered.set()
    ahead.join(GIVE_UP_SECONDS)
    assert [(message.id, message.pending) for message in world.shown()] == [(posted[0], False)]


def test_where_the_answer_came_too_late_the_bot_writes(world: World) -> None:
    world.app.status = 500
    with pytest.raises(RuntimeError):
        world.fake.write("/video a boat")
    message_id = world.discord.post(world.app.address, TOLD, KEY)
    assert [message.id for message in world.shown()] == [message_id]


def test_a_press_is_answered_under_its_message(world: World) -> None:
    message_id = world.discord.post(world.command(), TOLD, KEY)
    world.fake.press(message_id, f"cancel:{VIDEO_ID}")
    pressed = world.app.messages[-1]
    assert (pressed.kind, pressed.text) == ("button", f"cancel:{VIDEO_ID}")
    assert pressed.place.reply_to == message_id
    world.discord.edit(world.app.address, message_id, READY)
    world.discord.post(world.app.address, Told("Cancelled."), "another")
    assert [message.text for message in world.shown()] == [READY.text, "Cancelled."]
    assert world.fake.refusals == []
    with pytest.raises(RuntimeError, match="no such button"):
        world.fake.press(message_id, f"cancel:{VIDEO_ID}")


def test_whoever_has_to_wait_is_told_how_long(world: World) -> None:
    address = world.command()
    world.fake.rate_limited = 1
    with pytest.raises(ChatThrottledError) as throttled:
        world.discord.post(address, TOLD, KEY)
    assert throttled.value.retry_after == 1
    world.discord.post(address, TOLD, KEY)
    assert world.fake.refusals == []


def test_a_bot_token_that_was_changed_is_read_anew(world: World) -> None:
    world.command()
    right = dict(world.fake.section)
    stale = {**right, "bot_token": "the one before"}
    reads: list[bool] = []

    def section(*, fresh: bool = False) -> Mapping[str, str]:
        reads.append(fresh)
        return right if fresh else stale

    adapter(ChatConfig(section)).post(world.later(), TOLD, KEY)
    assert True in reads
    for wrong in ("the one before", "not ascii: é", "two\r\nlines"):
        unchanged = adapter(ChatConfig(lambda *, fresh=False: {**right, "bot_token": wrong}))  # noqa: B023
        with pytest.raises(ChatRefusedError, match="bot's token"):
            unchanged.post(world.later(), TOLD, KEY)


def test_a_file_that_is_too_large_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    address, large = world.command(), film(bytes(discord_api.UPLOAD_LIMIT + 1))
    with pytest.raises(ChatRefusedError, match="too large"):
        world.discord.send_video(address, None, READY, large, VIDEO_ID)
    assert world.fake.refusals == []
    monkeypatch.setattr(discord_api, "UPLOAD_LIMIT", 2 * discord_api.UPLOAD_LIMIT)
    with pytest.raises(ChatRefusedError, match="too large"):
        world.discord.send_video(address, None, READY, large, VIDEO_ID)
    assert world.fake.refusals == ["PATCH: Request entity too large (40005)."]
    allowed = film(bytes(discord_api.UPLOAD_LIMIT // 2))
    world.discord.send_video(address, None, READY, allowed, VIDEO_ID)


# With a server that answers what a test says


def test_without_a_bot_the_token_writes(server: ProviderServer) -> None:
    server.play({"POST /webhooks/1/.*": Reply(200, {"id": "9"}), "PATCH .*": Reply(200, {})})
    without = ours(server, bot_token="")
    assert without.post(ELSEWHERE, TOLD, KEY) == "9"
    without.edit(ELSEWHERE, "9", READY)
    assert paths(server) == [
        f"POST /webhooks/1/{TOKEN}?wait=true",
        f"PATCH /webhooks/1/{TOKEN}/messages/9",
    ]
    assert without.repeats_safely is False
    assert all("authorization" not in sent.headers for sent in server.requests)


def test_an_answer_that_does_not_say_its_id_has_a_name(server: ProviderServer) -> None:
    server.play({"PATCH .*": Reply(200, b""), "POST .*": Reply(200, b"{}")})
    assert ours(server).post(DEFERRED, TOLD, KEY) == "@original"
    with pytest.raises(ChatInDoubtError):
        ours(server).post(ELSEWHERE, TOLD, KEY)


def test_nothing_can_be_said_without_a_token(server: ProviderServer) -> None:
    server.play({})
    for nobody in (ours(server, bot_token="", application_id=""), ours(server, bot_token="")):
        with pytest.raises(ChatRefusedError):
            nobody.post(LATER, TOLD, KEY)
    assert server.requests == []


@pytest.mark.parametrize(
    ("reply", "says"),
    cases(
        {
            "no access": (refusal(403, 50001), "not in the channel"),
            "no permission": (refusal(403, 50013), "permissions"),
            "no channel": (refusal(404, 10003), "gone"),
            "closed to the bot": (refusal(403, 50007), "no messages"),
            "no history": (refusal(400, 160002), "history"),
            "too large": (refusal(413, 40005), "too large"),
            "too large for what is before it": (Reply(413, b"<html>"), "too large"),
            "a number of tomorrow": (refusal(400, 99999), r"\(99999\)"),
            "no number": (Reply(400, b"<html>"), r"\(HTTP 400\)"),
            "a text for a number": (Reply(400, {"code": "secret"}), r"\(HTTP 400\)"),
            "a redirection": (Reply(302, b"", {"Location": "/x"}), r"\(HTTP 302\)"),
        }
    ),
)
def test_a_refusal_says_what_can_be_done(reply: Reply, says: str, server: ProviderServer) -> None:
    server.play({"POST .*": reply, "PATCH .*": reply})
    for call in calls(ours(server), ELSEWHERE):
        with pytest.raises(ChatRefusedError, match=says) as refused:
            call()
        assert "stranger" not in str(refused.value)
        assert "secret" not in str(refused.value)
    assert len(server.requests) == 3


@pytest.mark.parametrize("address", cases({"by token": DEFERRED, "as the bot": ELSEWHERE}))
@pytest.mark.parametrize(
    ("reply", "kind"),
    cases(
        {
            "reset": (DROP, ChatInDoubtError),
            "cut off": (Reply(200, {"id": "9"}, cut=True), ChatInDoubtError),
            "trouble": (refusal(500, 0), ChatInDoubtError),
            "at the door": (Reply(502, b"<html>"), ChatInDoubtError),
            "throttled": (
                Reply(429, {"retry_after": 64.57, "code": 0}, {"Retry-After": "65"}),
                ChatThrottledError,
            ),
            "no bot": (refusal(401, 0), ChatRefusedError),
        }
    ),
)
def test_trouble_is_of_its_kind(
    reply: Reply, kind: type[ChatError], address: Address, server: ProviderServer
) -> None:
    """What may have been taken is sent once, and goes no other way."""
    server.play({"POST .*": reply, "PATCH .*": reply})
    for call in calls(ours(server), address):
        with pytest.raises(kind) as trouble:
            call()
        assert TOKEN not in str(trouble.value)
        assert BOT not in str(trouble.value)
        assert server.url not in str(trouble.value)
    assert len(server.requests) == 3
    if isinstance(trouble.value, ChatThrottledError):
        assert trouble.value.retry_after == 65


def test_a_discord_that_is_not_there_took_nothing() -> None:
    with provider_server() as gone:
        absent = ours(gone)
    for address in (DEFERRED, ELSEWHERE):
        for call in calls(absent, address):
            with pytest.raises(ChatUnavailableError):
                call()


def test_a_secret_that_cannot_be_read_promises_nothing() -> None:
    def section(*, fresh: bool = False) -> Mapping[str, str]:
        raise ChatUnavailableError("The secret cannot be read now.")

    unread = adapter(ChatConfig(section))
    assert unread.repeats_safely is False
    for call in calls(unread, DEFERRED):
        with pytest.raises(ChatUnavailableError):
            call()


@pytest.mark.parametrize("code", [10015, 50027, 10008])
def test_only_what_was_certainly_refused_goes_another_way(
    code: int, server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(SLEEP, waits.append)
    status = 401 if code == 50027 else 404
    server.play({"PATCH .*": refusal(status, code), "POST .*": Reply(200, {"id": "9"})})
    assert ours(server).post(DEFERRED, TOLD, KEY) == "9"
    assert waits == ([discord_api.ACKNOWLEDGED_SECONDS] if code == 10015 else [])
    assert paths(server)[-1] == "POST /channels/2/messages"
    assert server.requests[-1].headers["authorization"] == f"Bot {BOT}"


def calls(chat: Discord, address: Address) -> list[Callable[[], object]]:
    return [
        lambda: chat.post(address, TOLD, KEY),
        lambda: chat.edit(address, "9", READY),
        lambda: chat.send_video(address, "9", READY, film(), VIDEO_ID),
    ]


def test_ids_and_tokens_with_a_path_in_them_stay_what_they_are(server: ProviderServer) -> None:
    server.play({"PATCH .*": Reply(200, {}), "POST .*": Reply(200, {"id": "9"})})
    odd = Address(DEFERRED.place.model_copy(update={"channel": "2/3?x"}), "../../users?#é")
    ours(server).post(odd, TOLD, KEY)
    ours(server).post(Address(odd.place), TOLD, KEY)
    assert [sent.path for sent in server.requests] == [
        "/webhooks/1/..%2F..%2Fusers%3F%23%C3%A9/messages/@original",
        "/channels/2%2F3%3Fx/messages",
    ]


# discord.py as the judge


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of audioop, which it imports
        return importlib.import_module("discord")


def test_the_bot_s_messages_are_as_discord_py_has_them(theirs: Any, server: ProviderServer) -> None:
    server.play({"POST .*": Reply(200, {"id": "9"})})
    ours(server).send_video(ELSEWHERE, None, Told("ready"), film(), VIDEO_ID)
    [sent] = server.requests
    said = payload(sent)
    file = theirs.File(io.BytesIO(MP4), filename=f"{VIDEO_ID}.mp4")
    expected = theirs.http.handle_message_parameters(
        content="ready",
        nonce=said["nonce"],
        file=file,
        allowed_mentions=theirs.AllowedMentions.none(),
        message_reference={"message_id": "4", "fail_if_not_exists": False},
    )
    parts = {part["name"]: part for part in expected.multipart}
    assert said == {
        **_without(json.loads(parts["payload_json"]["value"]), "tts"),
        "components": [],
    }
    kind = sent.headers["content-type"]
    with Request.from_values(data=sent.body, content_type=kind, method="POST") as request:
        assert set(parts) == {*request.form, *request.files}
        assert request.files["files[0]"].filename == parts["files[0]"]["filename"]
    assert len(said["nonce"]) == 25


def test_an_answer_s_edit_is_as_discord_py_has_it(
    theirs: Any, server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.play({"PATCH .*": Reply(200, {"id": "9"})})
    monkeypatch.setattr(theirs.webhook.async_.Route, "BASE", server.url)
    ours(server).send_video(DEFERRED, "9", Told("ready"), film(), VIDEO_ID)
    ours(server).edit(DEFERRED, "9", Told("ready"))
    routes = theirs.webhook.async_.Route(
        "PATCH",
        "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}",
        webhook_id="1",
        webhook_token=TOKEN,
        message_id="9",
    )
    mentions = theirs.AllowedMentions.none()
    file = theirs.File(io.BytesIO(MP4), filename=f"{VIDEO_ID}.mp4")
    build = theirs.http.handle_message_parameters
    with_file = build(content="ready", attachments=[file], allowed_mentions=mentions, view=None)
    alone = build(content="ready", allowed_mentions=mentions, view=None)
    assert [server.url + sent.path for sent in server.requests] == [routes.url] * 2
    first = json.loads(with_file.multipart[0]["value"])
    assert payload(server.requests[0]) == _without(first, "tts")
    assert payload(server.requests[1]) == _without(alone.payload, "tts")


def test_discord_py_can_talk_to_this_discord(
    theirs: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its messages are taken, ours are read, and refusals have Discord's numbers."""
    requests = importlib.import_module("requests")
    monkeypatch.setattr(theirs.webhook.async_.Route, "BASE", world.fake.section["base_url"])
    address = world.command()
    message_id = world.discord.post(address, TOLD, KEY)
    application = int(world.fake.section["application_id"])
    with requests.Session() as session:
        session.trust_env = False
        hook = theirs.SyncWebhook.partial(application, address.reply_token, session=session)
        edited = hook.edit_message(
            int(message_id),
            content="edited",
            attachments=[theirs.File(io.BytesIO(MP4), filename="a.mp4")],
            allowed_mentions=theirs.AllowedMentions.none(),
        )
        assert (edited.content, edited.attachments[0].size) == ("edited", len(MP4))
        [row] = edited.components
        assert row.children[0].custom_id == f"cancel:{VIDEO_ID}"
        followed = hook.send("more", wait=True)
        assert world.fake.room.get(str(followed.id)).text == "more"
        with pytest.raises(theirs.HTTPException) as too_long:
            hook.send("b" * 2001, wait=True)
        with pytest.raises(theirs.HTTPException) as empty:
            hook.send("", wait=True)
        with pytest.raises(theirs.NotFound) as unknown:
            hook.edit_message(1, content="x")
        world.seconds += 900
        with pytest.raises(theirs.HTTPException) as expired:
            hook.send("late", wait=True)
        stranger = theirs.SyncWebhook.partial(application, "none", session=session)
        with pytest.raises(theirs.NotFound) as nobody:
            stranger.send("x", wait=True)
    numbers = [it.value.code for it in (too_long, empty, unknown, expired, nobody)]
    assert numbers == [50035, 50006, 10008, 50027, 10015]
    assert [message.video for message in world.shown()] == [MP4, None]


# What this Discord refuses beside


def ask(world: World, method: str, path: str, body: Any = None, token: str = "") -> Any:
    """A request of whoever has that token of a bot."""
    headers = {"Authorization": f"Bot {token or world.fake.section['bot_token']}"}
    return httpx.request(
        method, world.fake.section["base_url"] + path, json=body, headers=headers, trust_env=False
    )


def test_commands_are_registered(world: World) -> None:
    application = world.fake.section["application_id"]
    assert ask(world, "GET", "/applications/@me").json()["id"] == application
    option = {"name": "prompt", "description": "What it shows", "type": 3, "required": True}
    video = {"name": "video", "description": "Makes a video", "options": [option]}
    path = f"/applications/{application}/commands"
    answer = ask(world, "PUT", path, [video])
    assert answer.status_code == 200
    assert [command["name"] for command in world.fake.commands] == ["video"]
    wrong: list[Any] = [
        {},
        [{**video, "name": "Video"}],
        [{**video, "description": ""}],
        [{**video, "options": [{**option, "required": False}, option]}],
    ]
    for commands in wrong:
        assert ask(world, "PUT", path, commands).json()["code"] == 50035
    assert ask(world, "PUT", path, [video], token="x").status_code == 401
    assert ask(world, "PUT", "/applications/1/commands", [video]).status_code == 403
    assert ask(world, "GET", "/users").status_code == 404


BUTTON = {"type": 2, "style": 2, "label": "Go", "custom_id": "a"}
LINK = {"type": 2, "style": 5, "label": "Go", "url": "https://us.example"}


@pytest.mark.parametrize(
    ("body", "code"),
    cases(
        {
            "no JSON": (None, 50109),
            "a list": ([], 50109),
            "no text": ({"content": 1}, 50035),
            "nothing": ({"content": ""}, 50006),
            "too long": ({"content": "b" * 2001}, 50035),
            "a nonce that is too long": ({"content": "b", "nonce": "b" * 26}, 50035),
            "no file": ({"content": "b", "attachments": [{"id": 0}]}, 50035),
            "an answer to nothing": (
                {"content": "b", "message_reference": {"message_id": "1"}},
                50035,
            ),
            "no row": ({"content": "b", "components": [BUTTON]}, 50035),
            "an empty row": ({"content": "b", "components": [{"type": 1}]}, 50035),
            **{
                name: ({"content": "b", "components": [{"type": 1, "components": row}]}, 50035)
                for name, row in {
                    "a long id": [{**BUTTON, "custom_id": "a" * 101}],
                    "two of one id": [BUTTON, BUTTON],
                    "six buttons": [LINK] * 6,
                    "no label": [{**BUTTON, "label": ""}],
                    "no such style": [{**BUTTON, "style": 9}],
                    "no link": [{**LINK, "url": "ftp://us.example"}],
                    "a link with an id": [{**LINK, "custom_id": "a"}],
                }.items()
            },
        }
    ),
)
def test_a_message_that_discord_does_not_take(world: World, body: Any, code: int) -> None:
    path = f"/channels/{world.fake._state.channel_id}/messages"
    answer = ask(world, "POST", path, body)
    assert (answer.json()["code"], len(world.fake.refusals)) == (code, 1)
    assert world.shown() == []


def test_who_may_write_where(world: World) -> None:
    mine = world.fake.write("/video a boat")
    channel = f"/channels/{world.fake._state.channel_id}/messages"
    hello = {"content": "hello"}
    assert ask(world, "POST", "/channels/1/messages", hello).json()["code"] == 10003
    assert ask(world, "PATCH", f"{channel}/{mine}", hello).json()["code"] == 50005
    assert ask(world, "PATCH", f"{channel}/1", hello).json()["code"] == 10008
    assert ask(world, "POST", channel, hello, token="x").json()["code"] == 0
    # a follow-up right after a deferral is the answer, as of old
    [shown] = world.shown()
    webhook = f"/webhooks/{world.fake.section['application_id']}/{world.app.address.reply_token}"
    assert ask(world, "POST", webhook, hello).json()["id"] == shown.id
    assert ask(world, "POST", webhook, hello).json()["id"] != shown.id
    gone = {"content": "", "attachments": []}
    assert ask(world, "PATCH", f"{channel}/{shown.id}", gone).json()["code"] == 50006
    answered = {**hello, "message_reference": {"message_id": mine}}
    assert ask(world, "POST", channel, answered).status_code == 200


def _without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}
