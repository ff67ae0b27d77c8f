"""The kits of all adapters."""

from __future__ import annotations

from tests.providers import openai_kits
from tests.providers.kit import Kit

KITS: list[Kit] = [*openai_kits.KITS]
