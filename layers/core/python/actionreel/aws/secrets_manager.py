"""The provider's key, from AWS Secrets Manager."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.parameters.exceptions import (
    GetParameterError,
    TransformParameterError,
)

from actionreel.errors import ProviderRejectedError, ProviderUnavailableError

CACHE_SECONDS = 300


def provider_key(secret: str, provider: str) -> str:
    """The key of a provider: `{"<provider>": {"api_key": "..."}}` is what the secret holds.

    Kept for five minutes once it is there. Raises ProviderRejectedError if there is no key,
    ProviderUnavailableError if the secret cannot be read now; what it holds stays out of both.
    """
    key = _read(secret, provider, fresh=False) or _read(secret, provider, fresh=True)
    if not key:
        example = json.dumps({provider: {"api_key": "..."}})
        raise ProviderRejectedError(
            f"There is no key for the provider. Put {example} into the secret that the deployment's"
            " output ProviderSecret names."
        )
    return key


def _read(secret: str, provider: str, *, fresh: bool) -> str:
    """The key, empty if the secret is not there or not what it should be."""
    try:
        found: Any = parameters.get_secret(
            secret, transform="json", max_age=CACHE_SECONDS, force_fetch=fresh
        )
        key = found[provider]["api_key"]
    except GetParameterError as error:
        if "ResourceNotFoundException" in str(error):
            return ""
        raise ProviderUnavailableError("The provider's key cannot be read now.") from None
    except (TransformParameterError, KeyError, TypeError):
        return ""
    return key.strip() if isinstance(key, str) and key.isascii() else ""
