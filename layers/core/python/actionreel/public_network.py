"""TCP connections to public addresses only: what stands between a stranger's URL and a socket."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import httpcore

from actionreel import url_guard

MAX_ATTEMPTS = 4  # how many addresses a name has is for its owner to say, how long we try is not


class PublicBackend(httpcore.SyncBackend):
    """Looks a name up once, refuses it if any answer is not public, and connects to an answer.

    httpcore goes on to speak TLS and HTTP under the name, so certificate and Host are the name's.
    """

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """`timeout` (seconds) is for everything: the look-up, and all attempts together.

        Raises UnsafeUrlError before anything connects, else what httpcore raises.
        """
        limit = url_guard.RESOLVE_SECONDS if timeout is None else timeout
        ends = time.monotonic() + limit
        try:
            found = url_guard.public_addresses(host, min(limit, url_guard.RESOLVE_SECONDS))
        except OSError:
            raise httpcore.ConnectError("the host cannot be found") from None
        addresses = found[:MAX_ATTEMPTS]
        failure: Exception = httpcore.ConnectTimeout("the host was not found in time")
        for tried, address in enumerate(addresses):
            share = (ends - time.monotonic()) / (len(addresses) - tried)
            if share <= 0:
                break
            try:
                return super().connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure
