"""HTTP to providers, with limits that httpx does not have.

Every exchange has one total deadline, however slowly its bytes drip; a body is read only up to a
size; redirects are not followed and compressed bodies not asked for; and nothing is ever sent a
second time by itself. Imported only by the functions that talk to providers.

There are two clients: one for the server that the operator configured, which may be anywhere, and
one for the URLs of strangers, which connects to public addresses only.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Iterable
from contextvars import ContextVar
from functools import cache
from typing import Any

import httpcore
import httpx

from actionreel.public_network import PublicBackend

MAX_ANSWER_BYTES = 1024 * 1024
CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0

_deadline: ContextVar[float] = ContextVar("deadline")

for _name in ("httpx", "httpcore"):  # they log whole URLs, and a signed link is a secret
    logging.getLogger(_name).setLevel(logging.WARNING)


def client() -> httpx.Client:
    """A client for one provider. Set the deadline of an exchange with `within` before it."""
    return _client(httpcore.SyncBackend())


def public_client() -> httpx.Client:
    """A client for the URLs of strangers. Its requests raise UnsafeUrlError before they connect to
    an address that is not public; check the URL itself with `url_guard.check_url`."""
    return _client(PublicBackend())


def _client(network: httpcore.NetworkBackend) -> httpx.Client:
    return httpx.Client(
        transport=_DeadlineTransport(_trust(), network),
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
        headers={"Accept-Encoding": "identity", "User-Agent": "actionreel"},
    )


def within(seconds: float) -> None:
    """The exchange that follows, in this thread, ends within that time or raises ReadTimeout."""
    _deadline.set(time.monotonic() + seconds)


def read_answer(response: httpx.Response) -> bytes:
    """The body of a streamed response; raises httpx.DecodingError beyond 1 MB."""
    body = bytearray()
    for chunk in response.iter_raw(65536):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise httpx.DecodingError("the answer is longer than 1 MB", request=response.request)
    return bytes(body)


@cache
def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # parsing the certificates takes longer than a request


class _DeadlineTransport(httpx.HTTPTransport):
    """httpx's own transport, over sockets that know the deadline of the exchange.

    A connection is used once: a kept one may have died while the function was frozen, and then a
    create that was never sent would look like one that may have been.
    """

    def __init__(self, verify: ssl.SSLContext, network: httpcore.NetworkBackend) -> None:
        super().__init__(verify=verify, trust_env=False, retries=0)
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify,
            max_connections=None,
            max_keepalive_connections=0,
            network_backend=_DeadlineBackend(network),
        )


class _DeadlineBackend(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _remaining(timeout, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        return _DeadlineStream(stream)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _remaining(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _remaining(timeout, httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _remaining(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()


def _remaining(timeout: float | None, expired: type[Exception]) -> float | None:
    deadline = _deadline.get(None)
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise expired("the deadline of this exchange has passed")
    return left if timeout is None else min(left, timeout)
