"""Puts the application together: the only file that knows every adapter and reads settings.

Each part is made when a function first asks for it, so that a function imports and connects to
nothing that it does not use: the API loads httpx only to cancel, the tasks no Step Functions.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from actionreel.errors import ProviderRejectedError
from actionreel.ports import Services, VideoProvider, VideoRepository, VideoStorage, Workflow
from actionreel.registry import Registry
from actionreel.settings import Settings

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config


class AwsServices:
    """The services of a deployment, and of the local run, which answers to the same calls."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._providers: dict[str, VideoProvider] = {}

    @cached_property
    def registry(self) -> Registry:
        """The models that can be asked for."""
        return Registry.load(self.settings.default_model)

    @cached_property
    def videos(self) -> VideoRepository:
        """The records, in DynamoDB."""
        from actionreel.aws.dynamodb import DynamoDBVideoRepository

        client = self._session.client("dynamodb", config=self._patience)
        return DynamoDBVideoRepository(client, self.settings.table_name)

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

        client = self._session.client("stepfunctions", config=self._patience)
        return StepFunctionsWorkflow(client, self.settings.state_machine_arn)

    def provider(self, name: str) -> VideoProvider:
        """The adapter of that name; raises ProviderRejectedError if there is none."""
        if name not in self._providers:
            self._providers[name] = self._make_provider(name)
        return self._providers[name]

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    @cached_property
    def _session(self) -> boto3.session.Session:
        import boto3

        return boto3.session.Session()  # one for all clients: each session loads its data anew

    @cached_property
    def _patience(self) -> Config:
        """A call that hangs must end, be repeated and be told before the function's time is up."""
        from botocore.config import Config

        retries: Any = {"mode": "standard", "total_max_attempts": 3}
        return Config(connect_timeout=2, read_timeout=5, retries=retries)

    def _make_provider(self, name: str) -> VideoProvider:
        if name != "openai_videos":
            raise ProviderRejectedError(f"There is no provider called {name}.")
        if not self.settings.provider_base_url:
            raise ProviderRejectedError(
                "No video provider is configured: set the ProviderBaseUrl parameter."
            )
        from actionreel.aws.secrets_manager import provider_key
        from actionreel.providers.openai_videos import OpenAIVideos

        def key() -> str:
            return provider_key(self.settings.provider_secret, name)

        settings = self.settings
        return OpenAIVideos(settings.provider_base_url, key, settings.provider_recovery)


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
