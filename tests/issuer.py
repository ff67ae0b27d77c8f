"""An OpenID Connect provider for tests: its keys, its addresses and its tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER, AUDIENCE = "https://issuer.test/", "actionreel"
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


def jwk(key: Any, kid: str) -> dict[str, Any]:
    kind: Any = jwt.algorithms.RSAAlgorithm if key is not CURVE else jwt.algorithms.ECAlgorithm
    found: dict[str, Any] = json.loads(kind.to_jwk(key.public_key()))
    return {**found, "kid": kid, "use": "sig"}


class Issuer:
    """An OpenID Connect provider, as its addresses show it."""

    def __init__(self) -> None:
        self.keys = [jwk(PRIVATE, "one"), jwk(CURVE, "two")]
        self.configuration = {"issuer": ISSUER, "jwks_uri": "https://issuer.test/keys"}
        self.read: list[str] = []
        self.gone = False

    def fetch(self, address: str) -> bytes:
        self.read.append(address)
        if self.gone:
            raise OSError("gone")
        if address == "https://issuer.test/.well-known/openid-configuration":
            return json.dumps(self.configuration).encode()
        assert address == "https://issuer.test/keys"
        return json.dumps({"keys": self.keys}).encode()


def token(
    key: Any = PRIVATE, algorithm: str = "RS256", kid: str | None = "one", **claims: Any
) -> str:
    now = datetime.now(UTC)
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "acme", "exp": now + timedelta(hours=1)}
    asked = {name: claim for name, claim in {**good, **claims}.items() if claim is not None}
    return jwt.encode(asked, key, algorithm, headers={"kid": kid} if kid else {})


def public_pem() -> bytes:
    return PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def forged_hmac() -> str:
    """Signed with the public key as if it were a shared secret."""

    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    head = part({"alg": "HS256", "kid": "one"})
    body = part({"iss": ISSUER, "aud": AUDIENCE, "sub": "acme", "exp": 4_000_000_000})
    digest = hmac.new(public_pem(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def unsigned() -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "acme", "exp": 4_000_000_000}
    nothing: Any = None
    return jwt.encode(claims, nothing, "none", headers={"kid": "one"})
