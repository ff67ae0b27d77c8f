"""JSON Web Tokens of an OpenID Connect provider, verified: for deployments that have one.

Sources: RFC 7519, RFC 8725 (algorithms are listed, none is taken from the token), OpenID Connect
Discovery 1.0. Only the authorizer's function carries what this imports.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import jwt

from actionreel import transport

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
LEEWAY_SECONDS = 60.0  # clocks differ
READ_SECONDS = 3.0  # of which there are two, and API Gateway waits for ten
KEPT_SECONDS = 3600.0
STALE_SECONDS = 24 * 3600.0  # so long are keys believed while the issuer is gone
UNKNOWN_SECONDS = 30.0  # so often at most are the keys read anew for one that is not among them
FAILED_SECONDS = 5.0  # so often at most while there are none: who waits is not made to wait longer

logger = logging.getLogger(__name__)

Fetch = Callable[[str], bytes]  # what is at an https address; raises OSError


def read(address: str) -> bytes:
    """What is at an address of the issuer's, which the operator trusts. Raises OSError."""
    transport.within(READ_SECONDS)
    try:
        with transport.client().stream("GET", address) as response:
            response.raise_for_status()
            return transport.read_answer(response)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(f"it cannot be read: {type(error).__name__}") from None


class OpenIdTokens:
    """The tokens of one issuer for one audience; the tenant is the claim of that name.

    Raises ValueError for an issuer that is no https address.
    """

    def __init__(self, issuer: str, audience: str, claim: str, fetch: Fetch = read) -> None:
        if not issuer.startswith("https://"):
            raise ValueError("JwtIssuer must be an https address")
        if not audience:
            raise ValueError("JwtAudience is missing: without it any token of the issuer would do")
        self._issuer = issuer
        self._audience = audience
        self._claim = claim
        self._fetch = fetch
        self._keys: Mapping[str | None, Any] = {}
        self._read_at = self._tried_at = float("-inf")  # of the monotonic clock
        self._turn = threading.Lock()

    def tenant(self, token: str) -> str | None:
        """The claim of a token that the issuer has signed for us and that is valid now; None for
        every other. Raises OSError if the issuer's keys cannot be read."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            return None
        key = self._key(kid)  # whose trouble must not look like that of a token
        if key is None:
            return None
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],  # the token has no say in it
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            return None
        found = claims.get(self._claim)
        return found if isinstance(found, str) else None

    def _key(self, kid: str | None) -> Any:
        """The issuer's key of that id, None if it has none; the only one it has, for a token that
        names none. Raises OSError if that cannot be found out now."""
        with self._turn:
            now = time.monotonic()
            pause = UNKNOWN_SECONDS if self._keys else FAILED_SECONDS
            wanted = kid not in self._keys or now - self._read_at > KEPT_SECONDS
            if wanted and now - self._tried_at > pause:
                self._read(now)
            failed = self._read_at < self._tried_at
            if failed and (kid not in self._keys or now - self._read_at > STALE_SECONDS):
                raise OSError("the keys of JwtIssuer cannot be read")
            return self._keys.get(kid)

    def _read(self, now: float) -> None:
        """Reads the keys anew; those that are there stay if that cannot be done."""
        self._tried_at = now
        try:
            self._keys = _keys(self._fetch(self._address()))
            self._read_at = now
        except (
            OSError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            logger.warning("the keys of JwtIssuer cannot be read: %s", type(error).__name__)

    def _address(self) -> str:
        told = json.loads(
            self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        )
        if told["issuer"] != self._issuer or not str(told["jwks_uri"]).startswith("https://"):
            raise ValueError("the issuer's configuration is another's")
        return str(told["jwks_uri"])


def _keys(document: bytes) -> dict[str | None, Any]:
    """The public keys by their ids; one that we cannot use is left out."""
    found: dict[str | None, Any] = {}
    entries = [
        entry
        for entry in json.loads(document)["keys"]
        if entry.get("kty") != "oct" and entry.get("use", "sig") == "sig"
    ]
    for entry in entries:
        try:
            key = jwt.PyJWK.from_dict(entry)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            continue
        if key.algorithm_name not in ALGORITHMS:
            continue
        found[entry.get("kid")] = key
        if len(entries) == 1:
            found[None] = key
    return found
