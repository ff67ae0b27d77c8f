"""Discord's requests and messages: whose they are, what they ask for, and what we write."""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from actionreel import signatures
from actionreel.chat import discord
from actionreel.chats import Button, Received, Told
from actionreel.errors import RequestError
from tests.fakes import VIDEO_ID, cases, steady
from tests.signed import NOW, SENT_AT, Signed

EVENTS = Path(__file__).parents[1] / "events" / "chat"
KEY = SigningKey(bytes(range(32)))
GUILD_CHANNEL, DM_CHANNEL = "1300000000000000123", "1300000000000000999"
AUTHOR = "1200000000000000042"
IMAGE = (
    "https://cdn.discordapp.com/ephemeral-attachments/1309900000000000001/1310000000000000555"
    "/boat.png?ex=6921&is=6920&hm=0f1e&"
)


def event(name: str) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a request, without a signature."""
    kept = json.loads((EVENTS / f"discord_{name}.json").read_text())
    return kept["headers"], kept["body"].encode()


def signed(body: bytes, sent_at: str = str(SENT_AT), key: SigningKey = KEY) -> Signed:
    """The body as Discord signs it."""
    headers = {
        "x-signature-ed25519": key.sign(sent_at.encode() + body).signature.hex(),
        "x-signature-timestamp": sent_at,
    }
    return Signed(signatures.discord, KEY.verify_key.encode().hex(), headers, body)


def read(name: str) -> Received:
    return discord.read({}, *event(name))


def given_command(options: Any, name: str = "video", **fields: Any) -> Received:
    """What is read of a command with these options."""
    interaction = json.loads(event("video_command")[1])
    interaction["data"] |= {"name": name, "options": options}
    return discord.read({}, {}, json.dumps({**interaction, **fields}).encode())


def library(name: str) -> Any:
    """Somebody else's library, which may warn of what Python will no longer have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return importlib.import_module(name)


def parsed(sent: dict[str, Any]) -> Any:
    """The interaction as discord.py reads it."""
    theirs = library("discord")
    state = theirs.Client(intents=theirs.Intents(guilds=True))._connection
    bot = {"id": sent["application_id"], "username": "actionreel", "discriminator": "0"}
    state.user = theirs.ClientUser(state=state, data={**bot, "avatar": None})
    return theirs.Interaction(data=sent, state=state)


PING = signed(event("ping")[1])


def test_what_discord_signed_is_believed() -> None:
    assert PING.accepted()
    section = {"public_key": PING.secret}
    assert discord.verify(section, PING.headers, PING.body, NOW)
    assert not discord.verify({}, PING.headers, PING.body, NOW)
    assert signed(b"\xff\x00 no text at all").accepted()


@pytest.mark.parametrize(
    ("seconds", "believed"), [(300, True), (-300, True), (301, False), (360, False), (-360, False)]
)
def test_a_signature_is_worth_something_for_five_minutes(seconds: int, believed: bool) -> None:
    assert PING.accepted(NOW + timedelta(seconds=seconds)) is believed


def test_one_bit_that_is_changed_anywhere_is_noticed() -> None:
    small = signed(b'{"type":1}')
    spoiled = [*small.spoiled()]
    assert len(spoiled) > 8 * len(small.body)
    assert [changed for changed in spoiled if changed.accepted()] == []


def test_another_key_is_not_discord_s() -> None:
    assert not signed(PING.body, key=SigningKey(bytes(32))).accepted()


@pytest.mark.parametrize("name", [*PING.headers])
@pytest.mark.parametrize(
    "odd",
    cases(
        {
            "empty": "",
            "a space": " ",
            "digits of another script": "\u0661",
            "not ASCII": "ä" * 128,
            "not hexadecimal": "x" * 128,
            "odd hexadecimal": "a" * 127,
            "too long": "1" * 10_000,
            "half a surrogate pair": "\ud800",
            "zeroes": "0" * 128,
        }
    ),
)
def test_every_header_is_needed(name: str, odd: str) -> None:
    assert not replace(PING, headers={**PING.headers, name: odd}).accepted()
    assert not replace(PING, headers={**PING.headers, name: f"{PING.headers[name]}\n"}).accepted()
    left = {other: value for other, value in PING.headers.items() if other != name}
    assert not replace(PING, headers=left).accepted()


@pytest.mark.parametrize("key", ["", "00", PING.secret[:-1], "x" * 64, "é" * 64, "0" * 64])
def test_a_key_that_is_none_believes_nothing(key: str) -> None:
    assert not replace(PING, secret=key).accepted()


@steady
@given(st.text(), st.text(), st.text(), st.binary())
def test_nothing_that_a_stranger_sends_raises(
    key: str, sent_at: str, signature: str, body: bytes
) -> None:
    headers = {"x-signature-ed25519": signature, "x-signature-timestamp": sent_at}
    assert signatures.discord(key, headers, body, NOW) is False
    right = {**PING.headers, "x-signature-ed25519": signature}
    assert signatures.discord(PING.secret, right, body, NOW) is False


def test_discord_s_library_believes_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    verify_key = library("discord_interactions").verify_key

    def believed(request: Signed) -> bool:
        given = request.headers
        told = verify_key(
            request.body,
            given["x-signature-ed25519"],
            given["x-signature-timestamp"],
            request.secret,
        )
        return bool(told)

    for path in sorted(EVENTS.glob("discord_*.json")):
        request = signed(json.loads(path.read_text())["body"].encode())
        assert believed(request)
        assert request.accepted()
    small = signed(b'{"type":1}')
    for changed in small.spoiled():
        if believed(changed):  # it takes capitals for hexadecimal digits, too
            lowered = {name: value.lower() for name, value in changed.headers.items()}
            same = replace(changed, secret=changed.secret.lower(), headers=lowered)
            assert same == small
    capsys.readouterr()  # it prints what it thinks of them


REPLIES = {
    "ping": {"type": 1},
    "video_command": {"type": 5},
    "video_command_dm": {"type": 5},
    "video_command_attachment": {"type": 5},
    "ask_command": {"type": 5},
    "unknown": {"type": 5},
    "button": {"type": 6},
    "foreign_button": {"type": 6},
    "modal": {"type": 6},
    "autocomplete": {"type": 8, "data": {"choices": []}},
}


@pytest.mark.parametrize(
    ("name", "body"), cases({name: (name, it) for name, it in REPLIES.items()})
)
def test_every_request_has_its_answer(name: str, body: dict[str, Any]) -> None:
    received = read(name)
    assert (received.reply.status, received.reply.body) == (200, body)


@pytest.mark.parametrize("name", ["ping", "foreign_button", "modal", "autocomplete"])
def test_what_asks_for_nothing_is_no_message(name: str) -> None:
    assert read(name).message is None


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    cases(
        {
            "all options": (
                "video_command",
                "command",
                "--seconds 8 --model sora-2 --image https://images.example/boat.png --portrait"
                " -- a paper boat in the rain, seen from a bridge",
            ),
            "hyphens in the prompt": (
                "video_command_dm",
                "command",
                "-- a paper boat --seconds 900 -- on the Seine",
            ),
            "an attachment": (
                "video_command_attachment",
                "command",
                f"--image {IMAGE} -- the boat sails away",
            ),
            "a question": ("ask_command", "talk", "Can you film a paper boat for me, please?"),
            "another command": ("unknown", "help", ""),
        }
    ),
)
def test_a_command_says_what_is_wanted(name: str, kind: str, text: str) -> None:
    message = read(name).message
    assert message is not None
    assert (message.kind, message.text) == (kind, text)


@pytest.mark.parametrize(
    ("name", "channel"), [("video_command", GUILD_CHANNEL), ("video_command_dm", DM_CHANNEL)]
)
def test_a_command_says_where_the_answer_goes(name: str, channel: str) -> None:
    sent = json.loads(event(name)[1])
    message = read(name).message
    assert message is not None
    place = message.place
    assert (place.platform, place.channel, place.author) == ("discord", channel, AUTHOR)
    assert (place.deferred, place.reply_to, place.thread) == (True, None, None)
    assert (message.event_id, message.reply_token) == (sent["id"], sent["token"])


def test_a_press_says_which_button_under_which_message() -> None:
    message = read("button").message
    assert message is not None
    assert (message.kind, message.text) == ("button", f"cancel:{VIDEO_ID}")
    assert (message.place.deferred, message.place.reply_to) == (False, "1310000000000000321")
    assert message.place.channel == GUILD_CHANNEL
    assert message.reply_token


PROMPT = {"name": "prompt", "type": 3, "value": "a boat"}


@pytest.mark.parametrize(
    ("options", "text"),
    cases(
        {
            "no seconds": ([PROMPT], "-- a boat"),
            "a number with a point": (
                [PROMPT, {"name": "seconds", "type": 10, "value": 4.5}],
                "--seconds 4.5 -- a boat",
            ),
            "an option that is none": (
                [PROMPT, {"name": "shape", "type": 3, "value": "round --model x"}],
                "-- a boat",
            ),
            "a value that would be an option": (
                [PROMPT, {"name": "model", "type": 3, "value": "--portrait -- no boat"}],
                "--model portrait----no-boat -- a boat",
            ),
            "a value that would end the options": (
                [PROMPT, {"name": "model", "type": 3, "value": " -- "}],
                "-- a boat",
            ),
            "a truth is no number": (
                [PROMPT, {"name": "seconds", "type": 4, "value": True}],
                "-- a boat",
            ),
            "an attachment that is not there": (
                [PROMPT, {"name": "file", "type": 11, "value": "1"}],
                "-- a boat",
            ),
            "odd options": ([PROMPT, None, 1, {}, {"name": [], "value": {}}], "-- a boat"),
        }
    ),
)
def test_no_option_becomes_another(options: list[Any], text: str) -> None:
    message = given_command(options).message
    assert message is not None
    assert (message.kind, message.text) == ("command", text)


@pytest.mark.parametrize("options", [None, [], {}, [{**PROMPT, "value": " \n"}], "prompt"])
@pytest.mark.parametrize("name", ["video", "ask"])
def test_a_command_without_words_is_a_call_for_help(name: str, options: Any) -> None:
    message = given_command(options, name).message
    assert message is not None
    assert (message.kind, message.text) == ("help", "")


@pytest.mark.parametrize(
    "body",
    cases(
        {
            "nothing": b"",
            "no JSON": b"<xml>",
            "a list": b"[1]",
            "no type": b"{}",
            "a text for a type": b'{"type": "2"}',
            "a truth for a type": b'{"type": true}',
            "not a number": b'{"type": 1, "version": NaN}',
            "half a surrogate pair": b'{"type": 2, "id": "\\ud800"}',
            "great depth": b"[" * 100_000,
            "a huge number": b'{"type": ' + b"9" * 5000 + b"}",
            "no UTF-8": b'{"type": 2, "id": "\xff"}',
            "no channel": b'{"type": 2, "id": "1", "token": "t", "user": {"id": "2"}}',
            "nobody": b'{"type": 2, "id": "1", "token": "t", "channel_id": "2"}',
            "no token": b'{"type": 2, "id": "1", "channel_id": "3", "user": {"id": "2"}}',
            "no id": b'{"type": 2, "token": "t", "channel_id": "3", "user": {"id": "2"}}',
        }
    ),
)
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        discord.read({}, {}, body)
    assert (refused.value.status, refused.value.word) == (400, "unreadable")


odd_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just(10**400)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=6,
)


def paths(document: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where there are values in a document."""
    found = [before]
    inner = document.items() if isinstance(document, dict) else ()
    for key, value in (*inner, *(enumerate(document) if isinstance(document, list) else ())):
        found += paths(value, (*before, key))
    return found


@steady
@given(st.data())
def test_no_shape_raises_anything_else(data: st.DataObject) -> None:
    document = json.loads(event(data.draw(st.sampled_from(sorted(REPLIES))))[1])
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(paths(document)[1:]))
        place = document
        for step in way:
            place = place[step]
        place[last] = data.draw(odd_values)
    try:
        received = discord.read({}, {}, json.dumps(document).encode())
    except RequestError as refused:
        assert refused.status == 400
    else:
        assert received.reply.status == 200


def test_a_message_pings_nobody_and_has_its_buttons() -> None:
    told = Told(
        "@everyone: it failed.",
        link="https://us.example/v/1",
        buttons=(Button("Cancel", "cancel", "v"), Button("Again", "retry", "v")),
    )
    message = discord.message(told)
    assert message["allowed_mentions"] == {"parse": []}
    [row] = message["components"]
    assert [(it["style"], it.get("custom_id"), it.get("url")) for it in row["components"]] == [
        (4, "cancel:v", None),
        (2, "retry:v", None),
        (5, None, "https://us.example/v/1"),
    ]


def test_a_message_without_buttons_takes_those_away_that_were_there() -> None:
    assert discord.message(Told("done"))["components"] == []


@pytest.mark.parametrize(
    ("text", "content"),
    cases(
        {
            "as it is": ("a *boat*", "a *boat*"),
            "nothing": ("", "…"),
            "a disguised link": ("[bank](https://evil.example)", "[bank]\\(https://evil.example)"),
            "just enough": ("b" * 2000, "b" * 2000),
            "too long": ("b" * 4000, "b" * 1999 + "…"),
            "too long in pairs": ("🎬" * 1500, "🎬" * 999 + "…"),
            "half a pair": ("a\ud800b", "ab"),
        }
    ),
)
def test_a_text_fits(text: str, content: str) -> None:
    assert discord.message(Told(text))["content"] == content


def test_a_link_that_no_button_takes_is_in_the_text() -> None:
    link = "https://us.example/" + "a" * 500
    message = discord.message(Told("b" * 4000, link=link))
    assert message["components"] == []
    assert message["content"].endswith(f"b…\n{link}")
    assert len(message["content"]) == 2000


def test_discord_py_reads_our_buttons() -> None:
    told = Told(
        "ready", link="https://us.example/v/1", buttons=(Button("Cancel", "cancel", VIDEO_ID),)
    )
    message = discord.message(told)
    row = library("discord.components")._component_factory(message["components"][0])
    cancel, watch = row.children
    assert (cancel.custom_id, cancel.label, cancel.style.name) == (
        f"cancel:{VIDEO_ID}",
        "Cancel",
        "danger",
    )
    assert (watch.url, watch.style.name) == ("https://us.example/v/1", "link")
    assert row.to_dict() == _without_defaults(message["components"][0], row.to_dict())


def _without_defaults(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Ours, with what discord.py says beside it."""
    more = {name: value for name, value in theirs.items() if name not in ours}
    assert set(more) <= {"id", "disabled"}
    inner = [
        _without_defaults(one, other)
        for one, other in zip(ours.get("components", ()), theirs.get("components", ()), strict=True)
    ]
    return {**more, **ours, **({"components": inner} if inner else {})}


@pytest.mark.parametrize("name", ["video_command", "video_command_dm", "ask_command", "button"])
def test_discord_py_reads_the_same_of_an_interaction(name: str) -> None:
    sent = json.loads(event(name)[1])
    interaction = parsed(sent)
    message = read(name).message
    assert message is not None
    assert str(interaction.id) == message.event_id
    assert interaction.token == message.reply_token
    assert str(interaction.channel_id) == message.place.channel
    assert str(interaction.user.id) == message.place.author
    if name == "button":
        assert str(interaction.message.id) == message.place.reply_to
        assert interaction.data["custom_id"] == message.text
    else:
        namespace = library("discord").app_commands.Namespace(
            interaction, sent["data"].get("resolved", {}), sent["data"]["options"]
        )
        words = getattr(namespace, "prompt", None) or namespace.words
        assert message.text.endswith(words)


def test_discord_py_resolves_the_same_attachment() -> None:
    sent = json.loads(event("video_command_attachment")[1])
    interaction = parsed(sent)
    namespace = library("discord").app_commands.Namespace(
        interaction, sent["data"]["resolved"], sent["data"]["options"]
    )
    assert namespace.file.url == IMAGE
