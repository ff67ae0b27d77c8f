"""Telegram's updates: whose they are, what they say; and what we write. Its library judges."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import InlineKeyboardMarkup, LinkPreviewOptions, Update
from telegram.constants import InlineKeyboardButtonLimit, MessageLimit

from actionreel import signatures
from actionreel.chat import telegram
from actionreel.chats import Button, ChatMessage, Received, Reply, Told
from actionreel.errors import RequestError
from actionreel.models import Place
from tests.fakes import NOON, VIDEO_ID, cases, steady

EVENTS = Path(__file__).parent.parent / "events" / "chat"
HEADER = "x-telegram-bot-api-secret-token"
SECRET = "8rLqW2m0vT_Xc-Yb5sK1dN4zH7gJ9pQe"
SECTION = {
    "bot_token": "7012345678:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "secret_token": SECRET,
    "username": "@ActionreelBot",
    "owner_bots": "7099999998, 7099999999",
}
ADA, GROUP, FORUM = "81234567", "-4012345678", "-1001987654321"
BOAT = "a paper boat"


def request(name: str) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a payload file."""
    document = json.loads((EVENTS / f"telegram_{name}.json").read_text())
    return document["headers"], document["body"].encode()


def read(name: str, section: Mapping[str, str] = SECTION) -> Received:
    return telegram.read(section, *request(name))


def written(
    kind: Any, number: int, channel: str, reply_to: str, text: str = "", **place: str
) -> ChatMessage:
    where = {"author": ADA, "channel": channel, "reply_to": reply_to, **place}
    return ChatMessage(
        kind=kind,
        event_id=f"7012345678:604115{number:03}",
        place=Place(platform="telegram", **where),
        text=text,
    )


MESSAGES: dict[str, ChatMessage] = {
    "command": written("command", 1, ADA, "301", "a paper boat in the rain --seconds 4"),
    "start": written("help", 2, ADA, "302"),
    "talk": written(
        "talk", 3, ADA, "303", "a lighthouse at night, please \N{PERSON WITH FOLDED HANDS}"
    ),
    "group_mention": written(
        "talk",
        4,
        GROUP,
        "304",
        "\N{CLAPPER BOARD}\N{MAN}\u200d\N{ROCKET}  a paper boat, for @bob_1 too",
    ),
    "topic_command": written("command", 5, FORUM, "305", BOAT, thread="12"),
    "owners_bot": written(
        "tags",
        8,
        FORUM,
        "308",
        'Here it comes!\n<createAIVideo>{"prompt": "a cat & a dog"}</createAIVideo>',
        thread="12",
        author="7099999999",
    ),
    "photo": written("command", 9, ADA, "309", "make it move"),
    "callback_query": written("button", 10, FORUM, "320", f"cancel:{VIDEO_ID}", thread="12"),
    "callback_query_old": written("button", 11, ADA, "41", f"retry:{VIDEO_ID}"),
}
IGNORED = [
    "group_other_command",
    "group_talk",
    "channel_post",
    "channel_forward",
    "edited_message",
    "my_chat_member",
    "new_member",
]
FILES = sorted(path.stem.removeprefix("telegram_") for path in EVENTS.glob("telegram_*.json"))


def test_every_payload_file_is_read_as_what_it_is() -> None:
    assert sorted([*MESSAGES, *IGNORED]) == FILES
    assert {name: read(name).message for name in MESSAGES} == MESSAGES
    assert read("callback_query").reply.body == {
        "method": "answerCallbackQuery",
        "callback_query_id": json.loads(request("callback_query")[1])["callback_query"]["id"],
    }
    assert {name: read(name) for name in IGNORED} == dict.fromkeys(IGNORED, Received(Reply()))
    pressed = ("callback_query", "callback_query_old")
    assert all(read(name).reply == Reply(200, None) for name in FILES if name not in pressed)


@pytest.mark.parametrize("name", FILES)
def test_telegrams_library_reads_the_payload_files_as_we_do(name: str) -> None:
    document = json.loads(request(name)[1])
    update = Update.de_json(document, None)
    assert update and not update.api_kwargs
    found = read(name).message
    if found is None:
        return
    assert found.event_id == f"7012345678:{update.update_id}"
    assert update.effective_chat and str(update.effective_chat.id) == found.place.channel
    assert update.effective_user and str(update.effective_user.id) == found.place.author
    message = update.effective_message
    assert message and str(message.message_id) == found.place.reply_to
    if update.message:
        topic = update.message.message_thread_id if update.message.is_topic_message else None
        assert found.place.thread == (str(topic) if topic else None)


def changed(name: str, section: Mapping[str, str] = SECTION, **fields: Any) -> Received:
    """A payload file with another message."""
    headers, body = request(name)
    document = json.loads(body)
    [kind] = {*document} - {"update_id"}
    document[kind] = {**document[kind], **fields}
    return telegram.read(section, headers, json.dumps(document).encode())


def said(received: Received) -> tuple[str, str] | None:
    message = received.message
    return (message.kind, message.text) if message else None


HELP = ("help", "")
PRIVATE = {
    "command": ("/video a boat", ("command", "a boat")),
    "to us": ("/video@actionreelbot a boat", ("command", "a boat")),
    "to another": ("/video@OtherFilmBot a boat", None),
    "in capitals": ("/VIDEO a Boat", ("command", "a Boat")),
    "lines": ("/video\na boat\nin the rain ", ("command", "a boat\nin the rain")),
    "no slash": ("video a boat", ("command", "a boat")),
    "no wish": ("/video", HELP),
    "help of the command": ("/video HELP", HELP),
    "start": ("/start abc", HELP),
    "help": ("/help", HELP),
    "another command": ("/settings now", ("talk", "/settings now")),
    "another word": ("/videos of boats", ("talk", "/videos of boats")),
    "words": (" videos of boats\n", ("talk", "videos of boats")),
    "tag": ("<createAIVideo>{}", ("talk", "<createAIVideo>{}")),
    "nothing": (" \n", None),
}


@pytest.mark.parametrize(("text", "expected"), cases(PRIVATE))
def test_what_a_person_says_to_us_alone(text: str, expected: tuple[str, str] | None) -> None:
    assert said(changed("talk", text=text)) == expected
    assert said(changed("photo", caption=text, caption_entities=[])) == expected


GROUPS = {
    "command": ("/video a boat", ("command", "a boat")),
    "to us": ("/video@ActionreelBot a boat", ("command", "a boat")),
    "to another": ("/video@OtherFilmBot @ActionreelBot a boat", None),
    "no wish": ("/video@ActionreelBot", HELP),
    "help to us": ("/help@ActionreelBot", HELP),
    "help to all": ("/help", None),
    "start to all": ("/start", None),
    "no slash": ("video a boat", None),
    "words": ("a boat", None),
    "mention": ("@ActionreelBot a boat", ("talk", "a boat")),
    "other letters": ("hey @ACTIONREELBOT look", ("talk", "hey  look")),
    "twice": ("@ActionreelBot a boat @ActionreelBot", ("talk", "a boat")),
    "mention alone": ("@ActionreelBot", HELP),
    "mention and command": ("@ActionreelBot /video a boat", ("command", "a boat")),
    "mention and word": ("@ActionreelBot video a boat", ("command", "a boat")),
    "mention and help": ("@ActionreelBot /help", HELP),
    "longer name": ("@ActionreelBot2 a boat", None),
    "emoji": (
        "\U0001f3ac\U0001f3ac@ActionreelBot\U0001f6a3",
        ("talk", "\U0001f3ac" * 2 + "\U0001f6a3"),
    ),
}


def mentions(text: str) -> list[dict[str, Any]]:
    """The mentions that Telegram would mark in a text."""
    found: list[dict[str, Any]] = []
    for name in ("@actionreelbot2", "@actionreelbot"):
        start = text.lower().find(name)
        while start >= 0:
            offset = len(text[:start].encode("utf-16-le")) // 2
            if not any(it["offset"] == offset for it in found):
                found.append({"type": "mention", "offset": offset, "length": len(name)})
            start = text.lower().find(name, start + 1)
    return found


@pytest.mark.parametrize(("text", "expected"), cases(GROUPS))
def test_what_a_person_says_in_a_group(text: str, expected: tuple[str, str] | None) -> None:
    marks = mentions(text)
    assert said(changed("group_talk", text=text, entities=marks)) == expected
    photo: dict[str, Any] = {"text": None, "caption": text, "caption_entities": marks}
    assert said(changed("group_talk", **photo)) == expected


def test_who_has_no_username_is_mentioned_by_id() -> None:
    def mention(number: object) -> list[dict[str, Any]]:
        user = {"id": number, "is_bot": True, "first_name": "Reel"}
        return [{"type": "text_mention", "offset": 0, "length": 4, "user": user}]

    assert said(changed("group_talk", text="Reel boats", entities=mention(7012345678))) == (
        "talk",
        "boats",
    )
    for other in (1, None, "7012345678", True):
        assert said(changed("group_talk", text="Reel boats", entities=mention(other))) is None


def test_a_section_that_does_not_say_who_we_are_hears_no_mentions() -> None:
    bare = {"secret_token": SECRET}
    assert read("group_mention", bare).message is None
    assert read("topic_command", bare).message is None
    plain = changed("group_talk", bare, text="/video a boat").message
    assert plain and plain.event_id == "604115007"
    for token in ("", "no number:x", "7012345678", ":x", "9" * 30 + ":x"):
        found = read("command", {**bare, "bot_token": token}).message
        assert found and found.event_id == "604115001"


@pytest.mark.parametrize(
    "entity",
    [
        {"offset": -1, "length": 14},
        {"offset": 0, "length": 0},
        {"offset": 0, "length": 15},
        {"offset": 1, "length": 14},
        {"offset": 10**300, "length": 14},
        {"offset": 0.0, "length": 14},
        {"offset": "0", "length": 14},
        {"offset": None},
        {},
    ],
)
def test_marks_that_fit_no_text_are_passed_over(entity: dict[str, Any]) -> None:
    marks = [{"type": "mention", **entity}]
    assert changed("group_talk", text="@ActionreelBot", entities=marks).message is None


def test_bots_that_the_owner_did_not_name_are_not_heard() -> None:
    for owner_bots in ("", ",", "709999999", "70999999990"):
        assert read("owners_bot", {**SECTION, "owner_bots": owner_bots}).message is None
    ours = {**SECTION, "owner_bots": "7012345678"}
    own: dict[str, Any] = {"from": {"id": 7012345678, "is_bot": True, "first_name": "Reel"}}
    assert changed("owners_bot", ours, **own).message is None  # a loop
    unclear: dict[str, Any] = {"from": {"id": 81234567, "is_bot": "no"}}
    assert changed("talk", **unclear).message is None


def test_a_thread_of_answers_is_no_topic() -> None:
    found = changed("group_talk", text="/video a boat", message_thread_id=300).message
    assert found and found.place.thread is None


def test_only_our_own_buttons_are_pressed() -> None:
    for data in ("cancel", "delete:1", "cancel:", "", None, 7):
        assert changed("callback_query", data=data).message is None
    shapes: list[Any] = [None, [], {}, {"chat": {"id": 1}}, "1"]
    for shape in shapes:
        assert changed("callback_query", message=shape).message is None
    nobody: dict[str, Any] = {"from": {}}
    assert changed("callback_query", **nobody).message is None


@pytest.mark.parametrize(
    "body",
    cases(
        {
            "empty": b"",
            "words": b"not json",
            "list": b"[]",
            "deep": b"[" * 100_000,
            "half a pair": b'{"update_id": 1, "message": {"text": "\\ud800"}}',
            "nan": b'{"update_id": NaN}',
            "bytes": b'{"update_id": "\xff"}',
            "huge": b'{"update_id": ' + b"9" * 5000 + b"}",
        }
    ),
)
def test_what_cannot_be_read_is_told(body: bytes) -> None:
    with pytest.raises(RequestError) as told:
        telegram.read(SECTION, {}, body)
    assert (told.value.status, told.value.word) == (400, "unreadable")


def test_an_update_without_a_number_says_nothing() -> None:
    message = json.loads(request("command")[1])["message"]
    for number in (None, True, "1", 1.5, 2**70):
        body = json.dumps({"update_id": number, "message": message}).encode()
        assert telegram.read(SECTION, {}, body).message is None


odd: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=5,
)


def parts(value: Any) -> list[Any]:
    """The objects and lists within a document."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    below = [found for it in inner for found in parts(it)]
    return [value, *below] if isinstance(value, dict) and value else below


@steady
@given(st.data())
def test_no_shape_of_a_request_raises_anything_else(data: st.DataObject) -> None:
    headers, body = request(data.draw(st.sampled_from(FILES)))
    document = json.loads(body)
    inner = data.draw(st.sampled_from(parts(document)))
    inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(odd)
    try:
        received = telegram.read(SECTION, headers, json.dumps(document).encode())
    except RequestError as told:
        assert told.status == 400
    else:
        assert received.reply.status == 200


@steady
@given(st.binary())
def test_no_body_raises_anything_else(body: bytes) -> None:
    try:
        assert telegram.read(SECTION, {}, body).message is None
    except RequestError as told:
        assert told.status == 400


@pytest.mark.parametrize("name", FILES)
def test_what_comes_with_the_secret_is_believed(name: str) -> None:
    headers, body = request(name)
    assert telegram.verify(SECTION, headers, body, NOON)
    assert not telegram.verify({**SECTION, "secret_token": "another"}, headers, body, NOON)
    assert not telegram.verify({}, headers, body, NOON)


def test_no_other_secret_is_believed() -> None:
    for place, character in enumerate(SECRET):
        for bit in range(8):
            other = SECRET[:place] + chr(ord(character) ^ 1 << bit) + SECRET[place + 1 :]
            assert not signatures.telegram(SECRET, {HEADER: other})
            assert not signatures.telegram(other, {HEADER: SECRET})
    for odd in ("", " ", "\u0661", "\ud800", "x" * 10_000, SECRET * 2, f"{SECRET}\n", SECRET[:-1]):
        assert not signatures.telegram(SECRET, {HEADER: odd})
    assert not signatures.telegram(SECRET, {})


@pytest.mark.parametrize(
    ("secret", "usable"),
    cases(
        {
            "one": ("a", True),
            "longest": ("a" * 256, True),
            "all letters": ("AZaz09_-", True),
            "empty": ("", False),
            "too long": ("a" * 257, False),
            "space": ("a b", False),
            "line": ("a\n", False),
            "accent": ("\u00e9", False),
            "half a pair": ("\ud800", False),
        }
    ),
)
def test_what_can_be_a_secret(secret: str, usable: bool) -> None:
    assert signatures.telegram(secret, {HEADER: secret}) is usable


BUTTONS = (Button("Cancel", "cancel", VIDEO_ID), Button("Anyway", "retry_anyway", VIDEO_ID))


def test_a_message_has_words_a_link_and_buttons() -> None:
    assert telegram.message(Told("Ready: <b> & *c*", "https://example.com/w", BUTTONS)) == {
        "text": "Ready: <b> & *c*",
        "link_preview_options": {"is_disabled": True},
        "reply_markup": {
            "inline_keyboard": [
                [{"text": "Watch", "url": "https://example.com/w"}],
                [
                    {"text": "Cancel", "callback_data": f"cancel:{VIDEO_ID}"},
                    {"text": "Anyway", "callback_data": f"retry_anyway:{VIDEO_ID}"},
                ],
            ]
        },
    }
    assert "reply_markup" not in telegram.message(Told("Ready"))
    too_long = (Button("Cancel", "cancel", "x" * 58), Button("Anyway", "cancel", "\u00e9" * 29))
    assert "reply_markup" not in telegram.message(Told("Ready", buttons=too_long))


TEXTS = {
    "none": "",
    "space": " \n\t",
    "longest": "x" * 4096,
    "too long": "x" * 4097,
    "film": "\N{FILM FRAMES}" * 4000,
    "film, one off": "x" + "\N{FILM FRAMES}" * 4000,
    "half a pair": "\ud800",
    "ends in space": "x" * 4000 + " " * 200 + "y",
}


@pytest.mark.parametrize("text", cases(TEXTS))
def test_no_text_is_more_than_telegram_takes(text: str) -> None:
    sent = telegram.message(Told(text, "https://example.com/watch", BUTTONS))
    units = len(sent["text"].encode("utf-16-le")) // 2
    assert MessageLimit.MIN_TEXT_LENGTH <= units <= MessageLimit.MAX_TEXT_LENGTH
    assert sent["text"] == sent["text"].strip()
    assert sent["text"] == "…" or text.replace("\ud800", "?").startswith(sent["text"])
    assert "parse_mode" not in sent
    markup = InlineKeyboardMarkup.de_json(sent["reply_markup"], None)
    assert markup and markup.to_dict() == sent["reply_markup"] and not markup.api_kwargs
    for button in (it for row in markup.inline_keyboard for it in row):
        if isinstance(button.callback_data, str):
            size = len(button.callback_data.encode())
            assert size <= InlineKeyboardButtonLimit.MAX_CALLBACK_DATA
    options = LinkPreviewOptions.de_json(sent["link_preview_options"], None)
    assert options and options.is_disabled
    json.dumps(sent, ensure_ascii=False).encode()  # can be sent


@steady
@given(st.text(), st.integers(1, 20))
def test_a_text_is_cut_between_characters(text: str, limit: int) -> None:
    shown = telegram.cut(text, limit)
    assert len(shown.encode("utf-16-le")) <= 2 * limit
    assert text.strip().encode(errors="replace").decode().startswith(shown)


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        {
            "name": ("“@bob_1 rows”", "“@\u2060bob_1 rows”"),
            "names": ("@a_1 @all,@b", "@\u2060a_1 @\u2060all,@\u2060b"),
            "address": ("a@b.test", "a@b.test"),
            "command": ("/video@film_bot", "/video@film_bot"),
            "no name": ("@ @é @", "@ @é @"),
            "doubled": ("@@bob", "@@\u2060bob"),
        }
    ),
)
def test_nobody_is_notified_of_what_somebody_wrote(text: str, expected: str) -> None:
    assert telegram.message(Told(text))["text"] == telegram.plain(text, 100) == expected


def test_a_text_full_of_names_is_no_longer_than_telegram_takes() -> None:
    sent = telegram.message(Told("@b " * 1333))["text"]
    assert len(sent.encode("utf-16-le")) // 2 <= MessageLimit.MAX_TEXT_LENGTH


def test_a_long_hostile_message_is_read_in_no_time() -> None:
    mark = {"type": "mention", "offset": 0, "length": 14}
    for text in ("/video" + " " * 900_000 + "x", "@" * 900_000, "/" + "a" * 900_000):
        changed("group_talk", text=text, entities=[mark] * 100)
        changed("talk", text=text)
    changed("group_talk", text="@ActionreelBot", entities=[mark] * 15_000)
