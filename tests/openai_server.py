"""A server of the OpenAI Videos protocol for the adapter: its answers, and what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from actionreel.errors import ActionreelError
from actionreel.models import Handle, Recovery, VideoRequest
from actionreel.orders import Offer, Order
from actionreel.providers.http_api import Key
from actionreel.providers.openai_videos import DIALECTS, OpenAIVideos

KEY = "sk-a-key-that-nobody-may-see"
BASE = "https://provider.test/v1"
HANDLE: Handle = {"id": "video_68f0a1b2c3d4"}
ORDER = Order(
    VideoRequest(prompt="a paper boat", model="our-name-for-it", seconds=8, size="1280x720"),
    Offer(provider="openai_videos", name="sora-2"),
    "the video's id",
)

# Bodies as the servers send them: OpenAI's, and those of servers that are compatible with it.
VIDEO = {
    "id": "video_68f0a1b2c3d4",
    "object": "video",
    "model": "sora-2",
    "status": "queued",
    "progress": 0,
    "created_at": 1795305600,
    "completed_at": None,
    "expires_at": None,
    "seconds": "8",
    "size": "1280x720",
    "prompt": "A paper boat on a canal",
    "remixed_from_video_id": None,
    "error": None,
}
RUNNING = VIDEO | {"status": "in_progress", "progress": 42}
COMPLETED = VIDEO | {
    "status": "completed",
    "progress": 100,
    "completed_at": 1795305742,
    "expires_at": 1795309342,
}
FAILED = VIDEO | {
    "status": "failed",
    "progress": 17,
    "error": {
        "code": "moderation_blocked",
        "message": "The request was rejected by the safety system.",
    },
}


def error_body(message: str, kind: str | None = None, code: Any = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


INVALID = error_body("Invalid value for seconds.", "invalid_request_error", "invalid_value")
QUOTA = error_body("You exceeded your quota.", "insufficient_quota", "insufficient_quota")
NO_MODEL = error_body("The model does not exist.", "invalid_request_error", "model_not_found")
LIMIT = error_body("Rate limit reached for deployment", "throttling_error", "429")
BUDGET = error_body("Budget has been exceeded!", "budget_exceeded", "400")
POLICY = error_body("Refused.", "image_generation_user_error", "content_policy_violation")
DETAIL = {"detail": [{"type": "missing", "loc": ["body", "prompt"], "msg": "Field required"}]}

Body = Any  # bytes as they are, anything else as JSON
Answer = Callable[[httpx.Request], httpx.Response]


def answer(status: int, body: Body = b"", **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(status, stream=httpx.ByteStream(content), headers=named)


def trouble(error: type[httpx.HTTPError]) -> Answer:
    def raising(request: httpx.Request) -> httpx.Response:
        raise error(f"with {request.headers['authorization']}")

    return raising


def given(key: str) -> Key:
    """A key that nobody changes."""

    def give(*, fresh: bool = False) -> str:
        return key

    return give


class Server(OpenAIVideos):
    """The adapter before a server that gives one answer, and keeps the requests."""

    def __init__(
        self,
        answer: Answer,
        base: str = BASE,
        key: Key | None = None,
        recovery: Recovery = "list",
        dialect: str = "openai",
        webhooks: bool = False,
    ) -> None:
        self.requests: list[httpx.Request] = []

        def handle(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return answer(request)

        client = httpx.Client(transport=httpx.MockTransport(handle))
        super().__init__(base, key or given(KEY), recovery, client, DIALECTS[dialect], webhooks)


def raised(call: Callable[[], Any]) -> ActionreelError:
    """The error of ours that the call raises, in which the key must not stand."""
    with pytest.raises(ActionreelError) as caught:
        call()
    assert KEY not in str(caught.value)
    assert str(caught.value)
    return caught.value


def one_after_the_other(*answers: Answer) -> Answer:
    """An answer for each request; one more would be an error."""
    left = iter(answers)
    return lambda request: next(left)(request)


TROUBLES = [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError]
