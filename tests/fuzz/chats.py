"""What platforms send, as nobody should send it: real payloads with something wrong in them, often
with a signature that is right."""

from __future__ import annotations

import base64
import copy
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from hypothesis import strategies as st
from nacl.signing import SigningKey

from actionreel.signatures import sign_standard_webhooks
from local.template import ROOT
from tests.fakes import NOON
from tests.fuzz.requests import nasty, text, values

_KEY = SigningKey(b"k" * 32)
SECTIONS: dict[str, Mapping[str, str]] = {
    "slack": {"signing_secret": "of slack", "bot_token": "xoxb-1", "owner_bots": "B0OWNER001"},
    "discord": {"public_key": bytes(_KEY.verify_key).hex(), "application_id": "1"},
    "telegram": {"secret_token": "of-telegram", "bot_token": "1:a", "username": "reel_bot"},
    "events": {"signing_secret": "whsec_" + "ab12" * 16},
}
PAYLOADS = [
    (path.name.partition("_")[0], json.loads(path.read_text()))
    for path in sorted((ROOT / "tests/events/chat").glob("*.json"))
]
Headers = dict[str, str]


def _slack(body: bytes, at: int) -> Headers:
    signed = f"v0:{at}:".encode() + body
    digest = hmac.new(b"of slack", signed, "sha256").hexdigest()
    return {"x-slack-request-timestamp": str(at), "x-slack-signature": f"v0={digest}"}


def _discord(body: bytes, at: int) -> Headers:
    signature = _KEY.sign(str(at).encode() + body).signature.hex()
    return {"x-signature-timestamp": str(at), "x-signature-ed25519": signature}


def _telegram(body: bytes, at: int) -> Headers:
    return {"x-telegram-bot-api-secret-token": "of-telegram"}


def _events(body: bytes, at: int) -> Headers:
    signature = sign_standard_webhooks(SECTIONS["events"]["signing_secret"], "msg_1", at, body)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at),
        "webhook-signature": signature,
    }


SIGN: dict[str, Callable[[bytes, int], Headers]] = {
    "slack": _slack,
    "discord": _discord,
    "telegram": _telegram,
    "events": _events,
}


def signed(platform: str, body: bytes, at: datetime = NOON) -> Headers:
    """The headers with which the platform would sign the body."""
    return SIGN[platform](body, int(at.timestamp()))


@st.composite
def chat_events(draw: st.DrawFn) -> dict[str, Any]:
    """An event of the HTTP API for `POST /chat/{platform}`."""
    platform, payload = draw(st.sampled_from(PAYLOADS))
    headers: Headers = dict(payload["headers"])
    body = _changed(draw, payload["body"]) if draw(st.integers(0, 3)) else payload["body"].encode()
    if draw(st.integers(0, 3)):
        headers |= signed(platform, body)
    headers |= draw(st.dictionaries(st.sampled_from([*headers, "x"]), text, max_size=1))
    encoded = draw(st.integers(0, 4)) == 0
    try:
        shown = body.decode()
    except UnicodeDecodeError:
        shown, encoded = "", True
    named = platform if draw(st.integers(0, 9)) else draw(text)
    return {
        "version": "2.0",
        "routeKey": "POST /chat/{platform}",
        "rawPath": f"/chat/{named}",
        "headers": {"host": "api.test", **headers},
        "requestContext": {
            "domainName": "api.test",
            "http": {"method": "POST", "path": f"/chat/{named}", "sourceIp": "203.0.113.7"},
            "stage": "$default",
        },
        "pathParameters": {"platform": named},
        "body": base64.b64encode(body).decode() if encoded else shown,
        "isBase64Encoded": encoded,
    }


def _changed(draw: st.DrawFn, body: str) -> bytes:
    """The body with a part of it replaced, taken away or spoilt."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=60) | nasty.map(lambda it: it.encode(errors="replace")))
    if body.startswith("{"):
        return _spoilt(draw, json.loads(body))
    form = dict(parse_qsl(body))
    name = draw(st.sampled_from(sorted(form)))
    if name == "payload":
        form[name] = _spoilt(draw, json.loads(form[name])).decode(errors="replace")
    else:
        form[name] = draw(text).encode(errors="replace").decode()
    return urlencode(form).encode()


def _spoilt(draw: st.DrawFn, document: Any) -> bytes:
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        part = document
        while True:
            names = list(part) if isinstance(part, dict) else list(range(len(part)))
            if not names:
                break
            name = draw(st.sampled_from(names))
            if isinstance(part[name], dict | list) and part[name] and draw(st.integers(0, 3)):
                part = part[name]
                continue
            if isinstance(part, dict) and draw(st.booleans()):
                del part[name]
            else:
                part[name] = draw(values)
            break
    return json.dumps(document).encode()
