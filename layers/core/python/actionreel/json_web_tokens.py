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
KEPT_SECONDS = 3600.0
UNKNOWN_SECONDS = 30.0  # so often at most are the keys read anew for one that is not among them

logger = logging.getLogger(__name__)

READ_SECONDS = 5.0

Fetch = Callable[[str], bytes]  # what is at an https address; raises OSError


def read(address: str) -> bytes:
    """What is at an address of the issuer's, which the operator trusts. Raises OSError."""
    transport.within(READ_SECONDS)
    try:
        with transport.client().stream("GET", address) as response:
            response.raise_for_status()
            return transport.read_answer(response)
    except httpx.HTTPError as error:
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
        self._read_at = float("-inf")
        self._turn = threading.Lock()

    def tenant(self, token: str) -> str | None:
        """The claim of a token that the issuer has signed for us and that is valid now; None for
        every other. Raises OSError if the issuer's keys cannot be read."""
        try:
            key = self._key(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                return None
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            return None
        found = claims.get(self._claim)
        return found if isinstance(found, str) else None

    def _key(self, kid: Any) -> Any:
        """The issuer's key of that id; the only one it has, for a token that names none."""
        with self._turn:
            age = time.monotonic() - self._read_at
            known = isinstance(kid, str | None) and kid in self._keys
            if age > (KEPT_SECONDS if known else UNKNOWN_SECONDS):
                self._read()
            return self._keys.get(kid) if isinstance(kid, str | None) else None

    def _read(self) -> None:
        try:
            self._keys = _keys(self._fetch(self._address()))
        except (OSError, ValueError, KeyError) as error:
            if not self._keys:
                raise OSError("the keys of JwtIssuer cannot be read") from error
            logger.warning("the keys of JwtIssuer cannot be read anew")
        self._read_at = time.monotonic()

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
    entries = [entry for entry in json.loads(document)["keys"] if entry.get("kty") != "oct"]
    for entry in entries:
        try:
            key = jwt.PyJWK.from_dict(entry)
        except jwt.PyJWTError:
            continue
        found[entry.get("kid")] = key
        if len(entries) == 1:
            found[None] = key
    return found
