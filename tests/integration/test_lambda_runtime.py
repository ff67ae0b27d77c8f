"""Every function once under the real Lambda runtime: its interface client, its emulator.

The story of one video is told with the events of tests/events, one function after the other, each
in a process of its own with only the environment that Lambda would give it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from actionreel import bootstrap
from actionreel.models import Place, Video
from actionreel.webhook_tokens import deployment_token
from local.stack import Stack
from local.template import ROOT
from tests.conftest import GIVE_UP_SECONDS
from tests.lambda_runtime import Runtime

EVENTS = ROOT / "tests/events"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the emulator runs on Linux")

Invoke = Callable[[str, dict[str, Any]], Any]


@pytest.fixture(scope="module")
def invoke(stack: Stack) -> Iterator[Invoke]:
    """Calls a function of the template under the real runtime."""
    running: dict[str, Runtime] = {}

    def call(name: str, event: dict[str, Any]) -> Any:
        if name not in running:
            running[name] = Runtime(name, stack)
        return httpx.post(running[name].url, json=event, timeout=60).json()

    yield call
    for runtime in running.values():
        runtime.stop()


def event(name: str, **changes: Any) -> dict[str, Any]:
    """The event of that file, for the model that there is at home."""
    content: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    if "request" in content:
        request = content["request"] | {"model": "studio"}
        content |= {"provider": "openai_videos", "request": request}
    return content | changes


def put_record(of: dict[str, Any], **changes: Any) -> None:
    """The record that the function expects to find."""
    services = bootstrap.services()
    video = Video(
        tenant=of["tenant"],
        video_id=of["video_id"],
        provider="openai_videos",
        created_at=services.now(),
        **of["request"],
        **changes,
    )
    services.videos.add(video.tenant, [video], None)


def test_create_poll_and_store(invoke: Invoke) -> None:
    put_record(event("create_video"))
    job = invoke("CreateVideoFunction", event("create_video"))
    assert job["status"] == "pending", job
    assert job["handle"]["id"].startswith("video_")
    job = polled(invoke, job)
    assert job["status"] == "completed", job
    done = invoke("StoreVideoFunction", job)
    assert done["status"] == "stored", done
    video = bootstrap.services().videos.get("default", job["video_id"])
    assert video is not None
    assert (video.status, video.poster_key is not None) == ("completed", True)
    assert video.bytes and video.bytes > 10_000


def polled(invoke: Invoke, job: dict[str, Any]) -> dict[str, Any]:
    """The document when the provider has done with the job."""
    until = time.monotonic() + GIVE_UP_SECONDS
    while job["status"] == "pending" and time.monotonic() < until:
        time.sleep(job["wait_seconds"])
        job = invoke("PollVideoFunction", job)
    return job


def another(name: str, number: int, prompt: str) -> dict[str, Any]:
    """The event of another video."""
    request = {"prompt": prompt, "model": "studio", "seconds": 4, "size": "1280x720"}
    video_id = f"0199f3a0-0000-7000-8000-00000000010{number}"
    return event(name, video_id=video_id, request=request)


def test_reconcile(invoke: Invoke) -> None:
    job = another("create_video", 1, "[created:drop] under the real runtime")
    put_record(job)
    job = invoke("CreateVideoFunction", job)
    assert job["status"] == "ambiguous", job
    job = invoke("ReconcileVideoFunction", job)
    assert job["status"] == "pending", job
    assert job["handle"]["id"].startswith("video_")


def test_fail(invoke: Invoke) -> None:
    put_record(event("fail_video"))
    job = invoke("FailVideoFunction", event("fail_video"))
    assert job["failure"]["code"] == "rate_limited"


def test_errors_keep_the_name_that_the_state_machine_matches(invoke: Invoke) -> None:
    job = another("create_video", 2, "[instant] [content:html] under the real runtime")
    put_record(job)
    job = polled(invoke, invoke("CreateVideoFunction", job))
    error = invoke("StoreVideoFunction", job)
    assert error["errorType"] == "AssetUnusableError"


def of_its_own(name: str, number: int) -> dict[str, Any]:
    """The event, about a video that no other test has."""
    text = (EVENTS / f"{name}.json").read_text()
    return dict(json.loads(text.replace("-000000000001", f"-00000000020{number}")))


def test_an_execution_that_ended(invoke: Invoke) -> None:
    ended = of_its_own("close_video", 1)
    job = json.loads(ended["detail"]["input"])
    put_record(job)
    assert invoke("CloseVideoFunction", ended) is None
    video = bootstrap.services().videos.get(job["tenant"], job["video_id"])
    assert video is not None
    assert video.resumes == 1


def test_sweep(invoke: Invoke) -> None:
    answer = invoke("SweepVideosFunction", event("sweep_videos"))
    assert answer.keys() == {"overdue"}, answer  # how many other tests have left lying about


def test_cancel(invoke: Invoke) -> None:
    put_record(of_its_own("create_video", 2))
    answer = invoke("CancelVideoFunction", of_its_own("cancel_video", 2))
    assert (answer["statusCode"], json.loads(answer["body"])["outcome"]) == (200, "cancelled")


def test_api(invoke: Invoke) -> None:
    answer = invoke("ApiFunction", event("api"))
    [result] = json.loads(answer["body"])["results"]
    assert (answer["statusCode"], result["type"]) == (200, "VIDEO_PENDING")


def test_mcp(invoke: Invoke) -> None:
    """The protocol's library is there, and what it needs of ours."""
    answer = invoke("McpFunction", event("mcp"))
    result = json.loads(answer["body"])["result"]
    assert (answer["statusCode"], result["isError"]) == (200, False)
    assert "videos" in result["structuredContent"]


def test_webhook(invoke: Invoke) -> None:
    """Of an address that nobody was given; and of ours, with a signature that is too old."""
    told = event("webhook")
    assert invoke("WebhookFunction", told)["statusCode"] == 404
    token = deployment_token(bootstrap.services().webhook_key(), "openai_videos")
    told["pathParameters"]["token"] = token
    assert invoke("WebhookFunction", told)["statusCode"] == 401


def test_chat(invoke: Invoke, stack: Stack) -> None:
    """A stranger is refused; the platform is heard, and an execution answers."""
    told = event("chat")
    assert invoke("ChatFunction", told)["statusCode"] == 401
    section = stack.platforms["telegram"].section
    told["headers"]["x-telegram-bot-api-secret-token"] = section["secret_token"]
    assert invoke("ChatFunction", told) == {"statusCode": 200}


def test_answer_message(invoke: Invoke) -> None:
    assert invoke("AnswerMessageFunction", event("answer_message")) == {}  # there is no such turn


def test_deliver_result(invoke: Invoke, stack: Stack) -> None:
    told = of_its_own("deliver_result", 3)
    put_record(
        told, status="failed", delivery="owed", place=Place(platform="slack", channel="C0LOCAL001")
    )
    assert "tell" not in invoke("DeliverResultFunction", told)
    video = bootstrap.services().videos.get(told["tenant"], told["video_id"])
    assert video is not None
    assert (video.delivery, video.delivery_reason) == ("delivered", None)


def test_web(invoke: Invoke) -> None:
    answer = invoke("WebFunction", event("web"))
    assert answer["statusCode"] == 200
    assert "Actionreel" in answer["body"]
