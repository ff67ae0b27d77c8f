"""`make chat` for each platform: what is asked, checked, written into the secret and told to it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from actionreel import signatures
from actionreel.chat import discord as discord_reader
from actionreel.commands import tag_of
from local.chat_setup import discord, slack, walk
from local.chat_setup.walk import TRIES
from tests.chat_setup_stack import DISCORD, EVENTS_SECRET, OTHERS, SESSION, SLACK, Deployed
from tests.chat_setup_world import (
    APPLICATION,
    DISCORD_TOKEN,
    PUBLIC_KEY,
    SCOPES,
    SIGNING_SECRET,
    SLACK_TOKEN,
    world,
)
from tests.fakes import SEED, cases


@pytest.fixture
def deployed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Deployed]:
    monkeypatch.setattr(boto3.session, "Session", lambda: SESSION)
    with mock_aws(), world() as running:
        made = Deployed(running, capsys)
        yield made
        made.forget()


def test_slack(deployed: Deployed) -> None:
    status, printed = deployed.run("slack", **SLACK)
    assert status == 0
    section = {"signing_secret": SIGNING_SECRET, "bot_token": SLACK_TOKEN}
    assert deployed.held == {**OTHERS, "slack": section}
    assert "of actionreel, in the workspace Example." in printed
    assert f'"{deployed.world.url}/chat/slack"' in printed
    assert deployed.world.taken and not deployed.pauses
    status, printed = deployed.run("slack")
    assert status == 0 and "holds that already" in printed


def test_slacks_manifest_is_whole() -> None:
    url = "https://api.example.com/chat/slack"
    made = slack.manifest("https://api.example.com")
    assert made["oauth_config"]["scopes"]["bot"] == SCOPES.split(",")
    settings, features = made["settings"], made["features"]
    assert settings["event_subscriptions"] == {
        "request_url": url,
        "bot_events": ["app_mention", "message.im"],
    }
    assert settings["interactivity"] == {"is_enabled": True, "request_url": url}
    [command] = features["slash_commands"]
    assert (command["command"], command["url"]) == ("/video", url)
    assert features["app_home"]["messages_tab_enabled"] is True  # or nobody can write to the bot
    assert features["app_home"]["messages_tab_read_only_enabled"] is False
    assert len(made["display_information"]["name"]) <= 35
    assert len(made["display_information"]["description"]) <= 140
    # Without those a socket, or tokens that expire, would be expected of us.
    assert not any(
        settings[name]
        for name in ("socket_mode_enabled", "token_rotation_enabled", "org_deploy_enabled")
    )


def test_slack_hears_bots_of_the_owners_if_it_is_to(deployed: Deployed) -> None:
    bots = "B0OWN, B0OTHER"
    status, printed = deployed.run("slack", **SLACK, SLACK_OWNER_BOTS=bots)
    assert status == 1 and "lacks the scopes channels:history, groups:history" in printed
    assert "message.channels" in printed and f"owner_bots: {bots}, new" in printed
    deployed.world.scopes = f"{SCOPES},channels:history, groups:history"
    status, printed = deployed.run("slack")
    assert status == 0 and deployed.held["slack"]["owner_bots"] == bots


def test_slack_waits_until_the_deployment_knows_the_secret(deployed: Deployed) -> None:
    deployed.world.forgetful = 3
    status, printed = deployed.run("slack", **SLACK)
    assert status == 0 and len(deployed.pauses) == 3
    assert printed.count("Waiting for the deployment") == 1
    deployed.world.forgetful = 1000
    status, printed = deployed.run("slack")
    assert status == 1 and "does not know this signing secret" in printed
    assert len(deployed.pauses) == 3 + TRIES
    assert TRIES * walk.PAUSE_SECONDS > 300 + 30  # how long the functions keep it


@pytest.mark.parametrize(
    ("change", "reason"),
    cases(
        {
            "a token that is refused": ({"SLACK_BOT_TOKEN": "xoxb-other"}, "invalid_auth"),
            "a user's token": ({}, "is not a bot's"),
            "no token": ({"SLACK_BOT_TOKEN": ""}, "There is no bot token"),
            "a token with a space": ({"SLACK_BOT_TOKEN": "xoxb a"}, "has characters that none has"),
            "a token in another script": ({"SLACK_BOT_TOKEN": "жетон"}, "that none has"),
            "a token over two lines": ({"SLACK_BOT_TOKEN": "a\nb"}, "that none has"),
        }
    ),
)
def test_nothing_is_written_for_a_bad_token(
    deployed: Deployed, change: dict[str, Any], reason: str
) -> None:
    if not change:
        deployed.world.slack_user = {}
    status, printed = deployed.run("slack", **{**SLACK, **change})
    assert status == 1 and reason in printed
    assert deployed.held == OTHERS


def test_discord(deployed: Deployed) -> None:
    status, printed = deployed.run("discord", **DISCORD)
    assert status == 0, printed
    section = {
        "application_id": APPLICATION,
        "public_key": PUBLIC_KEY,
        "bot_token": DISCORD_TOKEN,
    }
    assert deployed.held == {**OTHERS, "discord": section}
    assert deployed.world.application["interactions_endpoint_url"] == (
        f"{deployed.world.url}/chat/discord"
    )
    assert [it["name"] for it in deployed.world.commands] == ["video"]
    assert f"client_id={APPLICATION}&permissions=274878008320" in printed
    assert "scope=bot+applications.commands" in printed


def test_discord_is_asked_until_it_can_verify_the_address(deployed: Deployed) -> None:
    deployed.world.forgetful = 2
    status, printed = deployed.run("discord", **DISCORD)
    assert status == 0 and len(deployed.pauses) == 2
    assert printed.count("cannot verify the address yet") == 1
    deployed.world.forgetful = 1000
    status, printed = deployed.run("discord")
    assert status == 1 and "did not get the right answer" in printed


@pytest.mark.parametrize(("stack", "options"), [("reel", ["--ask"]), ("talkative", [])])
def test_discord_has_ask_if_there_is_a_model(
    deployed: Deployed, stack: str, options: list[str]
) -> None:
    deployed.create_stack("talkative", model="a-model")
    status, _ = deployed.run("discord", *options, stack=stack, **DISCORD)
    assert status == 0
    assert [it["name"] for it in deployed.world.commands] == ["video", "ask"]


def test_discords_commands_are_what_the_deployment_reads() -> None:
    values = {
        "prompt": "a paper boat",
        "seconds": 8,
        "shape": "portrait",
        "model": "sora-2",
        "image": "7",
        "words": "hello",
    }
    files = {"7": {"id": "7", "url": "https://cdn.example.com/a.png"}}
    read = {}
    for command in discord.commands(model=True):
        options = [
            {"name": it["name"], "type": it["type"], "value": values[it["name"]]}
            for it in command["options"]
        ]
        data = {"id": "1", "type": command["type"], "name": command["name"], "options": options}
        interaction = {
            "id": "1",
            "type": 2,
            "token": "t",
            "channel_id": "2",
            "member": {"user": {"id": "3"}},
            "data": {**data, "resolved": {"attachments": files}},
        }
        message = discord_reader.read({}, {}, json.dumps(interaction).encode()).message
        assert message is not None
        read[command["name"]] = message
    assert (read["ask"].kind, read["ask"].text) == ("talk", "hello")
    assert read["video"].kind == "command"
    tag = tag_of(read["video"].text, SEED)
    for value in ("a paper boat", '"8"', "sora-2", "https://cdn.example.com/a.png"):
        assert value in tag


def test_commands_of_another_program_go_only_if_that_is_agreed_to(deployed: Deployed) -> None:
    deployed.world.commands = [{"name": "weather"}, {"name": "video"}]
    deployed.hold(discord={"bot_token": DISCORD_TOKEN, "application_id": APPLICATION})
    status, printed = deployed.run("discord", yes=False)
    assert status == 1 and "Nobody is there to say so" in printed
    assert deployed.world.commands[0] == {"name": "weather"}
    status, _ = deployed.run("discord")
    assert status == 0 and [it["name"] for it in deployed.world.commands] == ["video"]


@pytest.mark.parametrize(
    ("variables", "reason"),
    cases(
        {
            "another token": ({"DISCORD_BOT_TOKEN": "another"}, "refuses the bot token"),
            "another id": ({**DISCORD, "DISCORD_APPLICATION_ID": "7"}, "application_id is 1986"),
            "another key": ({**DISCORD, "DISCORD_PUBLIC_KEY": "cd" * 32}, "public_key is abab"),
        }
    ),
)
def test_an_application_that_is_another_is_refused(
    deployed: Deployed, variables: dict[str, Any], reason: str
) -> None:
    status, printed = deployed.run("discord", **variables)
    assert status == 1 and reason in printed
    assert deployed.held == OTHERS


def test_telegram(deployed: Deployed) -> None:
    bot = deployed.world.telegram
    status, printed = deployed.run("telegram", **deployed.telegram())
    assert status == 0, printed
    section = deployed.held["telegram"]
    assert section.keys() == {"bot_token", "secret_token", "username"}
    assert section["username"] == bot.section["username"] and deployed.held["model"]
    assert bot.webhook.url == f"{deployed.world.url}/chat/telegram"
    assert bot.webhook.secret == section["secret_token"] and len(section["secret_token"]) >= 64
    assert bot.webhook.kinds == ["message", "callback_query"]
    assert signatures.telegram(
        section["secret_token"], {"x-telegram-bot-api-secret-token": bot.webhook.secret}
    )
    assert not bot.refusals
    assert deployed.run("telegram")[0] == 0
    assert deployed.held["telegram"] == section  # the secret_token stays


def test_telegrams_last_trouble_is_told(deployed: Deployed) -> None:
    bot = deployed.world.telegram
    deployed.run("telegram", **deployed.telegram())
    bot.webhook.trouble = "Wrong response from the webhook: 401 Unauthorized"
    status, printed = deployed.run("telegram", "--check")
    assert status == 1 and bot.webhook.trouble in printed


@pytest.mark.parametrize(
    ("variables", "reason"),
    cases(
        {
            "no token": ({"TELEGRAM_BOT_TOKEN": "a/../b"}, "That is no bot token"),
            "another token": (
                {"TELEGRAM_BOT_TOKEN": f"1:{'a' * 35}"},
                "Telegram refuses the bot token",
            ),
            "a short secret": ({"TELEGRAM_SECRET_TOKEN": "short"}, "has 16 to 256 letters"),
        }
    ),
)
def test_telegram_refuses(deployed: Deployed, variables: dict[str, Any], reason: str) -> None:
    status, printed = deployed.run("telegram", **deployed.telegram(**variables))
    assert status == 1 and reason in printed
    assert deployed.held == OTHERS and not deployed.world.telegram.webhook.url


def test_events(deployed: Deployed) -> None:
    status, printed = deployed.run("events")
    assert status == 0, printed
    section = deployed.held["events"]
    assert section.keys() == {"signing_secret"} and section["signing_secret"].startswith("whsec_")
    assert deployed.world.taken == ["events", "events"]
    assert deployed.run("events")[0] == 0 and deployed.held["events"] == section
    assert deployed.run("events", EVENTS_SIGNING_SECRET=EVENTS_SECRET)[0] == 0
    assert deployed.held["events"] == {"signing_secret": EVENTS_SECRET}
    status, printed = deployed.run("events", EVENTS_SIGNING_SECRET="whsec_c2hvcnQ=")
    assert status == 1 and "24 bytes or more" in printed


def test_the_example_of_events_is_signed_as_it_should_be(deployed: Deployed) -> None:
    """It is run, with an `aws` that knows the secret and a `curl` that tells its arguments."""
    _, printed = deployed.run("events")
    example = printed[printed.index("export SIGNING_SECRET") : printed.rindex('"$body"')]
    functions = (
        'aws() { printf "%s" "$HELD"; }\n'
        'curl() { for it in "$@"; do printf "%s\\0" "$it"; done; }\n'
    )
    done = subprocess.run(
        ["bash", "-euc", f'{functions}{example}"$body"'],
        env={"PATH": os.environ["PATH"], "HELD": json.dumps(deployed.held)},
        capture_output=True,
        check=True,
    )
    arguments = done.stdout.decode().split("\0")[:-1]
    headers = dict(it.split(": ", 1) for it in arguments if it.startswith("webhook-"))
    body = arguments[-1].encode()
    assert json.loads(body)["text"].startswith("<createAIVideo>{")
    assert f"{deployed.world.url}/chat/events" in arguments
    secret = deployed.held["events"]["signing_secret"]
    assert signatures.standard_webhooks(secret, headers, body, datetime.now(UTC))
    assert not [it for it in arguments if secret.removeprefix("whsec_") in it]


def test_the_key_of_a_model(deployed: Deployed) -> None:
    model = deployed.world.model
    deployed.create_stack("talkative", model="script", model_url=model.url)
    status, printed = deployed.run("model", stack="talkative", CHAT_MODEL_KEY=model.api_key)
    assert status == 0 and "does not refuse the key" in printed
    assert deployed.held["model"] == {"api_key": model.api_key}
    deployed.create_stack("unreachable", model="script", model_url="http://127.0.0.1:9/v1")
    status, printed = deployed.run("model", "--check", stack="unreachable")
    assert status == 1 and "cannot be reached" in printed
    status, printed = deployed.run("model")
    assert status == 0 and "no model" in printed
