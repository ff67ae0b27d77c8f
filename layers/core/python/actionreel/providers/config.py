"""What an adapter is made from: the key and the options of its provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from actionreel.providers.http_api import Key


@dataclass(frozen=True)
class ProviderConfig:
    """`options` are the texts of the provider's section of the secret and of the deployment's
    parameters, such as `base_url`; `client` replaces the HTTP client, for tests."""

    key: Key
    options: Mapping[str, str] = field(default_factory=dict)
    client: httpx.Client | None = None

    def base_url(self, usual: str) -> str:
        """The address of the provider's API: its own, unless an option says another."""
        return self.options.get("base_url") or usual
