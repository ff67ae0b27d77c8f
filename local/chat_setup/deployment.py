"""The deployed stack: where its API is, and the secret with a section for each chat platform."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.chat_setup.walk import Section, SetupError

_LOOPBACK = ("127.0.0.1", "localhost")


class ChatSecret:
    """The secret that the stack's output ChatSecret names."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def section(self, platform: str) -> Section:
        """What it holds for a platform; empty if there is nothing. Raises SetupError."""
        held = self._sections().get(platform)
        fields = held.items() if isinstance(held, dict) else ()
        return {name: value for name, value in fields if isinstance(value, str)}

    def write(self, platform: str, section: Section) -> None:
        """Puts the section into it, and leaves the others as they are. Raises SetupError."""
        sections = {**self._sections(), platform: dict(section)}
        try:
            self._client.put_secret_value(SecretId=self.name, SecretString=json.dumps(sections))
        except (BotoCoreError, ClientError) as error:
            raise SetupError(f"The secret cannot be written: {_reason(error)}") from None

    def _sections(self) -> dict[str, Any]:
        try:
            text = self._client.get_secret_value(SecretId=self.name).get("SecretString", "")
        except (BotoCoreError, ClientError) as error:
            if _code(error) == "ResourceNotFoundException" and self._is_there():
                return {}  # it was created without a value
            raise SetupError(f"The secret cannot be read: {_reason(error)}") from None
        try:
            sections = json.loads(text or "{}")
        except (ValueError, RecursionError):
            sections = None
        if not isinstance(sections, dict):
            raise SetupError("The secret holds something else than a JSON object: it is left so.")
        return sections

    def _is_there(self) -> bool:
        try:
            self._client.describe_secret(SecretId=self.name)
        except (BotoCoreError, ClientError):
            return False
        return True


@dataclass(frozen=True)
class Deployment:
    """`url` is the address of the API; `secret` is None if only that is known."""

    url: str
    secret: ChatSecret | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


def find(stack: str, url: str) -> Deployment:
    """The deployment of that stack, whose API has that address if one is given; without a stack, no
    AWS is asked. Raises SetupError."""
    if not stack and not url:
        raise SetupError("Say which deployment: STACK=name, or URL=https://... of its API.")
    if not stack:
        return Deployment(_address(url))
    session = boto3.session.Session()
    try:
        described = session.client("cloudformation").describe_stacks(StackName=stack)
        secrets = session.client("secretsmanager")
    except (BotoCoreError, ClientError) as error:
        raise SetupError(f"The stack cannot be read: {_reason(error)}") from None
    [found] = described["Stacks"]
    outputs = {it["OutputKey"]: it["OutputValue"] for it in found.get("Outputs", [])}
    for name in ("PageUrl", "ChatSecret"):
        if name not in outputs:
            raise SetupError(f"This stack has no output {name}: is it Actionreel's?")
    parameters = {
        it["ParameterKey"]: it.get("ParameterValue", "") for it in found.get("Parameters", [])
    }
    secret = ChatSecret(secrets, outputs["ChatSecret"])
    return Deployment(_address(url or outputs["PageUrl"]), secret, parameters)


def _address(url: str) -> str:
    """The address without a slash at its end; raises SetupError if no platform could call it."""
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or parts.hostname in _LOOPBACK
    except ValueError:
        safe = False
    if not safe or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise SetupError("The address must be one such as https://host: platforms call it.")
    return url.rstrip("/")


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def _reason(error: Exception) -> str:
    """What AWS said, which never holds the secret."""
    return str(error)
