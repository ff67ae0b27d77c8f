"""Start images that a caller has sent us: kept in our bucket, and named where a URL would be.

Their names have a scheme that no stranger's URL gets past the contract's rules with.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from actionreel.orders import Image

_SCHEME = "upload:"


@dataclass(frozen=True)
class Upload:
    """An image in our bucket, under that key. `digest` is of what is in it: the same image that
    comes twice has two keys."""

    key: str
    digest: str

    @property
    def url(self) -> str:
        """What a record has in place of an address."""
        return _SCHEME + self.key

    def __str__(self) -> str:
        return f"an image, {self.digest}"


def new_upload(tenant: str, image: Image) -> Upload:
    """Where the image is to be kept."""
    extension = image.media_type.rpartition("/")[2]
    return Upload(f"uploads/{tenant}/{uuid4()}.{extension}", sha256(image.content).hexdigest())


def address(url: str | None) -> str | None:
    """The address, if it is one that the caller gave: the name of what is kept is ours alone."""
    return None if uploaded(url) else url


def uploaded(url: str | None) -> str | None:
    """The key of the image that stands in place of an address; None for a true address."""
    return url.removeprefix(_SCHEME) if url and url.startswith(_SCHEME) else None
