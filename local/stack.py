"""The whole application on one machine, in one process: what `make dev` and the tests start.

moto is DynamoDB, S3, Secrets Manager and the Step Functions interpreter; its own HTTP server hands
the presigned files to browsers; the gateway is API Gateway and Lambda; the studio is the provider.
Everything is in memory and listens on loopback only.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import secrets
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools.utilities.parameters import clear_caches
from moto import mock_aws
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from actionreel import bootstrap
from actionreel.api_keys import HOME_TENANT, PREFIX, ApiKey, key_hash, new_key
from actionreel.webhook_tokens import deployment_token
from local.chat.discord import FakeDiscord
from local.chat.room import FakePlatform
from local.chat.server import ChatServer
from local.chat.slack import FakeSlack
from local.chat.telegram import FakeTelegram
from local.events import Events
from local.gateway import Gateway, Log
from local.lambdas import Functions, InProcess, Remote
from local.loopback import HOST, serve
from local.moto_patches import patch_moto
from local.scripted_model import ScriptedModel
from local.studio import Studio
from local.template import REGION, Template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STUDIO_KEY = "studio"
HOME_KEY = f"{PREFIX}home"  # for software that has to have a key: nobody is kept out by it
MODELS = Path(__file__).with_name("models.json")

# What the user's own AWS set-up could bring in must not: nothing here leaves this machine.
CLEARED = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_ROLE_ARN", "AWS_REGION")


class Stack:
    """A running Actionreel; a context manager.

    `port` 0 takes a free one. With `provider_url` and `provider_key` the videos come from that
    OpenAI-compatible server, and cost what it charges; without, from the studio. `models` is a JSON
    list of entries for the registry, the first of them the default, in place of the studio's. With
    `lambda_endpoint` the functions run there and not in this process. `sweep_seconds` is how often
    lost videos are looked for, in place of the template's schedule. With `webhooks` the studio
    calls when a job has ended; another server is taken not to reach this machine. `chat_port` is
    the port of the chat window and its platforms; `callback_origins` may be called back although
    they are on this machine, with commas between.
    Raises OSError if a port is taken.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        provider_url: str = "",
        provider_key: str = STUDIO_KEY,
        models: str = "",
        lambda_endpoint: str = "",
        sweep_seconds: float | None = None,
        webhooks: bool = True,
        chat_port: int = 0,
        callback_origins: str = "",
        log: Log = lambda line: None,
    ) -> None:
        self._gateway = Gateway(port, Template({}).routes(), log)
        self._studio = None if provider_url else Studio(api_key=provider_key)
        self.provider_url = provider_url
        self._provider_key = provider_key
        self._models = models
        self._lambda_endpoint = lambda_endpoint
        self._sweep_seconds = sweep_seconds
        self._webhooks = webhooks and self._studio is not None
        self._webhook_secret = _signing_secret()
        self.events_secret = _signing_secret()  # of those who send to /chat/events
        self.platforms: dict[str, FakePlatform] = {
            platform.name: platform for platform in (FakeSlack(), FakeDiscord(), FakeTelegram())
        }
        self._chat = ChatServer(list(self.platforms.values()), chat_port)
        self._model = ScriptedModel()
        self._callback_origins = callback_origins
        self._events: Events | None = None
        self._moto = serve(DomainDispatcherApplication(create_backend_app), 0)
        self._aws = mock_aws(config={"stepfunctions": {"execute_state_machine": True}})
        self._environment = dict(os.environ)
        self.environment: dict[str, str] = {}  # what functions in another process would need

    @property
    def url(self) -> str:
        """The page, and the address of the API."""
        return self._gateway.url

    @property
    def chat_url(self) -> str:
        """The chat window."""
        return self._chat.url

    @property
    def callback_secret(self) -> str:
        """What callbacks are signed with."""
        client = boto3.session.Session(region_name=REGION).client("secretsmanager")
        return f"whsec_{client.get_secret_value(SecretId='CallbackSecret')['SecretString']}"

    @property
    def aws_url(self) -> str:
        """Where moto answers to AWS's calls over HTTP."""
        return f"http://{HOST}:{self._moto.port}"

    def start(self) -> None:
        """Starts everything; when it returns the API answers."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        logging.getLogger("moto").setLevel(logging.CRITICAL)
        logging.getLogger("localstack").setLevel(logging.CRITICAL)
        for name in CLEARED:
            os.environ.pop(name, None)
        patch_moto()
        self._aws.start()
        threading.Thread(target=self._moto.serve_forever, daemon=True).start()
        if self._studio:
            self._studio.start()
            self.provider_url = self._studio.url
        self._model.start()
        self._chat.start()
        self._chat.connect(self.url)
        template = home_template(
            self.provider_url,
            self._models,
            webhooks=self._webhooks,
            ChatModel="script",
            ChatModelUrl=self._model.url,
            ChatFollowUp="true",
            CallbackOrigins=self._callback_origins,
        )
        self._gateway.home = {
            "aws": self.aws_url,
            "table": str(template.resolve({"Ref": "VideoTable"})),
        }
        self._gateway.start()
        self._set_environment(template)
        create_resources(template, self._provider_key, self._webhook_secret, self._chat_sections())
        clear_caches()  # type: ignore[no-untyped-call]  # another stack had other secrets
        bootstrap.use(None)
        self.key(HOME_TENANT, HOME_KEY)
        if self._studio and self._webhooks:
            self._studio.call(self._webhook_url(), self._webhook_secret)
        functions: Functions = (
            Remote(self._lambda_endpoint) if self._lambda_endpoint else InProcess(template)
        )
        self._gateway.functions = functions
        states = boto3.session.Session(region_name=REGION).client("stepfunctions")
        self._events = Events(template, states, functions.invoke, self._sweep_seconds)
        self._events.start()

    def key(self, tenant: str, key: str = "") -> str:
        """A new API key of the tenant; or this one."""
        key = key or new_key()
        made = ApiKey(tenant=tenant, key_hash=key_hash(key), created_at=datetime.now(UTC))
        bootstrap.services().keys.add(made)
        return key

    def stop(self) -> None:
        """Ends everything that was started."""
        if self._events:
            self._events.stop()
        self._gateway.stop()
        self._chat.stop()
        self._model.stop()
        if self._studio:
            self._studio.stop()
        self._moto.shutdown()
        self._moto.server_close()
        self._aws.stop()
        bootstrap.use(None)
        os.environ.clear()
        os.environ.update(self._environment)

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _webhook_url(self) -> str:
        """Where OpenAI's settings would have webhooks sent to."""
        token = deployment_token(bootstrap.services().webhook_key(), "openai_videos")
        return f"{self.url}/webhooks/openai_videos/{token}"

    def _chat_sections(self) -> dict[str, dict[str, str]]:
        """What `make chat` would put into the secret of the chat platforms."""
        events = {"signing_secret": self.events_secret}
        model = {"api_key": self._model.api_key}
        return {**self._chat.sections, "events": events, "model": model}

    def _set_environment(self, template: Template) -> None:
        own = {"AWS_DEFAULT_REGION": REGION, "MEDIA_ORIGIN": self.aws_url}
        shared = environment(template) | own
        self.environment = {**shared, "AWS_ENDPOINT_URL": self.aws_url}
        os.environ.update(
            {
                **shared,
                "AWS_ENDPOINT_URL_S3": self.aws_url,  # links that a browser here can follow
                "AWS_ENDPOINT_URL_LAMBDA": self.url,
                "POWERTOOLS_METRICS_DISABLED": "true",
                "POWERTOOLS_LOG_LEVEL": os.environ.get("LOG_LEVEL", "CRITICAL"),
            }
        )


def home_template(
    provider_url: str, models: str = "", *, webhooks: bool = False, **more: str
) -> Template:
    """The template with the parameters of the local run; `models` as the Stack takes it."""
    entries = models or MODELS.read_text()
    return Template(
        {
            "ProviderBaseUrl": provider_url,
            "ProviderWebhooks": str(webhooks).lower(),
            "VideoModels": entries,
            "DefaultModel": json.loads(entries)[0]["id"],
            **more,
        }
    )


def _signing_secret() -> str:
    """A secret of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def models_of(name: str) -> str:
    """The registry's entries for a server that serves one model, by the name that it goes by."""
    [studio] = json.loads(MODELS.read_text())
    offer = {"provider": "openai_videos", "name": name, "takes_image": "url"}
    served = {"id": name, "description": f"{name} at the configured server", "offers": [offer]}
    return json.dumps([studio | served])


def environment(template: Template) -> dict[str, str]:
    """What Lambda would set for each function. In one process they share one environment, so no
    two functions may want different values of a variable."""
    merged: dict[str, str] = {}
    for function in template.functions():
        for name, value in template.environment(function).items():
            if merged.setdefault(name, value) != value:
                raise ValueError(f"two functions want different values of {name}")
    return merged


def create_tables(template: Template, dynamodb: DynamoDBClient) -> None:
    """Creates the tables that the template declares."""
    for name, properties in template.of_type("AWS::DynamoDB::Table").items():
        taken = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
        table: dict[str, Any] = {key: properties[key] for key in taken if key in properties}
        dynamodb.create_table(TableName=template.resolve({"Ref": name}), **table)


def create_resources(
    template: Template,
    provider_key: str,
    webhook_secret: str = "",
    chat_sections: Mapping[str, Mapping[str, str]] = {},
) -> None:
    """Makes the template's tables, buckets, secrets and state machines."""
    session = boto3.session.Session(region_name=REGION)
    create_tables(template, session.client("dynamodb"))
    for name in template.of_type("AWS::S3::Bucket"):
        session.client("s3").create_bucket(Bucket=template.resolve({"Ref": name}))
    section = {"api_key": provider_key, "webhook_secret": webhook_secret}
    contents = {
        "ProviderSecret": json.dumps({"openai_videos": section}),
        "ChatSecret": json.dumps(chat_sections),
    }
    for name, properties in template.of_type("AWS::SecretsManager::Secret").items():
        content = secrets.token_hex() if "GenerateSecretString" in properties else contents[name]
        session.client("secretsmanager").create_secret(Name=name, SecretString=content)
    for name, properties in template.of_type("AWS::Serverless::StateMachine").items():
        session.client("stepfunctions").create_state_machine(
            name=template.machine(name),
            definition=template.definition(properties),
            roleArn="arn:aws:iam::123456789012:role/local",
        )
