"""The providers' keys, and what webhooks are checked with, from AWS Secrets Manager.

All providers are in one secret, with a section for each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.parameters.constants import DEFAULT_PROVIDERS
from aws_lambda_powertools.utilities.parameters.exceptions import (
    GetParameterError,
    TransformParameterError,
)
from botocore.config import Config

from actionreel.errors import KeyUnavailableError, ProviderRejectedError

CACHE_SECONDS = 300
# A call that hangs must end, and be told, long before the function's time is up.
_PATIENCE = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})


def section(secret: str, provider: str, *, fresh: bool = False) -> Mapping[str, str]:
    """What the secret holds for a provider, such as `api_key`; empty if there is nothing.

    The secret is kept for five minutes, unless it is to be `fresh`. Raises
    KeyUnavailableError if it cannot be read now; what it holds stays out of that.
    """
    return _sections(secret, fresh=fresh).get(provider, {})


def provider_key(secret: str, provider: str, *, fresh: bool = False) -> str:
    """The key of a provider: `{"<provider>": {"api_key": "..."}}` is what the secret holds.

    Raises ProviderRejectedError if there is none, KeyUnavailableError if the secret cannot be read
    now; what it holds stays out of both.
    """
    key = _key(section(secret, provider, fresh=fresh))
    if not key and not fresh:  # it may have been put there a moment ago
        key = _key(section(secret, provider, fresh=True))
    if not key:
        example = json.dumps({provider: {"api_key": "..."}})
        raise ProviderRejectedError(
            f"There is no key for {provider}. Put {example} into the secret that the deployment's"
            " output ProviderSecret names."
        )
    return key


def providers_with_keys(secret: str) -> frozenset[str]:
    """The providers that have a key. Raises KeyUnavailableError."""
    return frozenset(name for name, held in _sections(secret).items() if _key(held))


def generated(secret: str) -> str:
    """A secret that the deployment made for itself, kept for five minutes.

    Raises KeyUnavailableError if it cannot be read now.
    """
    text = _get(secret, transform=None)
    if not isinstance(text, str) or not text:
        raise KeyUnavailableError("A secret of the deployment is not there.")
    return text


def prepare() -> None:
    """Makes the client, which takes a while."""
    if "secrets" not in DEFAULT_PROVIDERS:
        DEFAULT_PROVIDERS["secrets"] = parameters.SecretsProvider(boto_config=_PATIENCE)


def _sections(secret: str, *, fresh: bool = False) -> dict[str, Mapping[str, str]]:
    """The sections that are what they should be."""
    found = _get(secret, transform="json", fresh=fresh)
    sections = found if isinstance(found, dict) else {}
    return {name: _fields(held) for name, held in sections.items() if isinstance(held, dict)}


def _fields(held: Mapping[str, Any]) -> Mapping[str, str]:
    """Those that are text. A tenant that is none stays, as one that nobody can be: left out, it
    would have somebody else's chats make videos for the tenant that needs no name."""
    fields = {name: value for name, value in held.items() if isinstance(value, str)}
    return {"tenant": "(no text)", **fields} if "tenant" in held else fields


def _key(held: Mapping[str, str]) -> str:
    key = held.get("api_key", "").strip()
    return key if key.isascii() else ""


def _get(secret: str, transform: Literal["json"] | None, *, fresh: bool = False) -> Any:
    """What the secret holds; None if it holds nothing that can be read."""
    prepare()
    try:
        return parameters.get_secret(
            secret, transform=transform, max_age=CACHE_SECONDS, force_fetch=fresh
        )
    except GetParameterError as error:
        if "ResourceNotFoundException" in str(error):
            return None
        raise KeyUnavailableError("The provider's key cannot be read now.") from None
    except TransformParameterError:
        return None
