"""Files from providers, and from wherever they redirect to: nothing that comes can hurt.

The operator's own server may be anywhere and gets the key. Any other is a stranger: it is reached
on public addresses over https only, and told nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import httpx

from actionreel import mp4, transport, url_guard
from actionreel.errors import (
    AssetIncompleteError,
    AssetUnavailableError,
    AssetUnusableError,
    UnsafeUrlError,
)

MAX_REDIRECTS = 3


@contextmanager
def download(
    client: httpx.Client, url: str, headers: Mapping[str, str], seconds: float, *, trusted: str
) -> Iterator[Iterator[bytes]]:
    """The bytes at `url`, as they stream, within `seconds` for all redirects and the last byte.

    `trusted` is the URL that the operator configured: `headers` go to its origin and to no other.
    The origin is trusted until the first step away from it: what strangers say of it they say as
    strangers.

    Raises, also while the bytes are read, AssetIncompleteError where fetching the file again may
    help, AssetUnavailableError where it is not given out, AssetUnusableError where it is
    compressed or larger than mp4.MAX_BYTES, or where its URL is not one to connect to.
    """
    transport.within(seconds)
    try:
        with follow(client, url, headers, trusted) as response:
            _check(response)
            yield _limited(response)
    except UnsafeUrlError as unsafe:
        raise AssetUnusableError(f"The provider's link to the file {unsafe.reason}.") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise AssetIncompleteError("The provider's file ended before it was whole.") from None


@contextmanager
def follow(
    client: httpx.Client, url: str, headers: Mapping[str, str] = {}, trusted: str | None = None
) -> Iterator[httpx.Response]:
    """The answer at the end of the redirects, each of them checked before it is followed.

    `trusted` is as for `download`; without it nobody is, and `client` must be a `public_client`.
    Set the deadline before. Raises UnsafeUrlError, httpx.InvalidURL and httpx.HTTPError.
    """
    target = httpx.URL(url)
    home = None if trusted is None else _origin(httpx.URL(trusted))
    at_home = home is not None
    with ExitStack() as stack:
        for _ in range(1 + MAX_REDIRECTS):
            if at_home and _origin(target) != home:
                at_home = False
                client = stack.enter_context(transport.public_client())
                headers = {}
            if not at_home:
                url_guard.check_url(str(target))
            with client.stream("GET", target, headers=dict(headers)) as response:
                if not response.has_redirect_location:
                    yield response
                    return
                target = target.join(response.headers["location"])
    raise UnsafeUrlError(f"redirects more than {MAX_REDIRECTS} times")


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port


def _check(response: httpx.Response) -> None:
    """Refuses an answer that is no file, before a byte of it is read."""
    status = response.status_code
    if status == 429 or status >= 500:
        raise AssetIncompleteError(f"The provider did not give out the file (HTTP {status}).")
    if status != 200:  # nor is a part (206) the file
        message = f"The provider did not give out the file (HTTP {status})."
        raise AssetUnavailableError(message, status)
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise AssetUnusableError("The provider sent the file compressed, which was not asked for.")
    if int(response.headers.get("content-length", 0)) > mp4.MAX_BYTES:
        raise _too_large()


def _limited(response: httpx.Response) -> Iterator[bytes]:
    """The bytes; h11 raises where a Content-Length or the last chunk is not met."""
    size = 0
    for chunk in response.iter_raw():
        size += len(chunk)
        if size > mp4.MAX_BYTES:
            raise _too_large()
        yield chunk


def _too_large() -> AssetUnusableError:
    return AssetUnusableError("The provider's file is larger than the 2 GiB that are kept.")
