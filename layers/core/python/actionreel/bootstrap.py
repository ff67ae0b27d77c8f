"""Puts the application together: the only file that knows every adapter and reads settings.

Each part is made when a function first asks for it, so that a function imports and connects to
nothing that it does not use: the API loads httpx only to cancel, the tasks no Step Functions.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from actionreel.errors import (
    ChatUnavailableError,
    KeyUnavailableError,
    ProviderRejectedError,
    ProviderUnavailableError,
)
from actionreel.settings import Settings

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_stepfunctions import SFNClient

    from actionreel.chat_ports import (
        Callbacks,
        ChatModel,
        ChatPlatform,
        ChatReader,
        ChatRepository,
    )
    from actionreel.chats import Section
    from actionreel.links import Links
    from actionreel.models import VideoJob
    from actionreel.ports import (
        AccountRepository,
        KeyRepository,
        Metric,
        Services,
        Tokens,
        VideoProvider,
        VideoRepository,
        VideoStorage,
        Workflow,
    )
    from actionreel.providers.fal_keys import FalKeySet
    from actionreel.registry import Registry

_PROVIDER = re.compile("[a-z_]+")
_CHAT_READERS = ("slack", "discord", "telegram", "events")
UNREADABLE_SECONDS = 20.0  # a request that needs the registry more than once waits for it once


class AwsServices:
    """The services of a deployment, and of the local run, which answers to the same calls."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._providers: dict[str, VideoProvider] = {}
        self._chats: dict[str, ChatPlatform] = {}
        self._unreadable_until = float("-inf")  # of the monotonic clock

    @property
    def registry(self) -> Registry:
        """The models that can be asked for, and where: at the providers that have a key by now."""
        return self._registry.at(self._providers_with_keys())

    @cached_property
    def videos(self) -> VideoRepository:
        """The records, in DynamoDB."""
        from actionreel.aws.dynamodb import DynamoDBVideoRepository

        return DynamoDBVideoRepository(self._dynamodb, self.settings.table_name)

    @cached_property
    def accounts(self) -> AccountRepository:
        """What was used, and how much may be, in DynamoDB."""
        from actionreel.aws.dynamodb_accounts import DynamoDBAccountRepository

        caps = (self.settings.caps.tenant, self.settings.caps.deployment)
        return DynamoDBAccountRepository(self._dynamodb, self.settings.table_name, caps)

    @cached_property
    def keys(self) -> KeyRepository:
        """What is kept of API keys, in DynamoDB."""
        from actionreel.aws.dynamodb_keys import DynamoDBKeyRepository

        return DynamoDBKeyRepository(self._dynamodb, self.settings.table_name)

    @cached_property
    def tokens(self) -> Tokens | None:
        """The tokens of JwtIssuer; None if none is set, and callers come with API keys."""
        settings = self.settings
        if not settings.jwt_issuer:
            return None
        from actionreel.json_web_tokens import OpenIdTokens

        claim = settings.jwt_tenant_claim
        return OpenIdTokens(settings.jwt_issuer, settings.jwt_audience, claim)

    @cached_property
    def storage(self) -> VideoStorage:
        """The files, in S3."""
        from actionreel.aws.s3 import S3VideoStorage, client_config

        client = self._session.client("s3", config=client_config())
        return S3VideoStorage(client, self.settings.bucket_name)

    @cached_property
    def workflow(self) -> Workflow:
        """The executions, in Step Functions."""
        from actionreel.aws.step_functions import StepFunctionsWorkflow

        return StepFunctionsWorkflow(self._states, self.settings.state_machine_arn)

    def provider(self, name: str) -> VideoProvider:
        """The adapter of that name; raises ProviderRejectedError if there is none."""
        if name not in self._providers:
            self._providers[name] = self._make_provider(name)
        return self._providers[name]

    def callback_url(self, job: VideoJob) -> str | None:
        """Where the job's provider may tell us that there is news; None if it cannot reach us."""
        from actionreel.webhook_tokens import token

        if not (job.base_url or "").startswith("https://") or not self.settings.webhook_secret:
            return None
        try:
            own = token(self.webhook_key(), job.provider, job.tenant, job.video_id)
        except ProviderUnavailableError:
            return None  # the job is looked at on schedule
        return f"{job.base_url}/webhooks/{job.provider}/{own}"

    def fetch(self, url: str) -> bytes:
        """The start image at a stranger's URL; raises InvalidActionError."""
        from actionreel.providers.reference_fetch import fetch

        return fetch(url)

    def webhook_key(self) -> str:
        """What the tokens in the addresses of webhooks are made with."""
        from actionreel.aws.secrets_manager import generated

        return generated(self.settings.webhook_secret)

    def links(self, base_url: str) -> Links:
        """What makes the links of videos, for somebody who reached us at that address."""
        from actionreel.links import Links

        return Links(base_url, self.link_key, self.settings.link_days, self.now())

    def link_key(self) -> str:
        """What the links of videos are made with; raises KeyUnavailableError."""
        from actionreel.aws.secrets_manager import generated

        if self.settings.link_secret:
            with suppress(KeyUnavailableError):
                return generated(self.settings.link_secret)
        raise KeyUnavailableError(
            "The links of videos cannot be made or checked now; try again in a minute."
        )

    def signature_secret(self, provider: str) -> str:
        """What the provider signs its webhooks with, empty if none is configured."""
        from actionreel.aws.secrets_manager import section

        return section(self.settings.provider_secret, provider).get("webhook_secret", "").strip()

    def fal_keys(self) -> Any:
        """The JSON Web Key Set of what fal signs its webhooks with."""
        return self._fal_key_set.read()

    @cached_property
    def _fal_key_set(self) -> FalKeySet:
        from actionreel.providers.fal_keys import FalKeySet

        return FalKeySet()

    @cached_property
    def chats(self) -> ChatRepository:
        """The records of what was written in chats, in DynamoDB."""
        from actionreel.aws.dynamodb_chats import DynamoDBChatRepository

        return DynamoDBChatRepository(self._dynamodb, self.settings.table_name)

    def chat_section(self, platform: str) -> Section:
        """What the deployment's secret holds for a chat platform; raises ChatUnavailableError if it
        cannot be read now."""
        return self._chat_section(platform)

    def chat_reader(self, platform: str) -> ChatReader | None:
        """How that platform's requests are read; None for a platform that we do not know."""
        if platform not in _CHAT_READERS:
            return None
        reader: ChatReader = import_module(f"actionreel.chat.{platform}")
        return reader

    def chat(self, platform: str) -> ChatPlatform:
        """Where that platform's messages go."""
        if platform not in self._chats:
            from actionreel.chat.config import ChatConfig

            adapter = import_module(f"actionreel.chat.{platform}_api").adapter
            self._chats[platform] = adapter(ChatConfig(partial(self._chat_section, platform)))
        return self._chats[platform]

    @cached_property
    def chat_model(self) -> ChatModel | None:
        """The model that answers messages; None if none is configured."""
        name, url = self.settings.chat_model, self.settings.chat_model_url
        if not name:
            return None
        if not url:
            from actionreel.chat_models import bedrock_converse

            return bedrock_converse.chat_model(name)
        from actionreel.chat_models import openai_chat

        def key(*, fresh: bool = False) -> str:
            return self._chat_section("model", fresh=fresh).get("api_key", "").strip()

        return openai_chat.chat_model(url, name, key)

    @property
    def chat_follow_up(self) -> bool:
        """Whether the model sees the results of its videos."""
        return self.settings.chat_follow_up

    @property
    def user_tags(self) -> bool:
        """Whether tags that ordinary users type are acted on."""
        return self.settings.chat_user_tags

    @property
    def callback_origins(self) -> frozenset[str]:
        """Origins that may be called back although they are not public."""
        origins = self.settings.callback_origins.split(",")
        return frozenset(filter(None, (origin.strip().rstrip("/") for origin in origins)))

    @cached_property
    def callbacks(self) -> Callbacks:
        """Programs that are told a result at an address of theirs."""
        from actionreel.aws.secrets_manager import generated
        from actionreel.chat.callback import callbacks

        def secret() -> str:
            try:
                return f"whsec_{generated(self.settings.callback_secret)}"
            except ProviderUnavailableError:
                message = "The secret of the callbacks cannot be read now."
                raise ChatUnavailableError(message) from None

        return callbacks(secret, self.callback_origins)

    def start_turn(self, tenant: str, turn_id: str) -> None:
        """Starts the execution that answers a message; twice is once. Raises WorkflowError."""
        from actionreel.aws.step_functions import start

        arn = self.settings.chat_state_machine_arn
        start(self._states, arn, turn_id, {"tenant": tenant, "turn_id": turn_id})

    def measure(self, metric: Metric, value: float = 1) -> None:
        """Tells the operator's alarms."""
        from actionreel.observability import measure

        measure(metric, value)

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    @cached_property
    def _session(self) -> boto3.session.Session:
        import boto3

        return boto3.session.Session()  # one for all clients: each session loads its data anew

    @cached_property
    def _dynamodb(self) -> DynamoDBClient:
        return self._session.client("dynamodb", config=self._patience)

    @cached_property
    def _states(self) -> SFNClient:
        return self._session.client("stepfunctions", config=self._patience)

    def _chat_section(self, platform: str, *, fresh: bool = False) -> Section:
        from actionreel.aws.secrets_manager import section

        try:
            return section(self.settings.chat_secret, platform, fresh=fresh)
        except ProviderUnavailableError:
            message = "The secret of the chat platforms cannot be read now."
            raise ChatUnavailableError(message) from None

    @cached_property
    def _patience(self) -> Config:
        """A call that hangs must end, be repeated and be told before the function's time is up."""
        from botocore.config import Config

        retries: Any = {"mode": "standard", "total_max_attempts": 3}
        return Config(connect_timeout=2, read_timeout=5, retries=retries)

    @cached_property
    def _registry(self) -> Registry:
        from actionreel.registry import Registry

        return Registry.load(self.settings.default_model, self.settings.video_models)

    def _providers_with_keys(self) -> set[str] | None:
        """None for a function that may not read the secret, or cannot now: what has no key is then
        told when it is asked."""
        from actionreel.aws.secrets_manager import providers_with_keys

        if not self.settings.provider_secret or time.monotonic() < self._unreadable_until:
            return None
        try:
            found = set(providers_with_keys(self.settings.provider_secret))
        except ProviderUnavailableError:
            self._unreadable_until = time.monotonic() + UNREADABLE_SECONDS
            return None
        if not self.settings.provider_base_url:
            found.discard("openai_videos")
        return found | ({"bedrock"} if self.settings.bedrock_bucket else set())

    def _make_provider(self, name: str) -> VideoProvider:
        """The module of that name makes its own adapter: a new one is a new file."""
        if not _PROVIDER.fullmatch(name):
            raise ProviderRejectedError("There is no such provider.")
        from actionreel.aws.secrets_manager import provider_key, section
        from actionreel.providers.config import ProviderConfig

        def key(*, fresh: bool = False) -> str:
            return provider_key(self.settings.provider_secret, name, fresh=fresh)

        try:
            adapter = import_module(f"actionreel.providers.{name}").adapter
        except (ModuleNotFoundError, AttributeError):
            raise ProviderRejectedError(f"There is no provider called {name}.") from None
        options = {**section(self.settings.provider_secret, name), **self._options(name)}
        provider: VideoProvider = adapter(ProviderConfig(key, options))
        return provider

    def _options(self, name: str) -> dict[str, str]:
        """What the deployment's parameters say of a provider."""
        settings = self.settings
        if name == "openai_videos":
            return {
                "base_url": settings.provider_base_url,
                "dialect": settings.provider_dialect,
                "recovery": settings.provider_recovery,
                "webhooks": "true" if settings.provider_webhooks else "",
            }
        if name == "bedrock":
            return {"bucket": settings.bedrock_bucket, "region": settings.bedrock_region}
        return {}


def prepare_for_chats() -> None:
    """Makes what a message needs while the function starts: a sandbox has a whole processor then,
    and of the first request a platform waits for three seconds only. Elsewhere does nothing."""
    if not os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        return
    from importlib.util import find_spec

    from actionreel.aws import secrets_manager

    made = services()
    if isinstance(made, AwsServices):
        _ = made.chats, made._states
    secrets_manager.prepare()
    for module in ("actionreel.chat.slack", "actionreel.chat.telegram", "actionreel.chat.discord"):
        import_module(module)
    if find_spec("nacl"):
        import_module("nacl.signing")


_services: Services | None = None


def services() -> Services:
    """The services of this process, made from the environment at the first call."""
    global _services
    if _services is None:
        _services = AwsServices(Settings.from_environment(os.environ))
    return _services


def use(replacement: Services | None) -> None:
    """Replaces the services, for tests; None goes back to the environment's."""
    global _services
    _services = replacement
