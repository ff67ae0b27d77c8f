"""What comes from chats: written down before it is answered, once, and with no secret let out."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from actionreel import bootstrap
from actionreel.bootstrap import AwsServices
from actionreel.chat_inbox import MAX_TURN_BYTES, receive
from actionreel.chats import ChatMessage, Received, Reply, Turn
from actionreel.errors import ChatUnavailableError, RequestError, WorkflowError
from actionreel.models import Place
from actionreel.observability import logger
from actionreel.settings import Settings
from functions.chat import app
from tests.fake_chats import PLACE, FakeReader
from tests.fakes import NOON, FakeServices, cases

GOOD = {"signature": "good"}
BASE = "https://api.test"
MESSAGE = ChatMessage(
    kind="command", event_id="e1", place=PLACE, text="a boat", reply_token="the token"
)


def inbox(message: ChatMessage | None = MESSAGE, **reply: Any) -> FakeServices:
    """Services that know Telegram, which sends that message."""
    services = FakeServices()
    services.readers["telegram"] = FakeReader(Received(Reply(**reply), message))
    return services


def received(services: FakeServices, platform: str = "telegram", **headers: str) -> Reply:
    return receive(platform, {**GOOD, **headers}, b"body", BASE, services)


def turns(services: FakeServices) -> list[Turn]:
    return list(vars(services.chats)["turns"].values())


def refused(services: FakeServices, platform: str = "telegram", **headers: str) -> tuple[int, str]:
    """How it is refused; nothing is written or started."""
    with pytest.raises(RequestError) as error:
        received(services, platform, **headers)
    assert (turns(services), services.turns_started) == ([], [])
    return error.value.status, error.value.word


def test_a_message_is_written_down_and_its_execution_started() -> None:
    services = inbox(status=200, body={"type": 5})
    assert received(services) == Reply(200, {"type": 5})
    [turn] = turns(services)
    assert (turn.tenant, turn.base_url, turn.received_at, turn.root) == (
        "default",
        BASE,
        NOON,
        None,
    )
    assert turn.message.place.turn_id == turn.turn_id
    assert turn.message.reply_token == "the token"
    assert (turn.written, turn.said) == (None, False)
    assert services.turns_started == [turn.turn_id]


def test_a_message_that_comes_again_starts_the_same_execution_and_nothing_else() -> None:
    services = inbox()
    received(services)
    [first] = turns(services)
    services.chats.claim_words("default", first.turn_id)
    services.wait(600)
    again = MESSAGE.model_copy(update={"text": "another", "reply_token": "another"})
    services.readers["telegram"] = FakeReader(Received(Reply(), again))
    received(services)
    assert turns(services) == [first.model_copy(update={"said": True})]
    assert set(services.turns_started) == {first.turn_id}


def test_each_event_has_an_execution_of_its_own() -> None:
    services = inbox()
    services.readers["slack"] = services.readers["telegram"]
    received(services)
    received(services, "slack")
    other = MESSAGE.model_copy(update={"event_id": "e2"})
    services.readers["telegram"] = FakeReader(Received(Reply(), other))
    received(services)
    assert len(set(services.turns_started)) == 3


@pytest.mark.parametrize("event_id", ["", "e" * 9000, "é\n", "a b/c:d", "\x00"])
def test_every_identity_of_an_event_makes_a_name_of_an_execution(event_id: str) -> None:
    services = inbox(MESSAGE.model_copy(update={"event_id": event_id}))
    received(services)
    [name] = services.turns_started
    assert name.isalnum() and name.isascii() and len(name) <= 80


def test_what_is_no_message_is_answered_only() -> None:
    services = inbox(None, body={"challenge": "c"})
    assert received(services).body == {"challenge": "c"}
    assert (turns(services), services.turns_started) == ([], [])


def test_a_platform_that_we_do_not_know_is_not_there() -> None:
    assert refused(inbox(), "whatsapp") == (404, "not_found")


@pytest.mark.parametrize(
    "platform", ["", "config", "exchange", "slack_api", "slack.x", "..", "__init__", "callback"]
)
def test_no_other_module_is_a_platform(platform: str) -> None:
    assert AwsServices.chat_reader(object.__new__(AwsServices), platform) is None


@pytest.mark.parametrize("signature", ["", "bad", "good "])
def test_what_is_not_the_platform_s_is_not_read(signature: str) -> None:
    assert refused(inbox(), signature=signature) == (401, "bad_signature")


def test_a_message_that_is_too_long_is_refused() -> None:
    long = MESSAGE.model_copy(update={"text": "x" * MAX_TURN_BYTES})
    assert refused(inbox(long)) == (413, "too_large")


def test_the_length_of_a_message_is_in_bytes() -> None:
    """DynamoDB counts those: what passes here and not there comes again for ever."""
    long = MESSAGE.model_copy(update={"text": "紙" * (MAX_TURN_BYTES // 2)})
    assert refused(inbox(long)) == (413, "too_large")


# The function


def call(services: FakeServices, platform: str = "telegram", **event: Any) -> dict[str, Any]:
    bootstrap.use(services)
    asked = {
        "pathParameters": {"platform": platform},
        "headers": {"Host": "api.test", "host": "api.test", "Signature": "good"},
        "requestContext": {"domainName": "api.test"},
        "body": "body",
        "isBase64Encoded": False,
    }
    return app.lambda_handler(asked | event, None)


def test_the_reply_is_the_platform_s() -> None:
    answer = call(inbox(status=202, body={"accepted": True}))
    assert (answer["statusCode"], json.loads(answer["body"])) == (202, {"accepted": True})
    assert call(inbox()) == {"statusCode": 200}


@pytest.mark.parametrize(
    ("changes", "status"),
    cases(
        {
            "unknown platform": ({"pathParameters": {"platform": "x"}}, 404),
            "no platform": ({"pathParameters": None}, 404),
            "no signature": ({"headers": {"host": "api.test"}}, 401),
            "too large": ({"body": "x" * (1024**2 + 1)}, 413),
            "not base64": ({"body": "?", "isBase64Encoded": True}, 400),
        }
    ),
)
def test_what_cannot_be_taken_is_told(changes: dict[str, Any], status: int) -> None:
    services = inbox()
    answer = call(services, **changes)
    assert answer["statusCode"] == status
    assert set(json.loads(answer["body"])) == {"error", "code"}
    assert (turns(services), services.turns_started) == ([], [])


def test_a_message_that_cannot_be_started_is_not_acknowledged_and_comes_again() -> None:
    services = inbox(status=202)
    services.workflow.trouble = WorkflowError("no")
    assert call(services)["statusCode"] == 503
    services.workflow.trouble = None
    assert call(services)["statusCode"] == 202
    assert (len(turns(services)), len(services.turns_started)) == (1, 1)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ChatUnavailableError("no"), id="of ours"),
        pytest.param(ConnectionError("DynamoDB"), id="of DynamoDB"),
    ],
)
def test_a_message_that_cannot_be_written_is_not_acknowledged(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = inbox()

    def trouble(_: Turn) -> Turn:
        raise error

    monkeypatch.setattr(services.chats, "add_turn", trouble)
    assert call(services)["statusCode"] == 503
    assert services.turns_started == []


def test_a_secret_that_cannot_be_read_lets_it_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    services = inbox()

    def trouble(_: str) -> dict[str, str]:
        raise ChatUnavailableError("no")

    monkeypatch.setattr(services, "chat_section", trouble)
    assert call(services)["statusCode"] == 503


def test_no_secret_and_no_text_is_in_the_log(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    place = PLACE.model_copy(update={"url": "https://program.example/secret-path"})
    services = inbox(MESSAGE.model_copy(update={"place": place}))
    call(services)
    call(services, headers={"host": "api.test", "signature": "a wrong one"})
    written = caplog.text + "".join(capsys.readouterr())
    for secret in ("the token", "secret-path", "a boat", "a wrong one"):
        assert secret not in written


def test_the_execution_is_started_with_the_message_s_name_alone() -> None:
    """The rest may be secret, and executions show their input."""
    services = inbox()
    assert call(services)["statusCode"] == 200
    assert services.turns_started == [turns(services)[0].turn_id]


@pytest.mark.parametrize(
    ("section", "welcome"),
    cases(
        {
            "nobody is named": ({}, True),
            "both are": ({"users": "U0, U1", "channels": "C1"}, True),
            "another user": ({"users": "U2"}, False),
            "another channel": ({"users": "U1", "channels": "C2,C3"}, False),
            "nothing but commas": ({"users": " , ", "channels": ""}, True),
        }
    ),
)
def test_the_owner_says_who_may_use_it_and_where(section: dict[str, str], welcome: bool) -> None:
    place = Place(platform="telegram", channel="C1", author="U1")
    message = ChatMessage(kind="command", event_id="e", place=place, text="a boat")
    services = inbox(message)
    services.sections["telegram"] = section
    received(services)
    [turn] = turns(services)
    expected = ("command", "a boat") if welcome else ("refused", "")
    assert (turn.message.kind, turn.message.text) == expected


def test_what_the_owner_s_bot_makes_is_anybody_s_to_cancel() -> None:
    place = Place(platform="telegram", channel="C1", author="B1")
    services = inbox(ChatMessage(kind="tags", event_id="e", place=place, text="t"))
    services.sections["telegram"] = {"users": "U1"}
    received(services)
    [turn] = turns(services)
    assert (turn.message.kind, turn.message.place.author) == ("tags", None)


@pytest.mark.parametrize("section", [{}, {"tenant": ""}, {"tenant": "acme"}, {"tenant": " acme "}])
def test_a_message_is_its_platform_s_tenant_s(section: dict[str, str]) -> None:
    services = inbox()
    services.sections = {"telegram": section, "slack": {"tenant": "another"}}
    received(services)
    [turn] = turns(services)
    assert turn.tenant == (section.get("tenant", "").strip() or "default")


@pytest.mark.parametrize(
    "tenant", ["Acme", "a b", "a#b", "-a", "a" * 41, "acme,other", "(no text)"]
)
def test_a_tenant_that_none_can_be_is_put_off_and_told_to_the_operator(
    tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(logger, "warning", lambda message, extra: told.append(extra))
    services = inbox()
    services.sections = {"telegram": {"tenant": tenant}}
    bootstrap.use(services)
    event = {
        "pathParameters": {"platform": "telegram"},
        "headers": GOOD,
        "body": "body",
        "requestContext": {"domainName": "api.test"},
    }
    answer = app.lambda_handler(event, None)
    assert answer["statusCode"] == 503
    assert (turns(services), services.turns_started) == ([], [])
    reason = "The secret's section telegram has a tenant that is none."
    assert told == [{"error": "ChatUnavailableError", "reason": reason}]


def test_a_stranger_is_not_told_of_the_operator_s_mistake() -> None:
    services = inbox()
    services.sections = {"telegram": {"tenant": "No Tenant"}}
    assert refused(services, signature="bad") == (401, "bad_signature")


@pytest.mark.parametrize("tenant", [5, None, True, ["acme"], {"name": "acme"}])
def test_a_tenant_that_is_no_text_is_not_the_default_one(
    tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = {"telegram": {"tenant": tenant, "bot_token": "t", "number": 5}}
    monkeypatch.setattr("actionreel.aws.secrets_manager._get", lambda *_, **__: held)
    services = inbox()
    services.sections = {
        "telegram": AwsServices(Settings(chat_secret="s")).chat_section("telegram")
    }
    assert services.sections["telegram"].keys() == {"tenant", "bot_token"}
    with pytest.raises(ChatUnavailableError, match="a tenant that is none"):
        received(services)
