"""The secret part of a webhook's address. Pure.

A provider that is told where to call for each job gets an address of that video's own. One whose
webhooks are set up once, for a whole account, gets the deployment's: its body says which job it is
about. Either way, who was not given an address cannot make one.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json

MAC_BYTES = 20  # of HMAC-SHA256's 32: 160 bits
_MAX_CHARACTERS = 1000


def token(secret: str, provider: str, tenant: str, video_id: str) -> str:
    """The token of a video, for one provider: names the video, and can be read by anybody."""
    names = json.dumps([tenant, video_id], separators=(",", ":")).encode()
    return f"{_text(names)}.{_mac(secret, provider, tenant, video_id)}"


def read_token(secret: str, provider: str, given: str) -> tuple[str, str] | None:
    """The tenant and the id of the video that a token was made for; None for any other text."""
    if len(given) > _MAX_CHARACTERS:
        return None
    names = given.partition(".")[0]
    try:
        tenant, video_id = json.loads(base64.urlsafe_b64decode(names + "=" * (-len(names) % 4)))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return None
    if not (isinstance(tenant, str) and isinstance(video_id, str)):
        return None
    # Made again and compared whole, so that a token has one spelling only.
    expected = token(secret, provider, tenant, video_id)
    return (tenant, video_id) if _same(expected, given) else None


def deployment_token(secret: str, provider: str) -> str:
    """The token of a deployment, for a provider whose webhooks are set up once."""
    return _mac(secret, provider)


def is_deployment_token(secret: str, provider: str, given: str) -> bool:
    """Whether that is the deployment's token for this provider."""
    return _same(deployment_token(secret, provider), given)


def _mac(secret: str, *names: str) -> str:
    """A code over the names, which cannot run into each other."""
    if not secret:
        raise ValueError("tokens need a secret")
    key = secret.encode(errors="surrogatepass")
    return _text(hmac.digest(key, json.dumps(names).encode(), "sha256")[:MAC_BYTES])


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode(errors="surrogatepass"))
