"""Webhooks that are signed as their providers do: one of each scheme, with a secret of no worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from actionreel import signatures

SENT_AT = 1795305600
NOW = datetime.fromtimestamp(SENT_AT, UTC)


@dataclass(frozen=True)
class Signed:
    """A webhook and what it is checked with: `verify(secret, headers, body, now)`."""

    verify: Callable[..., bool]
    secret: str
    headers: dict[str, str]
    body: bytes

    def accepted(self, now: datetime = NOW) -> bool:
        """Whether its signature is believed at that time."""
        return self.verify(self.secret, self.headers, self.body, now)

    def spoiled(self) -> Iterator[Signed]:
        """The same with one bit changed, for every bit of every part."""
        for secret in _flipped(self.secret):
            yield replace(self, secret=secret)
        for name, value in self.headers.items():
            for changed in _flipped(value):
                yield replace(self, headers={**self.headers, name: changed})
        for body in _flipped(self.body.decode("latin-1")):
            yield replace(self, body=body.encode("latin-1"))


def _flipped(text: str) -> Iterator[str]:
    for place, character in enumerate(text):
        for bit in range(8):
            yield text[:place] + chr(ord(character) ^ 1 << bit) + text[place + 1 :]


def key_set(x: str) -> Any:
    """A JSON Web Key Set as fal shows it, the key being the second one in it."""
    other = {"kty": "OKP", "crv": "Ed25519", "x": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
    return {"keys": [other, {**other, "x": x}]}


def _fal(x: str, headers: dict[str, str], body: bytes, now: datetime) -> bool:
    return signatures.fal(key_set(x), headers, body, now)


STANDARD = Signed(
    signatures.standard_webhooks,
    "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    {
        "webhook-id": "wh_test_1",
        "webhook-timestamp": str(SENT_AT),
        "webhook-signature": "v1,UMGrXY47Ufw/DYiwhCGbpDM0/2hWV1j2xRRkVWApjVc=",
    },
    b'{"id":"evt_test_1","object":"event","created_at":1795305600,"type":"video.completed",'
    b'"data":{"id":"video_test_1"}}',
)
OPENROUTER = Signed(
    signatures.openrouter,
    "or-test-secret",
    {
        "x-openrouter-signature": f"t={SENT_AT},v1="
        "8e73c9032d87ac9ac66a132a20031fb67445c65f6fbeb075c26199d455195451"
    },
    b'{"type":"video.generation.completed","created_at":"2026-11-22T00:00:00Z",'
    b'"data":{"id":"gen-vid-1795305600-abcdefghijklmnopqrst","status":"completed"}}',
)
FAL = Signed(
    _fal,
    "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg",
    {
        "x-fal-webhook-request-id": "req-1",
        "x-fal-webhook-user-id": "user-1",
        "x-fal-webhook-timestamp": str(SENT_AT),
        "x-fal-webhook-signature": "b265188e12c5af6b8778086d7ae14967e41515afe95ce5073037031e6c7493"
        "ee5e0bd8f76bcf54c1dcecfbea18e5f3d2a897c42ef1f822cb87f3ab65462d9406",
    },
    b'{"request_id":"req-1","gateway_request_id":"req-1","status":"OK",'
    b'"payload":{"video":{"url":"https://v3b.fal.media/files/b/x/out.mp4"}}}',
)
EVERY = {"standard": STANDARD, "openrouter": OPENROUTER, "fal": FAL}
