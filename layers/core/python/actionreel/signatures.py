"""How providers and chat platforms sign their requests. Pure: the time and the keys are arguments.

Each function says whether a body was signed by whoever holds the secret, at most five minutes
before or after `now`. Whatever a stranger sends, the answer is True or False and never an
exception. Headers have lower-case names; the body is the bytes as they came.

Sources: the Standard Webhooks specification, 1.0.0; OpenRouter's guide to video webhooks; fal's
guide to webhooks; https://www.rfc-editor.org/rfc/rfc8037 for the form of fal's keys; Slack's guide
to verifying requests (docs.slack.dev/authentication); Discord's guide to interactions
(discord.com/developers/docs/interactions/overview); Telegram's Bot API (core.telegram.org/bots/api,
setWebhook).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

TOLERANCE_SECONDS = 300
_MAX_KEYS = 20  # of a key set that are tried

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_ED25519_SIGNATURE = re.compile(r"[0-9a-f]{128}")
_ED25519_KEY_BYTES = 32
_TELEGRAM_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


def standard_webhooks(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """The scheme of standardwebhooks.com, which OpenAI and Replicate use.

    `secret` is base64, with or without `whsec_` in front. One of several signatures is enough:
    while a secret is exchanged for another, both sign.
    """
    message_id, sent_at, signatures = _texts(
        headers, "webhook-id", "webhook-timestamp", "webhook-signature"
    )
    key = _base64(secret.removeprefix("whsec_"))
    if not (key and message_id and signatures and _is_recent(sent_at, now)):
        return False
    expected = _standard_signature(key, message_id, sent_at, body)
    return _is_among(expected, signatures.split(" "))


def sign_standard_webhooks(secret: str, message_id: str, sent_at: int, body: bytes) -> str:
    """The signature of a message of ours in that scheme; `sent_at` is in seconds since 1970."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return _standard_signature(key, message_id, str(sent_at), body).decode()


def _standard_signature(key: bytes, message_id: str, sent_at: str, body: bytes) -> bytes:
    signed = f"{message_id}.{sent_at}.".encode() + body
    return b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256"))


def openrouter(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """OpenRouter's scheme: `t=<unix seconds>,v1=<hex>`, over the time, a comma and the body."""
    [signature] = _texts(headers, "x-openrouter-signature")
    sent_at, *signatures = signature.split(",")
    if not (secret and sent_at.startswith("t=") and _is_recent(sent_at[2:], now)):
        return False
    signed = f"{sent_at[2:]},".encode() + body
    key = secret.encode(errors="surrogatepass")
    expected = f"v1={hmac.new(key, signed, 'sha256').hexdigest()}".encode()
    return _is_among(expected, signatures)


def slack(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Slack's scheme: `v0=<hex>`, over the version, the time and the body, with colons between."""
    sent_at, signature = _texts(headers, "x-slack-request-timestamp", "x-slack-signature")
    if not (secret and signature and _is_recent(sent_at, now)):
        return False
    signed = f"v0:{sent_at}:".encode() + body
    key = secret.encode(errors="surrogatepass")
    expected = f"v0={hmac.new(key, signed, 'sha256').hexdigest()}".encode()
    return _is_among(expected, [signature])


def fal(key_set: Any, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """fal's scheme: Ed25519 over request id, user id, time and the body's digest, one a line.

    `key_set` is fal's JSON Web Key Set as it was read; each of its keys is tried.
    """
    request_id, user_id, sent_at, signature = _texts(
        headers,
        "x-fal-webhook-request-id",
        "x-fal-webhook-user-id",
        "x-fal-webhook-timestamp",
        "x-fal-webhook-signature",
    )
    if not (request_id and user_id and _is_recent(sent_at, now)):
        return False
    if not _ED25519_SIGNATURE.fullmatch(signature):
        return False
    # Not at the top: only who checks such a signature carries the library.
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    digest = hashlib.sha256(body).hexdigest()
    signed = "\n".join((request_id, user_id, sent_at, digest)).encode()
    for key in _ed25519_keys(key_set):
        try:
            VerifyKey(key).verify(signed, bytes.fromhex(signature))
            return True
        except BadSignatureError:
            continue
    return False


def discord(public_key: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Discord's scheme: Ed25519 over the time and the body, with the application's key.

    `public_key` is that of the developer portal, 64 hexadecimal digits in small letters.
    """
    sent_at, signature = _texts(headers, "x-signature-timestamp", "x-signature-ed25519")
    if not (_ED25519_KEY.fullmatch(public_key) and _is_recent(sent_at, now)):
        return False
    if not _ED25519_SIGNATURE.fullmatch(signature):
        return False
    from nacl.exceptions import BadSignatureError  # not at the top, as in `fal`
    from nacl.signing import VerifyKey

    try:
        VerifyKey(bytes.fromhex(public_key)).verify(
            sent_at.encode() + body, bytes.fromhex(signature)
        )
    except BadSignatureError:
        return False
    return True


_ED25519_KEY = re.compile(r"[0-9a-f]{64}")


def telegram(secret: str, headers: Mapping[str, str]) -> bool:
    """Telegram signs nothing: it sends back the secret that setWebhook told it. An old request is
    as good as a new one, and its `update_id` is known already."""
    [given] = _texts(headers, "x-telegram-bot-api-secret-token")
    if not _TELEGRAM_SECRET.fullmatch(secret):
        return False
    return _is_among(secret.encode(), [given])


def _texts(headers: Mapping[str, str], *names: str) -> tuple[str, ...]:
    """The headers' values, empty where one is not there or has more than plain ASCII in it."""
    found = (headers.get(name, "") for name in names)
    return tuple(text if text.isascii() and text.isprintable() else "" for text in found)


def _is_recent(sent_at: str, now: datetime) -> bool:
    if not _TIMESTAMP.fullmatch(sent_at):
        return False
    return abs(now.timestamp() - int(sent_at)) <= TOLERANCE_SECONDS


def _is_among(expected: bytes, signatures: list[str]) -> bool:
    """Whether a signature is one of those, in a time that tells nothing of how near they were."""
    matches = [hmac.compare_digest(expected, given.encode()) for given in signatures]
    return any(matches)


def _base64(text: str) -> bytes:
    """What the text stands for, empty if it is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _ed25519_keys(key_set: Any) -> Iterator[bytes]:
    """The public keys in a JSON Web Key Set; what is none of ours in it is passed over."""
    keys = key_set.get("keys") if isinstance(key_set, dict) else None
    for key in keys[:_MAX_KEYS] if isinstance(keys, list) else ():
        x = key.get("x") if isinstance(key, dict) else None
        if isinstance(x, str):
            found = _base64(x.replace("-", "+").replace("_", "/") + "=" * (-len(x) % 4))
            if len(found) == _ED25519_KEY_BYTES:
                yield found
