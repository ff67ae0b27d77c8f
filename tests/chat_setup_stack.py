"""A stack in moto for the tests of `make chat`, and the walk through it."""

from __future__ import annotations

import base64
import json
from typing import Any

import boto3
import pytest

from local.chat_setup.__main__ import main
from tests.chat_setup_world import DISCORD_TOKEN, SIGNING_SECRET, SLACK_TOKEN, World

# What the environment says; typed so that it can be given beside the options of `run`.
SLACK: dict[str, Any] = {"SLACK_SIGNING_SECRET": SIGNING_SECRET, "SLACK_BOT_TOKEN": SLACK_TOKEN}
DISCORD: dict[str, Any] = {"DISCORD_BOT_TOKEN": DISCORD_TOKEN}
EVENTS_SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
MODEL_KEY = "sk-another-section"
OTHERS = {"model": {"api_key": MODEL_KEY}, "note": "not a section"}
# One for all, since each loads its data anew; in a region where no other test is.
SESSION = boto3.session.Session(region_name="eu-north-1")

_SECRET_FIELDS = ("signing_secret", "bot_token", "secret_token", "api_key")


class Deployed:
    """A stack in moto, whose API is the world's deployment; the walk goes through `run`."""

    def __init__(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        self.world, self._capsys = world, capsys
        self._secrets: Any = SESSION.client("secretsmanager")
        self.secret = self._secrets.create_secret(Name="chat", SecretString=json.dumps(OTHERS))
        self.pauses: list[float] = []
        self.create_stack("reel")
        world.sections = lambda platform: self.held.get(platform, {})

    def forget(self) -> None:
        """Deletes all that there is: another test's moto in this process is the same one."""
        for secret in self._secrets.list_secrets()["SecretList"]:
            self._secrets.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)
        stacks = SESSION.client("cloudformation")
        for stack in stacks.describe_stacks()["Stacks"]:
            stacks.delete_stack(StackName=stack["StackName"])

    def create_stack(self, name: str, model: str = "", model_url: str = "") -> None:
        parameters = {"ChatModel": model, "ChatModelUrl": model_url}
        template = {
            "Parameters": {it: {"Type": "String", "Default": ""} for it in parameters},
            "Resources": {"Anything": {"Type": "AWS::S3::Bucket"}},
            "Outputs": {
                "PageUrl": {"Value": self.world.url},
                "ChatSecret": {"Value": self.secret["ARN"]},
            },
        }
        SESSION.client("cloudformation").create_stack(
            StackName=name,
            TemplateBody=json.dumps(template),
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
        )

    def telegram(self, **more: str) -> dict[str, Any]:
        """What the environment says for Telegram."""
        return {"TELEGRAM_BOT_TOKEN": self.world.telegram.section["bot_token"], **more}

    @property
    def held(self) -> dict[str, Any]:
        text = self._secrets.get_secret_value(SecretId="chat")["SecretString"]
        held: dict[str, Any] = json.loads(text)
        return held

    def hold(self, **sections: Any) -> None:
        held = json.dumps({**self.held, **sections})
        self._secrets.put_secret_value(SecretId="chat", SecretString=held)

    def run(
        self,
        platform: str,
        *options: str,
        stack: str = "reel",
        yes: bool = True,
        interactive: bool = False,
        **variables: str,
    ) -> tuple[int, str]:
        """The exit status, and all that was printed: never a secret."""
        arguments = [platform, *(["--stack", stack] if stack else []), *options]
        environment = {**self.world.environment, **variables}
        status = main(
            [*arguments, *(["--yes"] if yes else [])],
            environment,
            interactive=interactive,
            pause=self.pauses.append,
        )
        printed = "".join(self._capsys.readouterr())
        secrets = {SIGNING_SECRET, SLACK_TOKEN, DISCORD_TOKEN, EVENTS_SECRET, MODEL_KEY}
        secrets |= {
            value
            for section in self.held.values()
            if isinstance(section, dict)
            for name, value in section.items()
            if name in _SECRET_FIELDS
        }
        assert not [it for it in secrets if it in printed]
        assert "\x1b" not in printed
        return status, printed
