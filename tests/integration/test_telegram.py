"""Telegram over sockets: the adapter and Telegram's library at the Bot API of this machine, and the
adapter at a server that breaks off, lies and refuses."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import telegram as library
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter
from werkzeug.wrappers import Request

from actionreel.chat import telegram
from actionreel.chat.config import ChatConfig
from actionreel.chat.telegram_api import FETCH_LIMIT, UPLOAD_LIMIT, Telegram, adapter
from actionreel.chats import Address, Button, Film, Received, Told
from actionreel.errors import (
    ChatError,
    ChatInDoubtError,
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
)
from actionreel.models import Place
from local.chat.room import Shown
from local.chat.server import ChatServer
from local.chat.telegram import FakeTelegram
from local.chat.telegram_methods import CHAT
from tests.conftest import GIVE_UP_SECONDS
from tests.fakes import NOON, VIDEO_ID, cases
from tests.providers.server import DROP, ProviderServer, Reply, provider_server

TOKEN = "7012345678:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
TOLD = Told("Ready.", "https://example.com/watch")
ASKED = Told("0 %", buttons=(Button("Cancel", "cancel", VIDEO_ID),))
MP4 = b"\x00\x00\x00\x18ftypmp42 and so on"


@dataclass
class Sections:
    """The secret: what it holds, and what it holds when it is asked past every cache."""

    section: Mapping[str, str]
    fresh: Mapping[str, str] | None = None
    asked: list[bool] = field(default_factory=list)

    def __call__(self, *, fresh: bool = False) -> Mapping[str, str]:
        self.asked.append(fresh)
        return self.fresh if fresh and self.fresh is not None else self.section


def place(**fields: str) -> Place:
    return Place(platform="telegram", **{"channel": str(CHAT), **fields})


def film(url: str, content: bytes = MP4, size: int | None = None) -> Film:
    return Film("boat.mp4", len(content) if size is None else size, url, lambda: content)


@pytest.fixture(scope="module")
def files() -> Iterator[ProviderServer]:
    """Where videos are, and programs that Telegram cannot or should not reach."""
    with provider_server() as running:
        yield running


@pytest.fixture
def home(files: ProviderServer) -> Iterator[FakeTelegram]:
    """The platform on this machine; its updates go to `files`."""
    platform = FakeTelegram()
    platform.pause_seconds, platform.answer_seconds = 0, GIVE_UP_SECONDS
    files.play(
        {
            "POST /chat/telegram": Reply(200),
            "GET /boat.mp4": Reply(200, MP4, {"Content-Type": "video/mp4"}),
            "GET /page.mp4": Reply(200, MP4, {"Content-Type": "text/html"}),
            "GET /large.mp4": Reply(200, bytes(FETCH_LIMIT + 1), {"Content-Type": "video/mp4"}),
        }
    )
    with ChatServer([platform]) as server:
        server.connect(files.url)
        yield platform


@pytest.fixture
def chat(home: FakeTelegram) -> Telegram:
    return adapter(ChatConfig(Sections(home.section)))


def address(**fields: str) -> Address:
    return Address(place(**fields))


def shown(home: FakeTelegram) -> list[tuple[str, str]]:
    return [(message.author, message.text) for message in home.room.messages()]


def last(home: FakeTelegram) -> Shown:
    return home.room.messages()[-1]


def updates(files: ProviderServer) -> list[Received]:
    """What the product makes of the updates that were sent to it."""
    section = {"bot_token": TOKEN}
    sent = [it for it in files.requests if it.path == "/chat/telegram"]
    return [telegram.read(section, it.headers, it.body) for it in sent]


def test_a_wish_is_heard_answered_and_shown(
    home: FakeTelegram, chat: Telegram, files: ProviderServer
) -> None:
    asked = home.write("/video a paper boat \N{ROWBOAT}")
    [sent] = files.requests
    assert telegram.verify(home.section, sent.headers, sent.body, NOON)
    update = library.Update.de_json(sent.json, None)
    assert update and update.message and not update.api_kwargs
    assert update.message.parse_entities() == {update.message.entities[0]: "/video"}
    message = telegram.read(home.section, sent.headers, sent.body).message
    assert message and (message.kind, message.text) == ("command", "a paper boat \N{ROWBOAT}")
    assert message.place == place(reply_to=asked, author=str(CHAT))

    where = Address(message.place)
    posted = chat.post(where, ASKED, "key")
    home.press(posted, f"cancel:{VIDEO_ID}")
    pressed = telegram.read(home.section, {}, files.requests[-1].body).message
    assert pressed and (pressed.kind, pressed.text) == ("button", f"cancel:{VIDEO_ID}")
    assert pressed.place == place(reply_to=posted, author=str(CHAT))
    press = library.Update.de_json(files.requests[-1].json, None)
    assert press and press.callback_query and not press.api_kwargs

    for _ in range(2):  # twice is the same as once
        chat.edit(where, posted, Told("50 %"))
    assert (last(home).text, last(home).buttons, last(home).edits) == ("50 %", (), 1)
    chat.send_video(where, posted, TOLD, film(f"{files.url}/boat.mp4"), "key")
    for _ in range(2):
        chat.take_back(where, posted)
    assert shown(home) == [("you", "/video a paper boat \N{ROWBOAT}"), ("bot", "Ready.")]
    assert (last(home).video, last(home).filename, last(home).url) == (
        MP4,
        "boat.mp4",
        "https://example.com/watch",
    )
    assert home.refusals == []


@pytest.mark.parametrize(
    ("path", "size", "fetched"),
    cases(
        {
            "fetched": ("boat.mp4", None, True),
            "not a video": ("page.mp4", None, False),
            "not there": ("gone.mp4", None, False),
            "too large to fetch": ("large.mp4", None, False),
            "as large as is fetched": ("boat.mp4", FETCH_LIMIT, True),
            "larger than is fetched": ("boat.mp4", FETCH_LIMIT + 1, False),
            "as large as is taken": ("boat.mp4", UPLOAD_LIMIT, False),
        }
    ),
)
def test_what_telegram_does_not_fetch_is_given_to_it(
    home: FakeTelegram,
    chat: Telegram,
    files: ProviderServer,
    path: str,
    size: int | None,
    fetched: bool,
) -> None:
    other = b"\x00\x00\x00\x18ftypmp42 by hand"
    chat.send_video(address(), None, TOLD, film(f"{files.url}/{path}", other, size), "key")
    assert last(home).video == (MP4 if fetched else other)
    assert len(home.room.messages()) == 1


def test_a_file_of_50_mb_is_taken_and_a_larger_one_is_not_tried(
    home: FakeTelegram, chat: Telegram
) -> None:
    whole = bytes(UPLOAD_LIMIT)
    chat.send_video(address(), None, TOLD, film("", whole), "key")
    assert last(home).video == whole
    with pytest.raises(ChatRefusedError, match=r"larger than 50 MB"):
        chat.send_video(address(), None, TOLD, film("", b"", UPLOAD_LIMIT + 1), "key")
    with pytest.raises(ChatRefusedError, match=r"HTTP 413"):
        chat.send_video(address(), None, TOLD, film("", bytes(UPLOAD_LIMIT + 1), 1), "key")
    assert home.refusals == ["sendVideo: Request Entity Too Large"]


def test_what_is_gone_blocked_or_unknown_is_refused(home: FakeTelegram, chat: Telegram) -> None:
    posted = chat.post(address(reply_to="999"), TOLD, "key")  # what it answers is gone
    home.room.remove(posted)
    chat.send_video(address(), posted, TOLD, film("", MP4), "key")  # and so is the announcement
    gone = chat.post(address(), TOLD, "key")
    chat.take_back(address(), gone)
    chat.send_video(address(), gone, TOLD, film("", MP4), "key")
    with pytest.raises(ChatRefusedError, match="the message is gone"):
        chat.edit(address(), gone, TOLD)
    for odd in ("", "x", "1.5", "\u0661"):
        with pytest.raises(ChatRefusedError, match="no such message"):
            chat.edit(address(), odd, TOLD)
    with pytest.raises(ChatRefusedError, match="the chat is gone"):
        chat.post(Address(place(channel="-100123")), TOLD, "key")
    with pytest.raises(ChatRefusedError, match="the topic is gone"):
        chat.post(address(thread="7"), TOLD, "key")
    home.blocked = True
    with pytest.raises(ChatRefusedError, match="the bot was blocked"):
        chat.send_video(address(), None, TOLD, film("", MP4), "key")
    assert len(home.room.messages()) == 2


def test_too_many_requests_say_how_long_to_wait(home: FakeTelegram, chat: Telegram) -> None:
    home.rate_limited = 2
    for _ in range(2):
        with pytest.raises(ChatThrottledError) as told:
            chat.post(address(), TOLD, "key")
        assert told.value.retry_after == 3
    assert chat.post(address(), TOLD, "key")
    assert home.refusals == []


def test_a_token_that_was_changed_is_read_afresh(home: FakeTelegram) -> None:
    for old in (TOKEN, "", "no token", f"{TOKEN}/../x", "\ud800:x"):
        sections = Sections({**home.section, "bot_token": old}, home.section)
        assert adapter(ChatConfig(sections)).post(address(), TOLD, "key")
        assert sections.asked == [False, True]
        stale = Sections({**home.section, "bot_token": old})
        with pytest.raises(ChatRefusedError, match="token is not right"):
            adapter(ChatConfig(stale)).post(address(), TOLD, "key")
        assert stale.asked == [False, True]


def test_updates_that_are_not_taken_come_again(home: FakeTelegram, files: ProviderServer) -> None:
    files.play({"POST /chat/telegram": [Reply(500), DROP, Reply(401), Reply(204)]})
    home.write("a boat")
    messages = [received.message for received in updates(files)]
    assert len(messages) == 4 and len({it.event_id for it in messages if it}) == 1
    for reply, trouble in (
        (Reply(401), "Wrong response from the webhook: 401 Unauthorized"),
        (DROP, "Connection failed"),
    ):
        files.play({"POST /chat/telegram": reply})
        with pytest.raises(RuntimeError, match=trouble):
            home.write("a boat")
        assert len(files.requests) == 4
    with pytest.raises(RuntimeError, match="no such button"):
        home.press("1", f"cancel:{VIDEO_ID}")


Faults = Callable[..., Telegram]


@pytest.fixture
def faults(files: ProviderServer) -> Faults:
    """Has a Bot API answer as a test says, and gives the adapter at it."""

    def played(*scenes: Mapping[str, Any]) -> Telegram:
        files.play(*scenes)
        return adapter(ChatConfig(Sections({"bot_token": TOKEN, "base_url": files.url})))

    return played


def done(result: Any) -> Reply:
    return Reply(200, {"ok": True, "result": result})


def refused(status: int, description: str, **parameters: Any) -> Reply:
    document = {"ok": False, "error_code": status, "description": description}
    return Reply(status, {**document, "parameters": parameters} if parameters else document)


METHOD = "POST /bot[^/]+/"
DOUBTS = {
    "dropped": DROP,
    "cut": replace(done({"message_id": 1}), cut=True),
    "500": refused(500, "Internal Server Error"),
    "502": Reply(502, b"<html>"),
    "not JSON": Reply(200, b"<html>"),
    "no answer": Reply(200, {}),
    "too long": Reply(200, b" " * 1_100_000),
}
REFUSALS = {
    "400": refused(400, "Bad Request: chat not found"),
    "403": refused(403, "Forbidden: something new"),
    "413": Reply(413, b"<html>"),
    "200": Reply(200, {"ok": False, "error_code": 400, "description": "no"}),
    "odd": Reply(400, {"ok": False, "description": ["chat not found"], "parameters": []}),
    "elsewhere": Reply(302, b"", {"Location": "{base}/other"}),
}
ACTS: dict[str, Callable[[Telegram], object]] = {
    "post": lambda chat: chat.post(address(), TOLD, "key"),
    "edit": lambda chat: chat.edit(address(), "1", TOLD),
    "send by address": lambda chat: chat.send_video(
        address(), "1", TOLD, film("https://example.com/boat.mp4"), "key"
    ),
    "send bytes": lambda chat: chat.send_video(address(), "1", TOLD, film(""), "key"),
}


@pytest.mark.parametrize("act", cases(ACTS))
def test_what_may_have_been_taken_is_in_doubt_and_not_sent_again(
    faults: Faults, files: ProviderServer, act: Callable[[Telegram], object]
) -> None:
    for reply in DOUBTS.values():
        chat = faults({METHOD + r"\w+": reply})
        with pytest.raises(ChatInDoubtError):
            act(chat)
        assert len(files.requests) == 1


def test_a_message_without_a_number_is_in_doubt(faults: Faults) -> None:
    for result in (True, {}, {"message_id": "1"}, None):
        chat = faults({METHOD + "sendMessage": done(result)})
        with pytest.raises(ChatInDoubtError):
            chat.post(address(), TOLD, "key")


@pytest.mark.parametrize("act", cases(ACTS))
def test_what_was_refused_is_certain(
    faults: Faults, files: ProviderServer, act: Callable[[Telegram], object]
) -> None:
    for reply in REFUSALS.values():
        chat = faults({METHOD + r"\w+": reply})
        with pytest.raises(ChatRefusedError):
            act(chat)
        assert len(files.requests) <= 2
    chat = faults({METHOD + r"\w+": refused(429, "Too Many Requests", retry_after=17)})
    with pytest.raises(ChatThrottledError) as told:
        act(chat)
    assert told.value.retry_after == 17
    closed = {"bot_token": TOKEN, "base_url": "http://127.0.0.1:9"}
    with pytest.raises(ChatUnavailableError):
        act(adapter(ChatConfig(Sections(closed))))


@pytest.mark.parametrize("odd", [None, True, -1, "17", [], 10**400, float("nan")])
def test_an_odd_time_to_wait_is_none(faults: Faults, odd: object) -> None:
    reply = refused(429, "Too Many Requests", retry_after=odd)
    for header, expected in {"": None, "4": 4.0, "9" * 400: None}.items():
        limited = replace(reply, headers={"Retry-After": header} if header else {})
        chat = faults({METHOD + "sendMessage": limited})
        with pytest.raises(ChatThrottledError) as told:
            chat.post(address(), TOLD, "key")
        assert told.value.retry_after == expected


FETCHES = {
    "not fetched": (refused(400, "Bad Request: failed to get HTTP URL content"), True),
    "wrong type": (refused(400, "Bad Request: wrong type of the web page content"), True),
    "no such chat": (refused(400, "Bad Request: chat not found"), False),
    "kicked": (refused(403, "Forbidden: bot was kicked from the group chat"), False),
    "throttled": (refused(429, "Too Many Requests", retry_after=1), False),
    "another refusal": (refused(409, "Conflict"), False),
    "dropped": (DROP, False),
}
HTTPS = film("https://example.com/boat.mp4")


@pytest.mark.parametrize(("first", "again"), cases(FETCHES))
def test_only_after_a_fetch_that_was_refused_come_the_bytes(
    faults: Faults, files: ProviderServer, first: Reply, again: bool
) -> None:
    videos = {METHOD + "sendVideo": [first, done({"message_id": 2})]}
    chat = faults(videos)
    with nullcontext() if again else pytest.raises(ChatError):
        chat.send_video(address(), "1", TOLD, HTTPS, "key")
    methods = [it.path.rpartition("/")[2] for it in files.requests]
    assert methods == ["sendVideo"] * (2 if again else 1)
    assert files.requests[0].json["video"] == HTTPS.url


def test_only_at_home_is_a_file_fetched_over_http() -> None:
    for base in ("https://api.telegram.org", "http://telegram.example.com", ""):
        chat = adapter(ChatConfig(Sections({"bot_token": TOKEN, "base_url": base})))
        assert [chat._can_fetch(url) for url in ("https://a.test/b", "http://a.test/b", "")] == [
            True,
            False,
            False,
        ]


def test_what_is_known_of_a_message_that_was_to_be_taken_back(
    faults: Faults, files: ProviderServer
) -> None:
    gone = refused(400, "Bad Request: message to delete not found")
    faults({METHOD + "deleteMessage": gone}).take_back(address(), "1")
    for reply in REFUSALS.values():
        with pytest.raises(ChatRefusedError):
            faults({METHOD + "deleteMessage": reply}).take_back(address(), "1")
    for reply in DOUBTS.values():
        with pytest.raises(ChatInDoubtError):
            faults({METHOD + "deleteMessage": reply}).take_back(address(), "1")


def test_a_topic_and_the_answered_message_are_named(faults: Faults, files: ProviderServer) -> None:
    where = Address(place(channel="-1001987654321", thread="12", reply_to="305"))
    long = Told("\N{FILM FRAMES}" * 1000, "https://example.com/watch")
    chat = faults({METHOD + r"\w+": done({"message_id": 9})})
    assert chat.post(where, ASKED, "key") == "9"
    chat.send_video(where, None, long, HTTPS, "key")
    chat.send_video(where, None, long, film(""), "key")
    expected = {
        "chat_id": "-1001987654321",
        "message_thread_id": 12,
        "reply_parameters": {"message_id": 305, "allow_sending_without_reply": True},
    }
    posted, fetched, given = files.requests
    assert posted.path == f"/bot{TOKEN}/sendMessage"
    assert posted.json == {**expected, **telegram.message(ASKED)}
    assert fetched.json == {
        **expected,
        "caption": "\N{FILM FRAMES}" * 512,
        "supports_streaming": True,
        "video": HTTPS.url,
        "reply_markup": {"inline_keyboard": [[{"text": "Watch", "url": long.link}]]},
    }
    fields = {name: value for name, value in fetched.json.items() if name != "video"}
    kind = given.headers["content-type"]
    with Request.from_values(method="POST", data=given.body, content_type=kind) as form:
        assert {
            name: value if name in ("chat_id", "caption") else json.loads(value)
            for name, value in form.form.items()
        } == fields
        video = form.files["video"]
        assert (video.filename, video.mimetype, video.read()) == ("boat.mp4", "video/mp4", MP4)


@pytest.mark.parametrize("act", cases(ACTS))
def test_no_token_no_address_and_no_words_of_telegram_are_told(
    faults: Faults,
    files: ProviderServer,
    act: Callable[[Telegram], object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    said = refused(400, f"Bad Request: <b>{TOKEN}</b> https://evil.example")
    for reply in [*DOUBTS.values(), *REFUSALS.values(), said, refused(401, "Unauthorized")]:
        chat = faults({METHOD + r"\w+": reply})
        with pytest.raises(ChatError) as told:
            act(chat)
        shown = f"{told.value!r} {told.value} {caplog.text}"
        assert not any(it in shown for it in (TOKEN, TOKEN[11:], files.url, "evil", "<b>"))
        assert str(told.value).endswith(".") and "\n" not in str(told.value)


def at(
    home: FakeTelegram, script: Callable[[library.Bot], Awaitable[None]], token: str = ""
) -> None:
    """Runs a script with Telegram's library at the platform of this machine."""

    async def run() -> None:
        async with library.Bot(
            token or home.section["bot_token"], base_url=f"{home.section['base_url']}/bot"
        ) as bot:
            await script(bot)

    asyncio.run(run())


def test_telegrams_library_finds_itself_at_home(home: FakeTelegram, files: ProviderServer) -> None:
    async def script(bot: library.Bot) -> None:
        assert (await bot.get_me()).username == home.section["username"] == bot.username
        assert await bot.set_my_commands([("video", "Makes a video"), ("help", "Says how")])
        url = f"{files.url}/chat/telegram"
        assert await bot.set_webhook(url, secret_token="a-secret", allowed_updates=["message"])
        info = await bot.get_webhook_info()
        assert (info.url, info.allowed_updates, info.last_error_message) == (
            url,
            ("message",),
            None,
        )
        posted = await bot.send_message(CHAT, "0 %", reply_markup=keyboard("cancel:1"))
        assert posted.chat_id == CHAT and posted.from_user and posted.from_user.id == bot.id
        edited = await bot.edit_message_text("50 %", CHAT, posted.message_id)
        assert isinstance(edited, library.Message) and edited.text == "50 %"
        fetched = await bot.send_video(CHAT, f"{files.url}/boat.mp4", caption="Ready.")
        given = await bot.send_video(CHAT, MP4, filename="boat.mp4", supports_streaming=True)
        for it in (fetched, given):
            assert it.video and (it.video.file_name, it.video.file_size) == ("boat.mp4", len(MP4))
            assert not it.api_kwargs and not it.video.api_kwargs
        assert await bot.delete_message(CHAT, posted.message_id)

    at(home, script)
    assert [message.video for message in home.room.messages()] == [MP4, MP4]
    files.play({"POST /chat/telegram": Reply(200)})
    home.write("a boat")
    assert files.requests[-1].headers["x-telegram-bot-api-secret-token"] == "a-secret"
    assert home.refusals == []


def keyboard(data: str) -> library.InlineKeyboardMarkup:
    return library.InlineKeyboardMarkup([[library.InlineKeyboardButton("Go", callback_data=data)]])


def test_telegrams_library_presses_and_answers(home: FakeTelegram, files: ProviderServer) -> None:
    async def script(bot: library.Bot) -> None:
        posted = await bot.send_message(CHAT, "0 %", reply_markup=keyboard("cancel:1"))
        home.press(str(posted.message_id), "cancel:1")
        update = library.Update.de_json(files.requests[-1].json, bot)
        assert update and update.callback_query and update.callback_query.data == "cancel:1"
        assert await update.callback_query.answer()
        with pytest.raises(BadRequest, match="Query is too old"):
            await update.callback_query.answer()

    at(home, script)


STRICT: dict[str, tuple[Callable[[library.Bot], Awaitable[Any]], str]] = {
    "no text": (lambda bot: bot.send_message(CHAT, " "), "Message text is empty"),
    "text": (lambda bot: bot.send_message(CHAT, "x" * 4097), "Message is too long"),
    "emoji": (lambda bot: bot.send_message(CHAT, "\U0001f3ac" * 2049), "Message is too long"),
    "chat": (lambda bot: bot.send_message(-1, "x"), "Chat not found"),
    "answered": (
        lambda bot: bot.send_message(CHAT, "x", reply_to_message_id=999),
        "Message to be replied not found",
    ),
    "topic": (lambda bot: bot.send_message(CHAT, "x", message_thread_id=9), "thread not found"),
    "no data": (lambda bot: bot.send_message(CHAT, "x", reply_markup=keyboard("")), "DATA_INVALID"),
    "data": (
        lambda bot: bot.send_message(CHAT, "x", reply_markup=keyboard("x" * 65)),
        "DATA_INVALID",
    ),
    "edit": (lambda bot: bot.edit_message_text("x", CHAT, 999), "Message to edit not found"),
    "delete": (lambda bot: bot.delete_message(CHAT, 999), "Message to delete not found"),
    "caption": (lambda bot: bot.send_video(CHAT, MP4, caption="x" * 1025), "caption is too long"),
    "file": (lambda bot: bot.send_video(CHAT, "http://a.test/x.mp4"), "HTTP URL specified"),
    "secret": (lambda bot: bot.set_webhook("https://a.test", secret_token="ä"), "unallowed"),
    "webhook": (lambda bot: bot.set_webhook("http://a.test"), "HTTPS URL must be provided"),
    "command": (lambda bot: bot.set_my_commands([("Video!", "x")]), "BOT_COMMAND_INVALID"),
}


@pytest.mark.parametrize(("call", "error"), cases(STRICT))
def test_the_platform_at_home_is_strict(
    home: FakeTelegram, call: Callable[[library.Bot], Awaitable[Any]], error: str
) -> None:
    async def script(bot: library.Bot) -> None:
        with pytest.raises(BadRequest, match=f"(?i){error}"):
            await call(bot)

    at(home, script)


def test_the_library_knows_the_troubles_of_the_platform_at_home(
    home: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # the library warns of the older type

    async def script(bot: library.Bot) -> None:
        posted = await bot.send_message(CHAT, "x")
        with pytest.raises(BadRequest, match="Message is not modified"):
            await bot.edit_message_text("x", CHAT, posted.message_id)
        home.rate_limited = 1
        with pytest.raises(RetryAfter) as limited:
            await bot.send_message(CHAT, "x")
        assert limited.value.retry_after == timedelta(seconds=3)
        home.blocked = True
        with pytest.raises(Forbidden, match="blocked by the user"):
            await bot.send_message(CHAT, "x")

    at(home, script)
    assert home.refusals == []
    with pytest.raises(InvalidToken):
        at(home, script, TOKEN)


def test_what_is_no_call_is_not_found(home: FakeTelegram) -> None:
    base, token = home.section["base_url"], home.section["bot_token"]
    for path, status in {
        "/getMe": 404,
        f"/bot{token}/getChat": 404,
        f"/bot{TOKEN}/getMe": 401,
    }.items():
        assert httpx.post(f"{base}{path}", trust_env=False).status_code == status
    for body in (b"{", b"[]", b"\xff"):
        sent = httpx.post(
            f"{base}/bot{token}/sendMessage",
            content=body,
            headers={"Content-Type": "application/json"},
            trust_env=False,
        )
        assert sent.json()["description"] == "Bad Request: can't parse JSON object"
