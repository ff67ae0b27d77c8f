"""What an adapter of a chat platform is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class ReadSection(Protocol):
    """Gives the platform's section of the deployment's secret; `fresh`, for a token that was
    refused, asks past every cache. Raises ChatUnavailableError if it cannot be read now."""

    def __call__(self, *, fresh: bool = False) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class ChatConfig:
    """`section` has the platform's credentials, and perhaps a `base_url` in place of its own."""

    section: ReadSection
