"""Start images, from wherever a model's message says that they are, for providers that take bytes.

Whoever wrote the message is a stranger: the server is reached on public addresses over https only,
told nothing, and given a bounded time and a bounded number of bytes.
"""

from __future__ import annotations

import httpx

from actionreel import transport
from actionreel.errors import InvalidActionError, UnsafeUrlError
from actionreel.providers.downloads import follow
from actionreel.reference_images import FIELD, MAX_BYTES, too_large

FETCH_SECONDS = 10.0  # for all redirects and the last byte: the function has 75 s for everything


def fetch(url: str) -> bytes:
    """The bytes at `url`, at most MAX_BYTES of them; `reference_images.check` says what they are.

    Raises InvalidActionError, whose sentence does not hold the URL: a signed link is a secret.
    """
    transport.within(FETCH_SECONDS)
    try:
        with transport.public_client() as client, follow(client, url) as response:
            _check(response)
            return _read(response)
    except UnsafeUrlError as unsafe:
        raise InvalidActionError(f"{FIELD} {unsafe.reason}.") from None
    except httpx.TimeoutException:
        raise InvalidActionError(f"The image at {FIELD} did not arrive in time.") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise InvalidActionError(f"The image at {FIELD} cannot be fetched.") from None


def _check(response: httpx.Response) -> None:
    """Refuses an answer that is no image, before a byte of it is read."""
    status = response.status_code
    if status in (404, 410):
        raise InvalidActionError(f"There is no image at {FIELD} (HTTP {status}).")
    if status != 200:
        raise InvalidActionError(f"The image at {FIELD} is not given out (HTTP {status}).")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise InvalidActionError(f"The image at {FIELD} was sent compressed, unasked.")
    if int(response.headers.get("content-length", 0)) > MAX_BYTES:
        raise too_large()


def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_raw(65536):
        content += chunk
        if len(content) > MAX_BYTES:
            raise too_large()
    return bytes(content)
