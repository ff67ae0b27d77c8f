"""The addresses of a video's file and of its still image, which need no key. Pure.

A chat and a `<video>` send no key of ours, so the address itself carries who may see it: a token
for one video that names its tenant, the day it ends, and the revision of the video's links. It
works for a year or so, as stored chats need it to; the record has another revision once the links
are revoked. The day is on a grid, so that the same link is given for weeks: a player whose address
changed would begin anew.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from actionreel.errors import KeyUnavailableError
from actionreel.models import Video

DAYS = 365  # that a link works at least, if nothing else is said
GRID_DAYS = 30  # by which the end of all links moves on
_MAC_BYTES = 16  # of HMAC-SHA256's 32: 128 bits, and a link that is not too long
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT = "[A-Za-z0-9_-]"
_TOKEN = re.compile(f"({_TEXT}{{1,400}})[.]([1-9][0-9]{{0,5}})[.]([0-9]{{1,9}})[.]{_TEXT}{{22}}")


class Grant(NamedTuple):
    """Whose video a token opens, while the links of its record have that revision."""

    tenant: str
    revision: int


class Links:
    """Makes the links of videos, as somebody who reached us at `base` can use them.

    `key` gives what they are made with; it is asked for once, when the first link is made. `days`
    is how long they work at least, from `now`. Links raise KeyUnavailableError if `key` does, at
    the first time and then at once.
    """

    def __init__(self, base: str, key: Callable[[], str], days: int, now: datetime) -> None:
        self._base, self._key, self._days, self._now = base, key, days, now
        self._read: str | KeyUnavailableError | None = None

    def content(self, video: Video) -> str:
        """The address of the file."""
        return self._address(video, "content")

    def poster(self, video: Video) -> str:
        """The address of the still image."""
        return self._address(video, "poster")

    def _address(self, video: Video, part: str) -> str:
        end = last_day(self._now, self._days)
        given = token(self._secret(), video.tenant, video.video_id, end, video.link_revision)
        return f"{self._base}/videos/{video.video_id}/{part}?token={given}"

    def _secret(self) -> str:
        if self._read is None:
            try:
                self._read = self._key()
            except KeyUnavailableError as error:
                self._read = error
        if isinstance(self._read, KeyUnavailableError):
            raise self._read
        return self._read


def last_day(now: datetime, days: int) -> int:
    """The day at whose beginning a link ends that is made now: at least `days` from now, and on the
    grid. Counted from 1970, in UTC."""
    grid = min(GRID_DAYS, days)
    earliest = now - _EPOCH + timedelta(days=days)
    return -(-earliest // timedelta(days=grid)) * grid


def token(key: str, tenant: str, video_id: str, end: int, revision: int) -> str:
    """The token of a video until the day `end`; anybody can read what it says of the tenant."""
    if not key:
        raise ValueError("tokens need a secret")
    mac = hmac.digest(_bytes(key), _message(tenant, video_id, end, revision), "sha256")
    return f"{_text(_bytes(tenant))}.{end}.{revision}.{_text(mac[:_MAC_BYTES])}"


def open_token(
    key: Callable[[], str], given: str | None, video_id: str, now: datetime
) -> Grant | None:
    """What a token grants of the video; None for one that is missing, malformed, forged, of another
    video or deployment, or at its end. Whether it is revoked, the record says.

    `key` is asked for only where the text can be a token, and may raise KeyUnavailableError.
    """
    read = _TOKEN.fullmatch(given or "")
    if given is None or read is None:
        return None
    try:
        tenant = base64.b64decode(read[1] + "=" * (-len(read[1]) % 4), b"-_", validate=True).decode(
            errors="surrogatepass"
        )
    except (binascii.Error, UnicodeDecodeError):
        return None
    end, revision = int(read[2]), int(read[3])
    # Made again and compared whole, so that a token has one spelling only.
    expected = token(key(), tenant, video_id, end, revision)
    if not hmac.compare_digest(_bytes(expected), _bytes(given)):
        return None
    return Grant(tenant, revision) if now < _EPOCH + timedelta(days=end) else None


def _message(tenant: str, video_id: str, end: int, revision: int) -> bytes:
    """Names that cannot run into each other, nor into what another key of ours is used for."""
    return json.dumps(["link", tenant, video_id, end, revision]).encode()


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
