"""Slack's requests: whose they are, what they say; and what we write. Its own library judges."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from slack_sdk.signature import Clock, SignatureVerifier

from actionreel import signatures
from actionreel.chat import slack, slack_text
from actionreel.chats import Button, ChatMessage, Received, Reply, Told
from actionreel.errors import RequestError
from actionreel.models import Place
from local.chat.slack import FakeSlack
from tests.fakes import NOON, VIDEO_ID, cases, steady
from tests.signed import NOW, SENT_AT, Signed

EVENTS = Path(__file__).parent.parent / "events" / "chat"
SECTION = {
    "signing_secret": "8f742231b10e8888abcd99yyyzzz85a5",
    "owner_bots": "B0OTHER, B0OWNERBOT",
}
CHANNEL, DIRECT, ADA = "C024BE91L", "D024BE91L", "U2147483697"
ASKED, ANSWERED = "1795305600.000200", "1795305610.000100"
TAGS = (
    "Here it comes!\n"
    '<createAIVideo>{"prompt": "a cat & a dog", "input_reference_url": '
    '"https://example.com/cat.png?v=1&w=2"}</createAIVideo>'
)


def request(name: str) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a payload file."""
    document = json.loads((EVENTS / f"slack_{name}.json").read_text())
    return document["headers"], document["body"].encode()


def read(name: str, section: Mapping[str, str] = SECTION) -> Received:
    return slack.read(section, *request(name))


def digest(trigger: str) -> str:
    return hashlib.sha256(f"{trigger}.6054505861.{'0123456789abcdef' * 2}".encode()).hexdigest()


def place(channel: str, thread: str | None, reply_to: str | None, author: str = ADA) -> Place:
    return Place(platform="slack", channel=channel, thread=thread, reply_to=reply_to, author=author)


def written(kind: Any, event_id: str, where: Place, text: str = "", url: str = "") -> ChatMessage:
    return ChatMessage(
        kind=kind, event_id=event_id, place=where, text=text, reply_token=url or None
    )


RESPONSE_URL = "https://hooks.slack.com/{}/T061EG9R6/700000000000{}/AbCdEfGhIjKlMnOpQrStUvWx"
BOTS = "1795305600.000500"
MESSAGES: dict[str, ChatMessage] = {
    "app_mention": written(
        "talk",
        "Ev0PV52K21",
        place(CHANNEL, ASKED, ASKED),
        "a paper boat, like https://example.com/boat?a=1&b=2, for @U061F7AUR & me",
    ),
    "app_mention_thread": written(
        "command",
        "Ev0PV52K23",
        place(CHANNEL, ASKED, "1795305700.000300"),
        "a paper boat --seconds 4",
    ),
    "message_im": written(
        "talk",
        "Ev0PV52K31",
        place(DIRECT, None, "1795305600.000400"),
        "a lighthouse at night, please",
    ),
    "message_im_command": written(
        "command",
        "Ev0PV52K32",
        place(DIRECT, None, "1795305601.000400"),
        "a lighthouse <at night> --portrait",
    ),
    "message_im_help": written("help", "Ev0PV52K33", place(DIRECT, None, "1795305602.000400")),
    "message_bot": written("tags", "Ev0PV52K41", place(CHANNEL, BOTS, BOTS, "B0OWNERBOT"), TAGS),
    "message_webhook": written(
        "tags",
        "Ev0PV52K43",
        place(CHANNEL, "1795305600.000600", "1795305600.000600", "B0OWNERBOT"),
        TAGS,
    ),
    "slash_command": written(
        "command",
        digest("7000000000002"),
        place(CHANNEL, None, None),
        "a paper boat & a https://example.com/whale --seconds 8",
        RESPONSE_URL.format("commands", 1),
    ),
    "slash_help": written(
        "help",
        digest("7000000000003"),
        place(CHANNEL, None, None),
        "",
        RESPONSE_URL.format("commands", 1),
    ),
    "block_actions": written(
        "button",
        digest("7000000000004"),
        place(CHANNEL, ASKED, ANSWERED),
        f"cancel:{VIDEO_ID}",
        RESPONSE_URL.format("actions", 5),
    ),
}
IGNORED = [
    "message_mention",  # which came as app_mention, too
    "message_channel",
    "message_own",
    "message_changed",
    "message_deleted",
    "reaction_added",
    "app_rate_limited",
    "slash_ssl_check",
    "message_action",
]
FILES = sorted(path.stem.removeprefix("slack_") for path in EVENTS.glob("slack_*.json"))


def signed(name: str = "app_mention") -> Signed:
    """A payload file, signed by Slack's library."""
    headers, body = request(name)
    signature = SignatureVerifier(SECTION["signing_secret"]).generate_signature(
        timestamp=str(SENT_AT), body=body
    )
    assert signature
    ours = {"x-slack-request-timestamp": str(SENT_AT), "x-slack-signature": signature}
    return Signed(signatures.slack, SECTION["signing_secret"], {**headers, **ours}, body)


class _Then(Clock):
    """A clock for Slack's library that stands still."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> float:
        return self._moment.timestamp()


def oracle(message: Signed, now: datetime = NOW) -> bool:
    """What Slack's library makes of it; it raises where we say no."""
    try:
        verifier = SignatureVerifier(message.secret, _Then(now))
        return verifier.is_valid_request(message.body, message.headers)
    except (ValueError, TypeError):
        return False


def test_every_payload_file_is_read_as_what_it_is() -> None:
    assert sorted([*MESSAGES, *IGNORED, "url_verification"]) == FILES
    assert {name: read(name).message for name in MESSAGES} == MESSAGES
    assert {name: read(name) for name in IGNORED} == dict.fromkeys(IGNORED, Received(Reply()))


def test_a_new_address_is_confirmed() -> None:
    challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
    assert read("url_verification") == Received(Reply(200, {"challenge": challenge}))


def changed(name: str, **event: Any) -> Received:
    """A payload file with another inner event."""
    headers, body = request(name)
    document = json.loads(body)
    document["event"] = {**document["event"], **event}
    return slack.read(SECTION, headers, json.dumps(document).encode())


def said(received: Received) -> tuple[str, str] | None:
    message = received.message
    return (message.kind, message.text) if message else None


@pytest.mark.parametrize(
    ("text", "expected"),
    cases(
        {
            "command": ("<@U0LAN0Z89> video a boat", ("command", "a boat")),
            "with a slash": ("<@U0LAN0Z89> /video  a boat ", ("command", "a boat")),
            "in capitals": ("Video a Boat", ("command", "a Boat")),
            "lines": ("video a boat\nin the rain", ("command", "a boat\nin the rain")),
            "no wish": ("<@U0LAN0Z89> video", ("help", "")),
            "help of the command": ("video HELP", ("help", "")),
            "only a mention": ("<@U0LAN0Z89>", ("help", "")),
            "another word": ("videos of boats", ("talk", "videos of boats")),
            "mention inside": ("hey <@U0LAN0Z89|reel> look", ("talk", "hey  look")),
            "user's tag": ("&lt;createAIVideo&gt;{}", ("talk", "<createAIVideo>{}")),
            "links": (
                "see <http://example.com|example.com> and <mailto:a@b.test|a@b.test>",
                ("talk", "see example.com and a@b.test"),
            ),
            "names": (
                "<#C1|films> <!here> <!subteam^S1|@crew> <@U9|bo> &amp;lt; <b>",
                ("talk", "#films @here @crew @bo &lt; <b>"),
            ),
        }
    ),
)
def test_what_a_person_says_to_us(text: str, expected: tuple[str, str]) -> None:
    assert said(changed("app_mention", text=text)) == expected
    assert said(changed("message_im", text=text)) == expected


def test_a_file_with_words_is_said_and_joins_and_edits_are_not() -> None:
    assert said(changed("message_im", subtype="file_share", text="like this"))
    subtypes: list[Any] = ["channel_join", "message_changed", "me_message", "tombstone", 7, []]
    for subtype in subtypes:
        assert changed("message_im", subtype=subtype).message is None
        assert changed("app_mention", subtype=subtype).message is None


def test_bots_that_the_owner_did_not_name_are_not_heard() -> None:
    for owner_bots in ("", ",", "B0OWNER", "B0OWNERBOT2", "b0ownerbot"):
        section = {**SECTION, "owner_bots": owner_bots}
        assert read("message_bot", section).message is None
    assert slack.read({}, *request("message_bot")).message is None
    assert changed("message_bot", bot_id="").message is None
    assert changed("app_mention", bot_id="B0OWNERBOT").message is None  # it came as a message, too
    named = {**SECTION, "owner_bots": "B0LAN0Z89"}
    assert read("message_own", named).message is None  # a loop that somebody asked for


def test_in_a_thread_of_direct_messages_we_answer_there() -> None:
    threaded = changed("message_im", thread_ts="1795305500.000100").message
    assert threaded and threaded.place.thread == "1795305500.000100"


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.slack.com/commands/1",
        "https://hooks.slack.com.example.com/1",
        "https://hooks.slack.com@example.com/1",
        "https://somebody@hooks.slack.com/1",
        "https://example.com\\@hooks.slack.com/1",
        "https://hooks.slack.com:8443/1",
        "https://files.slack.com/1",
        "https://[hooks.slack.com/1",
        "https://hooks.sl\u00e4ck.com/1",
        "http://127.0.0.1:9999/commands/1",
        "https://127.0.0.1:9000/commands/1",
        "/commands/1",
        "",
    ],
)
def test_an_answer_goes_nowhere_but_to_slack(url: str) -> None:
    headers, body = request("slash_command")
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    local = {**SECTION, "base_url": "http://127.0.0.1:9000/slack"}
    for section in (SECTION, local):
        sent = urlencode({**form, "response_url": url}).encode()
        found = slack.read(section, headers, sent).message
        assert found and found.reply_token is None
    at_home = "http://127.0.0.1:9000/slack/commands/1"
    sent = urlencode({**form, "response_url": at_home}).encode()
    found = slack.read(local, headers, sent).message
    assert found and found.reply_token == at_home


def pressing(**changes: Any) -> Received:
    headers, body = request("block_actions")
    payload = json.loads(parse_qs(body.decode())["payload"][0])
    content = urlencode({"payload": json.dumps({**payload, **changes})}).encode()
    return slack.read(SECTION, headers, content)


def test_only_our_own_buttons_are_pressed() -> None:
    for value in ("cancel", "delete:1", "cancel:", "", None, 7):
        assert pressing(actions=[{"value": value}]).message is None
    strange: list[Any] = [None, [], {}, [None], "cancel:1"]
    for odd in strange:
        assert pressing(actions=odd).message is None
    for kind in ("view_submission", "block_suggestion", "shortcut", None):
        assert pressing(type=kind).message is None
    elsewhere = pressing(message=None).message
    assert elsewhere and elsewhere.place == place(CHANNEL, None, None)


UNREADABLE = {
    "empty": b"",
    "words": b"not json",
    "list": b"[]",
    "deep": b"[" * 100_000,
    "half a pair": b'{"type": "event_callback", "event_id": "\\ud800"}',
    "nan": b'{"type": NaN}',
}


@pytest.mark.parametrize("body", cases(UNREADABLE))
def test_what_cannot_be_read_is_told(body: bytes) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    attempts: list[tuple[dict[str, str], bytes]] = [
        ({}, body),
        (form, b"payload=" + urlencode({"": body})[1:].encode()),
    ]
    for headers, content in attempts:
        with pytest.raises(RequestError) as told:
            slack.read(SECTION, headers, content)
        assert (told.value.status, told.value.word) == (400, "unreadable")


def test_bytes_that_cannot_be_read_are_told() -> None:
    form = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    with pytest.raises(RequestError):
        slack.read(SECTION, {}, b'{"type": "\xff"}')
    for body in (b"\xff=1", b"&".join(b"a=1" for _ in range(101))):
        with pytest.raises(RequestError):
            slack.read(SECTION, form, body)
    assert slack.read(SECTION, form, b"") == Received(Reply())


odd: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=5,
)


@steady
@given(st.data())
def test_no_shape_of_a_request_raises_anything_else(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["app_mention", "message_bot", "block_actions"]))
    headers, body = request(name)
    is_form = name == "block_actions"
    document = json.loads(parse_qs(body.decode())["payload"][0] if is_form else body)
    inner = data.draw(st.sampled_from([document, document.get("event", document)]))
    inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(odd)
    content = json.dumps(document)
    sent = urlencode({"payload": content}, errors="replace") if is_form else content
    try:
        received = slack.read(SECTION, headers, sent.encode())
    except RequestError as told:
        assert told.status == 400
    else:
        assert received.reply.status == 200


@steady
@given(st.binary(), st.booleans())
def test_no_body_raises_anything_else(body: bytes, is_form: bool) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"} if is_form else {}
    try:
        assert slack.read(SECTION, headers, body).message is None
    except RequestError as told:
        assert told.status == 400


@pytest.mark.parametrize("name", FILES)
def test_what_slack_signed_is_believed(name: str) -> None:
    message = signed(name)
    assert slack.verify(SECTION, message.headers, message.body, NOW) and oracle(message)


def test_slacks_own_example_of_a_signature_is_believed() -> None:
    """From its guide to verifying requests."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&"
        b"channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&"
        b"command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id="
        b"398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    digest = "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    headers = {"x-slack-request-timestamp": "1531420618", "x-slack-signature": f"v0={digest}"}
    then = datetime.fromtimestamp(1531420618, UTC)
    assert slack.verify({"signing_secret": SECTION["signing_secret"]}, headers, body, then)
    assert not slack.verify(SECTION, headers, body, NOW)


@pytest.mark.parametrize(
    ("seconds", "believed"),
    [
        (0, True),
        (300, True),
        (-300, True),
        (301, False),
        (-301, False),
        (360, False),
        (-360, False),
    ],
)
def test_a_signature_is_worth_something_for_five_minutes(seconds: int, believed: bool) -> None:
    message, now = signed(), NOW + timedelta(seconds=seconds)
    assert message.accepted(now) is oracle(message, now) is believed


def test_one_character_that_is_changed_is_noticed() -> None:
    message = signed()
    right = message.headers["x-slack-signature"]
    for at, character in enumerate(right):
        for other in ("0", "f", "x", " ", "\u0661", character.upper()):
            wrong = right[:at] + other + right[at + 1 :]
            headers = {**message.headers, "x-slack-signature": wrong}
            other_one = Signed(message.verify, message.secret, headers, message.body)
            assert other_one.accepted() is oracle(other_one) is (wrong == right)
    assert [spoiled for spoiled in _slight(message).spoiled() if spoiled.accepted()] == []


def _slight(message: Signed) -> Signed:
    """The same with the headers that are signed alone, for every bit to be flipped."""
    ours = {name: value for name, value in message.headers.items() if name.startswith("x-slack")}
    return Signed(message.verify, message.secret, ours, message.body)


STRANGE = ["", " ", "\u0661", "x" * 10_000, "\x00", "\ud800", "1e9", "-1", "9" * 400, "v0=", "v0"]


@pytest.mark.parametrize("name", ["x-slack-request-timestamp", "x-slack-signature"])
def test_strange_headers_are_not_believed(name: str) -> None:
    message = signed()
    for odd in [*STRANGE, f"{message.headers[name]}\n", f" {message.headers[name]}"]:
        headers = {**message.headers, name: odd}
        assert not slack.verify(SECTION, headers, message.body, NOW)
    left = {other: value for other, value in message.headers.items() if other != name}
    assert not slack.verify(SECTION, left, message.body, NOW)


def test_without_the_secret_nobody_is_believed() -> None:
    message = signed()
    for secret in ("", "another", "\ud800", "\u00e9"):
        section = {**SECTION, "signing_secret": secret}
        assert not slack.verify(section, message.headers, message.body, NOW)
    assert not slack.verify({}, message.headers, message.body, NOW)
    assert not slack.verify(SECTION, message.headers, message.body + b" ", NOW)
    assert not slack.verify(SECTION, message.headers, b"\xff", NOW)


def test_the_platform_on_this_machine_signs_as_slack_does() -> None:
    home, body = FakeSlack(clock=NOON.timestamp), b'{"type": "event_callback"}'
    lower = {name.lower(): value for name, value in home.signed(body).items()}
    assert slack.verify(home.section, lower, body, NOON)
    verifier = SignatureVerifier(home.section["signing_secret"], _Then(NOON))
    assert verifier.is_valid_request(body, home.signed(body))


BUTTONS = (Button("Cancel", "cancel", VIDEO_ID), Button("Try again", "retry", VIDEO_ID))


def test_a_message_has_words_a_link_and_buttons() -> None:
    link = "https://example.com/watch?a=1&b=<x>|y"
    assert slack.message(Told("Ready: <a & b>", link, BUTTONS)) == {
        "text": "Ready: &lt;a &amp; b&gt;",
        "blocks": [
            _section("Ready: &lt;a &amp; b&gt;"),
            _section("<https://example.com/watch?a=1&amp;b=%3Cx%3E%7Cy|Watch>"),
            {
                "type": "actions",
                "elements": [
                    _button("Cancel", "cancel", f"cancel:{VIDEO_ID}"),
                    _button("Try again", "retry", f"retry:{VIDEO_ID}"),
                ],
            },
        ],
    }


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _button(label: str, action: str, value: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "text": text, "action_id": action, "value": value}


@pytest.mark.parametrize(
    "text",
    cases(
        {
            "none": "",
            "pings": "<!channel> <@U1> <!here|x> </b> @here",
            "long": "a word " * 571,
            "no gap": "x" * 4000,
            "escapes": "&<>" * 1333,
            "half a pair": "\ud800",
            "film": "\N{FILM FRAMES}" * 4000,
        }
    ),
)
def test_no_text_is_more_than_text_or_more_than_slack_takes(text: str) -> None:
    written = slack.message(Told(text, "https://example.com/watch", BUTTONS))
    assert 0 < len(written["text"]) <= 4000
    texts = [block["text"]["text"] for block in written["blocks"] if block["type"] == "section"]
    assert all(0 < len(it) <= 3000 for it in texts)
    assert sum(map(len, texts)) <= 12_100
    assert "<" not in "".join(texts[:-1]) + written["text"]
    shown = slack_text.plain("".join(texts[:-1])) if text else ""
    if "&" not in text and "\ud800" not in text:
        assert shown == text.strip()
    for found in Block.parse_all(written["blocks"]):
        assert type(found) is not Block
        found.validate_json()
        assert found.to_dict() in written["blocks"]
    json.dumps(written, ensure_ascii=False).encode()  # can be sent


@steady
@given(st.text(alphabet="a &<>;lgtmp#\n|@!:/\u00e9"))
def test_what_is_escaped_is_read_as_it_was_written(text: str) -> None:
    assert slack_text.plain(slack_text.escaped(text, 4000)) == text.strip()
    assert "".join(slack_text.sections(text, 12_000)) == slack_text.escaped(text, 12_000)


def test_a_long_text_of_brackets_is_read_in_no_time() -> None:
    for hostile in ("<" * 500_000, "<@" * 300_000, "<http:|" * 150_000, "<@U" + "|" * 900_000):
        assert slack_text.plain(hostile).startswith("<")
