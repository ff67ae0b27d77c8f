"""The still image of a finished video, if its provider has one."""

from __future__ import annotations

from collections.abc import Iterator

from actionreel.errors import AssetError, AssetUnusableError, ProviderError
from actionreel.image import IMAGE_START_BYTES, image_kind
from actionreel.models import VideoJob, file_key
from actionreel.ports import Services, VideoProvider

MAX_POSTER_BYTES = 5 * 1024**2


def store_poster(job: VideoJob, provider: VideoProvider, services: Services) -> str | None:
    """The poster's key. A video without a poster is a video all the same: trouble is no error."""
    try:
        with provider.open_poster(job.handle or {}) as asset:
            first = b""
            while len(first) < IMAGE_START_BYTES and (chunk := next(asset.chunks, b"")):
                first += chunk
            kind = image_kind(first)
            if kind is None:
                return None
            key = file_key(job.tenant, job.video_id, kind.extension)
            services.storage.save(key, _poster(first, asset.chunks), kind.content_type)
            return key
    except (AssetError, ProviderError):
        return None


def _poster(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    size = len(first)
    yield first
    for chunk in rest:
        size += len(chunk)
        if size > MAX_POSTER_BYTES:
            raise AssetUnusableError("The provider's poster is too large.")
        yield chunk
