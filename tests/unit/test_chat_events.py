"""Messages that a program sends for a chat: what is in them, and who may send them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from actionreel.chat import events
from actionreel.chats import ChatMessage
from actionreel.errors import RequestError
from actionreel.models import Place
from actionreel.signatures import sign_standard_webhooks
from tests.fakes import NOON, cases

SECRET = "whsec_" + "ab12" * 16
SECTION = {"signing_secret": SECRET}
TAG = '<createAIVideo>{"prompt": "a paper boat"}</createAIVideo>'
SLACK = {"platform": "slack", "channel": "C1", "thread": "17.1", "replyTo": "17.2"}
PROGRAM = {"callbackUrl": "https://program.example/hook"}


EVENTS = Path(__file__).parent.parent / "events" / "chat"
MODELS_TAG = (
    "Here it comes!\n"
    '<createAIVideo>{"prompt": "a paper boat in the rain", "seconds": 8}</createAIVideo>'
)


def request(name: str) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a payload file."""
    document = json.loads((EVENTS / f"events_{name}.json").read_text())
    return document["headers"], document["body"].encode()


def place(platform: Any, channel: str, **fields: Any) -> tuple[str, str, Place]:
    return "tags", MODELS_TAG, Place(platform=platform, channel=channel, **fields)


CHANNEL = "C024BE91L"
MESSAGES = {
    "slack": place("slack", CHANNEL),
    "slack_thread": place(
        "slack", CHANNEL, thread="1795305600.000200", reply_to="1795305610.000100"
    ),
    "telegram_ask_model": place(
        "telegram", "-1001987654321", thread="12", reply_to="305", follows_up=True
    ),
    "discord_user": (
        "talk",
        "a lighthouse at night, please \N{PERSON WITH FOLDED HANDS}",
        Place(platform="discord", channel="290926798626357999"),
    ),
    "callback": place("callback", "", url="https://program.example/hooks/actionreel?key=0f8c"),
}
TOLD = {
    "no_text": "text: Field required.",
    "nowhere": "to: Field required.",
    "both_ways": "to.platform: Extra inputs are not permitted; "
    "to.channel: Extra inputs are not permitted.",
    "misspelt_field": "askmodel: Extra inputs are not permitted.",
    "misspelt_target": "to.callbackURL: Extra inputs are not permitted; "
    "to.platform: Field required; to.channel: Field required.",
    "unknown_platform": "to.platform: Input should be 'slack', 'discord' or 'telegram'.",
    "empty_channel": "to.channel: String should have at least 1 character.",
    "stranger": "from: Input should be 'assistant' or 'user'.",
    "number_for_text": "text: Input should be a valid string.",
    "half_a_character": "the body: Invalid JSON: unexpected end of hex escape at line 1 column 16.",
    "user_at_program": "A model can answer in chats only.",
    "model_at_program": "A model can answer in chats only.",
}
FILES = sorted(path.stem.removeprefix("events_") for path in EVENTS.glob("events_*.json"))


def test_every_payload_file_is_read_as_what_it_is() -> None:
    assert sorted([*MESSAGES, *TOLD]) == FILES
    for name, (kind, text, where) in MESSAGES.items():
        headers, body = request(name)
        found = events.read(SECTION, headers, body).message
        expected = {"kind": kind, "event_id": headers["webhook-id"], "text": text, "place": where}
        assert found == ChatMessage.model_validate(expected)


@pytest.mark.parametrize(("name", "sentence"), [*TOLD.items()])
def test_what_is_wrong_is_told_in_words(name: str, sentence: str) -> None:
    with pytest.raises(RequestError) as told:
        events.read(SECTION, *request(name))
    assert str(told.value) == sentence
    assert told.value.status == (422 if name.endswith("_at_program") else 400)


@pytest.mark.parametrize("name", FILES)
def test_the_standards_own_library_signs_as_the_payload_files_are(name: str) -> None:
    headers, body = request(name)
    sign = Webhook(SECRET).sign(headers["webhook-id"], NOON, body.decode())
    assert sign == headers["webhook-signature"]
    assert events.verify(SECTION, headers, body, NOON)


def test_a_name_of_any_length_is_told_in_a_short_sentence() -> None:
    body = json.dumps({"text": "", "to": SLACK, "x" * 900_000: 1}).encode()
    with pytest.raises(RequestError) as told:
        events.read(SECTION, {}, body)
    assert len(str(told.value)) < 100


def signed(body: bytes, *, at: int = int(NOON.timestamp()), secret: str = SECRET) -> dict[str, str]:
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at),
        "webhook-signature": sign_standard_webhooks(secret, "msg_1", at, body),
    }


def message(**fields: Any) -> ChatMessage | None:
    body = json.dumps({"text": TAG, "to": SLACK, **fields}).encode()
    return events.read(SECTION, {"webhook-id": "msg_1"}, body).message


def test_an_assistant_s_message_is_acted_on() -> None:
    place = Place(platform="slack", channel="C1", thread="17.1", reply_to="17.2")
    expected = ChatMessage(kind="tags", event_id="msg_1", place=place, text=TAG)
    assert message() == message(**{"from": "assistant"}) == expected


def test_a_user_is_answered_by_the_model() -> None:
    found = message(**{"from": "user", "text": "hello", "askModel": True})
    assert found and (found.kind, found.text, found.place.follows_up) == ("talk", "hello", True)


def test_a_program_is_called_back() -> None:
    found = message(to=PROGRAM)
    assert found and found.place == Place(platform="callback", url=PROGRAM["callbackUrl"])


def test_it_is_accepted() -> None:
    reply = events.read(SECTION, {}, json.dumps({"text": "", "to": SLACK}).encode()).reply
    assert (reply.status, reply.body) == (202, {"accepted": True})


MISTAKES = {
    "no JSON": (b"{", 400),
    "no object": (b"[]", 400),
    "no text": ({"to": SLACK}, 400),
    "nowhere to go": ({"text": TAG}, 400),
    "both ways": ({"text": TAG, "to": {**SLACK, **PROGRAM}}, 400),
    "a misspelt field": ({"text": TAG, "to": SLACK, "askmodel": True}, 400),
    "an unknown platform": ({"text": TAG, "to": {"platform": "irc", "channel": "C"}}, 400),
    "an empty channel": ({"text": TAG, "to": {**SLACK, "channel": ""}}, 400),
    "nobody wrote it": ({"text": TAG, "to": SLACK, "from": "a stranger"}, 400),
    "half a character": (b'{"text": "\\ud800", "to": {"callbackUrl": "https://a.b/"}}', 400),
    "great depth": (b"[" * 100_000, 400),
    "a huge number": (b'{"text": ' + b"9" * 5000 + b"}", 400),
    "a long text": ({"text": "x" * 205_000, "to": SLACK}, 413),
    "a user at a program": ({"text": "hi", "from": "user", "to": PROGRAM}, 422),
    "a model at a program": ({"text": TAG, "askModel": True, "to": PROGRAM}, 422),
}


@pytest.mark.parametrize(("body", "status"), cases(MISTAKES))
def test_a_mistake_is_told(body: Any, status: int) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(RequestError) as refused:
        events.read(SECTION, {"webhook-id": "msg_1"}, content)
    assert refused.value.status == status
    assert "a stranger" not in str(refused.value)


def test_who_may_send() -> None:
    body = b'{"text": ""}'
    headers = signed(body)
    assert events.verify(SECTION, headers, body, NOON)
    assert not events.verify({}, headers, body, NOON)
    assert not events.verify({"signing_secret": "whsec_" + "zz" * 8}, headers, body, NOON)
    assert not events.verify(SECTION, headers, body + b" ", NOON)
    for minutes in (-6, 6):
        assert not events.verify(SECTION, headers, body, NOON + timedelta(minutes=minutes))
    for name in headers:
        for odd in ("", "ü", "\x00", "9" * 400):
            assert not events.verify(SECTION, {**headers, name: odd}, body, NOON)
        assert not events.verify(
            SECTION, {k: v for k, v in headers.items() if k != name}, body, NOON
        )
