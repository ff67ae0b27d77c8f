"""Programs that send messages for a chat themselves: a secret to sign with, and an example.

Source: the Standard Webhooks specification, 1.0.0.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time

from local.chat_setup.api import call
from local.chat_setup.walk import Section, SetupError, Walk

_KEY_BYTES = 32
_MIN_KEY_BYTES = 24  # the specification's

# The secret is in a variable, which no list of processes shows, and not on a line of the history.
EXAMPLE = r"""
export SIGNING_SECRET="$(aws secretsmanager get-secret-value --secret-id '{secret}' \
  --query SecretString --output text |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["events"]["signing_secret"])')"
id="msg_$(date +%s)" sent_at="$(date +%s)"
body='{{"text": "<createAIVideo>{{\"prompt\": \"a paper boat\"}}</createAIVideo>",
  "to": {{"platform": "slack", "channel": "C0123456789"}}}}'
signature="$(printf '%s.%s.%s' "$id" "$sent_at" "$body" | python3 -c '
import base64, hmac, os, sys
key = base64.b64decode(os.environ["SIGNING_SECRET"].removeprefix("whsec_"))
print(base64.b64encode(hmac.digest(key, sys.stdin.buffer.read(), "sha256")).decode())')"
curl -sS '{url}/chat/events' -H 'Content-Type: application/json' -H "webhook-id: $id" \
  -H "webhook-timestamp: $sent_at" -H "webhook-signature: v1,$signature" --data-raw "$body"
"""


def collect(walk: Walk, held: Section) -> Section:
    """See Platform. A secret that is there stays; the environment may have another one."""
    said = walk.terminal.environment.get("EVENTS_SIGNING_SECRET", "").strip()
    secret = said or held.get("signing_secret", "")
    if not secret and not walk.stored:
        raise SetupError("There is no EVENTS_SIGNING_SECRET, and no STACK to put a new one into.")
    if not secret:
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    if len(_key(secret)) < _MIN_KEY_BYTES:
        raise SetupError("A signing secret is whsec_ and the base64 of 24 bytes or more.")
    return {**held, "signing_secret": secret}


def connect(walk: Walk, section: Section) -> None:
    """See Platform."""
    if walk.stored:
        waiting = "Waiting for the deployment to know the secret"
        if wrong := walk.until_right(lambda: _probe(walk, section), waiting):
            raise SetupError(wrong)
    walk.terminal.say("A program sends a model's message like this:")
    name = walk.secret_name or "NAME"
    walk.terminal.say(EXAMPLE.format(secret=name, url=walk.url))


def check(walk: Walk, section: Section) -> list[str]:
    """See Platform."""
    if len(_key(section.get("signing_secret", ""))) < _MIN_KEY_BYTES:
        return ["The section has no signing_secret of 24 bytes or more."]
    if wrong := _probe(walk, section):
        return [wrong]
    walk.terminal.say("The deployment takes in what is signed with the signing secret.")
    return []


def _probe(walk: Walk, section: Section) -> str | None:
    """Sends a message that says nothing, so that nothing comes of it: whoever believes its
    signature refuses its body. What is wrong, if anything."""
    body, message_id, sent_at = b"{}", f"check_{secrets.token_hex(8)}", str(int(time.time()))
    signed = f"{message_id}.{sent_at}.".encode() + body
    signature = hmac.digest(_key(section["signing_secret"]), signed, "sha256")
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": sent_at,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
    url = f"{walk.url}/chat/events"
    try:
        answer = call("The deployment", "POST", url, content=body, headers=headers)
    except SetupError as error:
        return str(error)
    if answer.status == 401:
        return "The deployment does not know this signing secret, or not yet."
    if answer.status == 400 and answer.get("code") == "unreadable":
        return None
    return f"{url} answers something else than Actionreel does (HTTP {answer.status})."


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return b""
