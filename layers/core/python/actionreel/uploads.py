"""Start images that a caller has sent us: kept in our bucket, and named where a URL would be.

Their names have a scheme that no stranger's URL gets past the contract's rules with. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

_SCHEME = "upload:"


@dataclass(frozen=True)
class Upload:
    """An image in our bucket, under that key."""

    key: str

    @property
    def url(self) -> str:
        """What a record has in place of an address."""
        return _SCHEME + self.key


def upload_key(tenant: str, name: str, extension: str) -> str:
    """Where an uploaded image is kept in the bucket."""
    return f"uploads/{tenant}/{name}.{extension}"


def uploaded(url: str | None) -> str | None:
    """The key of the image that stands in place of an address; None for a true address."""
    return url.removeprefix(_SCHEME) if url and url.startswith(_SCHEME) else None
