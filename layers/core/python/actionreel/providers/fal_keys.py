"""The public keys with which fal signs its webhooks.

Source: fal's guide to webhooks, which lets them be kept for a day.
"""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

from actionreel import transport
from actionreel.errors import ProviderUnavailableError

ADDRESS = "https://rest.fal.ai/.well-known/jwks.json"
KEPT_SECONDS = 24 * 3600
READ_SECONDS = 10.0


class FalKeySet:
    """The key set, read when it is first needed and once a day after that."""

    def __init__(self, client: httpx.Client | None = None) -> None:
        self._client = client or transport.client()
        self._found: Any = None
        self._until = float("-inf")  # of the monotonic clock

    def read(self) -> Any:
        """The JSON Web Key Set. Raises ProviderUnavailableError if it cannot be read now."""
        if time.monotonic() >= self._until:
            self._found = self._fetch()
            self._until = time.monotonic() + KEPT_SECONDS
        return self._found

    def _fetch(self) -> Any:
        transport.within(READ_SECONDS)
        try:
            with self._client.stream("GET", ADDRESS) as response:
                response.raise_for_status()
                found = json.loads(transport.read_answer(response))
        except (httpx.HTTPError, ValueError, RecursionError):
            found = None
        if not (isinstance(found, dict) and found.get("keys")):
            raise ProviderUnavailableError("The keys of the provider's webhooks cannot be read.")
        return found
