"""`make chat`: the walk itself, from the stack to its secret; and that no secret is ever shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.chat_setup_stack import DISCORD, OTHERS, SESSION, SLACK, Deployed
from tests.chat_setup_world import DISCORD_TOKEN, SIGNING_SECRET, SLACK_TOKEN, world


@pytest.fixture
def deployed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Deployed]:
    monkeypatch.setattr(boto3.session, "Session", lambda: SESSION)
    with mock_aws(), world() as running:
        made = Deployed(running, capsys)
        yield made
        made.forget()


def test_check_writes_nothing(deployed: Deployed) -> None:
    bot = deployed.world.telegram
    for platform in ("slack", "discord", "telegram", "events"):
        status, printed = deployed.run(platform, "--check")
        assert status == 1 and f"holds nothing for {platform}" in printed
    deployed.hold(
        slack={"signing_secret": "another", "bot_token": "xoxb-another"},
        discord={"application_id": "7", "public_key": "x", "bot_token": DISCORD_TOKEN},
        telegram={"bot_token": bot.section["bot_token"], "username": "another"},
        events={"signing_secret": "whsec_!"},
    )
    before = deployed.held
    troubles = {
        "slack": ["refuses the bot token (invalid_auth)"],
        "discord": ["public_key of the section is not", "do not go to", "does not tell the comm"],
        "telegram": ["username of the section is not", "do not go to", "no secret_token"],
        "events": ["no signing_secret of 24 bytes"],
    }
    for platform, sentences in troubles.items():
        status, printed = deployed.run(platform, "--check")
        assert status == 1 and not [it for it in sentences if it not in printed], printed
    assert deployed.held == before and not deployed.world.commands and not bot.webhook.url
    assert {method for method, _ in deployed.world.calls} == {"GET", "POST"}


def test_a_section_keeps_what_the_walk_does_not_know(deployed: Deployed) -> None:
    deployed.hold(slack={"owner_note": "mine", "bot_token": "xoxb-old", "signing_secret": "old"})
    status, printed = deployed.run("slack", **SLACK)
    assert status == 0 and "bot_token: (secret), changed" in printed
    assert "owner_note: (secret), as it is" in printed
    assert deployed.held["slack"] == {
        "owner_note": "mine",
        "bot_token": SLACK_TOKEN,
        "signing_secret": SIGNING_SECRET,
    }


def test_a_secret_without_a_value_is_filled(deployed: Deployed) -> None:
    deployed.secret = SESSION.client("secretsmanager").create_secret(Name="empty")
    deployed.create_stack("new")
    written: Any = lambda name: json.loads(  # noqa: E731
        SESSION.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    )
    deployed.world.sections = lambda platform: written("empty").get(platform, {})
    assert deployed.run("slack", stack="new", **SLACK)[0] == 0
    assert written("empty").keys() == {"slack"}


@pytest.mark.parametrize("text", ["[]", "not JSON", "null", "[" * 50_000])
def test_a_secret_of_another_kind_is_left_as_it_is(deployed: Deployed, text: str) -> None:
    client = SESSION.client("secretsmanager")
    deployed.secret = client.create_secret(Name="odd", SecretString=text)
    deployed.create_stack("odd")
    status, printed = deployed.run("slack", stack="odd", **SLACK)
    assert status == 1 and "it is left so" in printed
    assert client.get_secret_value(SecretId="odd")["SecretString"] == text


def test_nothing_is_written_without_agreement(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, printed = deployed.run("slack", yes=False, **SLACK)
    assert status == 1 and "ARGS=--yes" in printed
    questions: list[str] = []

    def answer(said: str) -> Callable[[str], str]:
        def ask(question: str) -> str:
            questions.append(question)
            return said

        return ask

    for said in ("", "n", "maybe"):
        monkeypatch.setattr("builtins.input", answer(said))
        monkeypatch.setattr("getpass.getpass", answer(""))
        status, printed = deployed.run("slack", yes=False, interactive=True, **SLACK)
        assert status == 1 and "everything stays as it is" in printed
    assert deployed.held == OTHERS
    monkeypatch.setattr("builtins.input", answer("Y"))
    assert deployed.run("slack", yes=False, interactive=True, **SLACK)[0] == 0
    assert "Write that? [y/N] " in questions


def test_what_is_typed_is_not_shown_and_enter_keeps_what_is_there(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = {"signing secret": f" {SIGNING_SECRET} ", "bot token (xoxb-...)": SLACK_TOKEN}
    questions: list[str] = []

    def ask(question: str) -> str:
        questions.append(question)
        return next((said for what, said in typed.items() if question.startswith(what)), "")

    monkeypatch.setattr("getpass.getpass", ask)
    assert deployed.run("slack", interactive=True)[0] == 0
    assert deployed.held["slack"]["signing_secret"] == SIGNING_SECRET
    typed.clear()
    assert deployed.run("slack", interactive=True)[0] == 0
    assert deployed.held["slack"]["bot_token"] == SLACK_TOKEN
    assert questions[-1] == "bot token (xoxb-...) (Enter keeps the one that is there): "


@pytest.mark.parametrize("ending", [KeyboardInterrupt, EOFError])
def test_it_can_be_broken_off(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, ending: type[BaseException]
) -> None:
    def leave(question: str) -> str:
        raise ending

    monkeypatch.setattr("getpass.getpass", leave)
    status, printed = deployed.run("slack", interactive=True)
    assert status == 1 and "Broken off" in printed


def test_an_address_alone_needs_no_aws(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3.session, "Session", None)
    bot, url = deployed.world.telegram, deployed.world.url
    deployed.world.sections = lambda platform: {"signing_secret": SIGNING_SECRET}
    status, printed = deployed.run("slack", "--url", f"{url}/", stack="", **SLACK)
    assert status == 0 and "Nothing is stored" in printed and "bot_token" in printed
    status, printed = deployed.run("telegram", "--url", url, stack="", **deployed.telegram())
    assert status == 1 and "TELEGRAM_SECRET_TOKEN" in printed and not bot.webhook.url
    chosen = "a-secret-of-the-deployment"
    status, _ = deployed.run(
        "telegram", "--url", url, stack="", **deployed.telegram(TELEGRAM_SECRET_TOKEN=chosen)
    )
    assert status == 0 and bot.webhook.secret == chosen
    for options in (["events"], ["slack", "--check"]):
        status, printed = deployed.run(*options, "--url", url, stack="")
        assert status == 1 and "STACK" in printed
    assert deployed.held == OTHERS


def test_an_address_of_ones_own_goes_before_the_stacks(deployed: Deployed) -> None:
    bot = deployed.world.telegram
    url = "https://videos.example.com"
    assert deployed.run("telegram", "--url", url, **deployed.telegram())[0] == 0
    assert bot.webhook.url == f"{url}/chat/telegram" and deployed.held["telegram"]


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "api.example.com",
        "https://",
        "https://a:b@example.com",
        "https://example.com?a=b",
        "https://[",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_platforms_cannot_call_is_refused(deployed: Deployed, url: str) -> None:
    status, printed = deployed.run("slack", "--url", url, **SLACK)
    assert status == 1 and "must be one such as https://host" in printed


def test_which_deployment_must_be_said(deployed: Deployed) -> None:
    assert "Say which deployment" in deployed.run("slack", stack="")[1]
    status, printed = deployed.run("slack", stack="missing")
    assert status == 1 and "The stack cannot be read" in printed
    other = {"Resources": {"Anything": {"Type": "AWS::S3::Bucket"}}}
    SESSION.client("cloudformation").create_stack(StackName="other", TemplateBody=json.dumps(other))
    status, printed = deployed.run("slack", stack="other")
    assert status == 1 and "no output PageUrl" in printed


@pytest.mark.parametrize("platform", ["slack", "discord", "telegram"])
@pytest.mark.parametrize(
    "trouble",
    [
        (500, None, {}),
        (429, {"message": "slow", "description": "slow"}, {"Retry-After": "7"}),
        (200, [], {}),
        (302, {}, {"Location": "https://example.com"}),
    ],
)
def test_a_platform_in_trouble_is_told(deployed: Deployed, platform: str, trouble: Any) -> None:
    deployed.world.trouble = trouble
    status, printed = deployed.run(platform, **SLACK, **DISCORD, **deployed.telegram())
    assert status == 1 and platform.capitalize() in printed
    assert deployed.held == OTHERS


@pytest.mark.parametrize("platform", ["slack", "discord", "telegram"])
def test_a_platform_that_is_not_reached_is_told(deployed: Deployed, platform: str) -> None:
    nowhere: dict[str, Any] = dict.fromkeys(deployed.world.environment, "http://127.0.0.1:9")
    status, printed = deployed.run(
        platform, **{**nowhere, **SLACK, **DISCORD, **deployed.telegram()}
    )
    assert status == 1 and "cannot be reached (ConnectError)" in printed


def test_a_platform_can_be_a_tenant_s(deployed: Deployed) -> None:
    status, printed = deployed.run("slack", "--tenant", "acme", **SLACK)
    assert status == 0 and "tenant: acme, new" in printed
    assert deployed.held["slack"]["tenant"] == "acme"
    status, printed = deployed.run("slack", **SLACK)  # what is there stays
    assert status == 0 and deployed.held["slack"]["tenant"] == "acme"
    status, printed = deployed.run("slack", "--tenant", "other", **SLACK)
    assert status == 0 and "tenant: other, changed" in printed


@pytest.mark.parametrize(
    ("platform", "tenant", "said"),
    [
        ("slack", "Acme", "Acme is no tenant: small letters"),
        ("telegram", "a#b", "a#b is no tenant"),
        ("model", "acme", "The model has no tenant"),
    ],
)
def test_what_no_tenant_can_be_is_not_written(
    deployed: Deployed, platform: str, tenant: str, said: str
) -> None:
    before = deployed.held
    status, printed = deployed.run(platform, "--tenant", tenant)
    assert status == 1 and said in printed
    assert deployed.held == before


def test_check_tells_of_a_tenant_that_none_can_be(deployed: Deployed) -> None:
    assert deployed.run("slack", **SLACK)[0] == 0
    assert "no tenant" not in deployed.run("slack", "--check")[1]
    deployed.hold(slack={**deployed.held["slack"], "tenant": "No Tenant"})
    status, printed = deployed.run("slack", "--check")
    assert status == 1 and "No Tenant is no tenant" in printed
