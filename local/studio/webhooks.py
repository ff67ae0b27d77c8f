"""The studio's webhooks: it calls one address whenever a job ends, and again if that went wrong.

The event names the job and nothing more, and is signed as the Standard Webhooks specification has
it. Source: OpenAI's guide to webhooks.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
import time
import urllib.error
import urllib.request

from local.studio.job import Job

PAUSES = (0.0, 0.5, 2.0, 5.0, 15.0)  # seconds before each attempt
ANSWER_SECONDS = 15.0


class Webhooks:
    """Calls `url`, until `closing` is set. `secret` is `whsec_` and base64."""

    def __init__(self, url: str, secret: str, closing: threading.Event) -> None:
        self._url = url
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._closing = closing

    def announce(self, job: Job) -> None:
        """Calls when the job has ended by its clock; returns at once. A deleted job is no news."""
        threading.Thread(target=self._announce, args=(job,), daemon=True).start()

    def _announce(self, job: Job) -> None:
        while job.status not in ("completed", "failed"):
            if self._closing.wait(max(0.01, job.created + job.pace - time.time())):
                return
        if job.deleted:
            return
        event = {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "created_at": int(time.time()),
            "type": f"video.{job.status}",
            "data": {"id": job.id},
        }
        body, message_id = json.dumps(event).encode(), f"wh_{secrets.token_hex(12)}"
        for pause in PAUSES:
            if self._closing.wait(pause) or self._send(message_id, body):
                return

    def _send(self, message_id: str, body: bytes) -> bool:
        """Whether it was taken: only a 2xx says so, a redirect does not."""
        sent_at = str(int(time.time()))
        signed = f"{message_id}.{sent_at}.".encode() + body
        signature = base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": sent_at,
            "webhook-signature": f"v1,{signature}",
        }
        request = urllib.request.Request(self._url, body, headers, method="POST")
        try:
            with _direct.open(request, timeout=ANSWER_SECONDS):
                return True
        except (urllib.error.HTTPError, OSError):  # another status, or nobody there
            return False


class _Stays(urllib.request.HTTPRedirectHandler):
    """Does not go where a redirect leads."""

    def redirect_request(self, *_: object) -> None:
        return None


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stays)
