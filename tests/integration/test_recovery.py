"""What a video survives, and what can be done about one: through the running stack."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import httpx
import pytest
from uuid6 import uuid7

from actionreel import bootstrap
from actionreel.models import Video
from local.events import LOOK_SECONDS
from local.lambdas import Answer, InProcess
from local.stack import STUDIO_KEY, Stack
from tests.conftest import (
    GIVE_UP_SECONDS,
    act,
    ended,
    executions,
    state_machine,
    studio_jobs,
)


def asked_for(api: httpx.Client, prompt: str) -> str:
    """Asks for a video; its id."""
    [result] = act(api, f'<createAIVideo>{{"prompt": "{prompt}"}}</createAIVideo>')
    video_id: str = result["data"]["videoId"]
    return video_id


def last_result(api: httpx.Client, video_id: str) -> dict[str, Any]:
    poll = f'<continueVideoPolling>{{"videoId": "{video_id}"}}</continueVideoPolling>'
    return ended(api, act(api, poll)[0])


def record_when(
    api: httpx.Client, video_id: str, found: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The record, as soon as it is as it should be."""
    until = time.monotonic() + GIVE_UP_SECONDS
    while True:
        record: dict[str, Any] = api.get(f"/videos/{video_id}").json()
        if found(record):
            return record
        assert time.monotonic() < until, record
        time.sleep(0.2)


def jobs_for(stack: Stack, prompt: str) -> list[dict[str, Any]]:
    return [job for job in studio_jobs(stack) if job["prompt"] == prompt]


CRASHES = ["CreateVideo", "ReconcileVideo", "PollVideo", "StoreVideo"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("task", CRASHES)
def test_a_function_that_is_killed(
    api: httpx.Client, stack: Stack, monkeypatch: pytest.MonkeyPatch, task: str, after: bool
) -> None:
    """Lambda kills it before it has done anything, or when all is done but nothing was said."""
    lost_answer = "[created:drop] " if task == "ReconcileVideo" else ""
    prompt = f"{lost_answer}killed {'after' if after else 'before'} {task}"
    invoke = InProcess.invoke
    killed: list[str] = []

    def invoke_and_kill(self: InProcess, name: str, payload: bytes) -> Answer:
        mine = name == f"{task}Function" and json.loads(payload)["request"]["prompt"] == prompt
        if not mine or killed:
            return invoke(self, name, payload)
        killed.append(name)
        if after:
            invoke(self, name, payload)
        crash = {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out"}
        return Answer(json.dumps(crash).encode(), failed=True)

    monkeypatch.setattr(InProcess, "invoke", invoke_and_kill)
    result = last_result(api, asked_for(api, prompt))
    assert killed
    assert result["type"] == "CHAT_VIDEO", result
    assert len(jobs_for(stack, prompt)) == 1


def test_an_execution_that_never_began(api: httpx.Client, stack: Stack) -> None:
    """The API was cut off between the record and StartExecution: the sweep starts it."""
    video = waiting_video("never began")
    bootstrap.services().videos.add("default", [video], None)
    assert last_result(api, video.video_id)["type"] == "CHAT_VIDEO"
    assert len(jobs_for(stack, "never began")) == 1


def test_an_execution_that_died(api: httpx.Client, stack: Stack) -> None:
    """Of something that no Catch takes, after the provider had accepted: another one goes on."""
    prompt = "its execution died"
    handle = {"id": made_by_hand(stack, prompt)}
    now = datetime.now(UTC)
    video = waiting_video(
        prompt, status="generating", handle=handle, submitted_at=now, fence="of the dead one"
    )
    start_and_stop_execution(video.video_id)
    time.sleep(2 * LOOK_SECONDS)  # its event finds no record yet, as if it had never come
    bootstrap.services().videos.add("default", [video], None)
    assert last_result(api, video.video_id)["type"] == "CHAT_VIDEO"
    assert len(jobs_for(stack, prompt)) == 1
    assert f"{video.video_id}-1" in [execution["name"] for execution in executions()]


def test_an_execution_that_somebody_stopped(api: httpx.Client, stack: Stack) -> None:
    video_id = asked_for(api, "[stuck] stopped by an operator")
    record_when(api, video_id, lambda record: record["status"] == "generating")
    [execution] = [each for each in executions() if each["name"] == video_id]
    boto3.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    record = record_when(api, video_id, lambda record: record["error"] is not None)
    assert (record["status"], record["maybeCharged"]) == ("unknown", True)
    assert record["error"]["code"] == "internal"


def test_cancelling(api: httpx.Client, stack: Stack) -> None:
    prompt = "[stuck] to be cancelled"
    video_id = asked_for(api, prompt)
    record_when(api, video_id, lambda record: record["status"] == "generating")
    done = api.delete(f"/videos/{video_id}")
    assert done.status_code == 200
    assert done.json()["outcome"] == "cancelled"
    assert done.json()["video"]["status"] == "cancelled"
    assert done.json()["video"]["maybeCharged"] is True
    assert jobs_for(stack, prompt) == []
    assert last_result(api, video_id)["code"] == "cancelled"
    assert api.delete(f"/videos/{video_id}").json()["outcome"] == "cancelled"


def test_what_cannot_be_cancelled(api: httpx.Client) -> None:
    video_id = asked_for(api, "[stuck] goes on [cancel:unsupported*1]")
    record_when(api, video_id, lambda record: record["status"] == "generating")
    assert api.delete(f"/videos/{video_id}").json()["outcome"] == "unsupported"
    assert api.delete(f"/videos/{video_id}").json()["outcome"] == "cancelled"
    made = asked_for(api, "made before anybody cancels it")
    assert last_result(api, made)["type"] == "CHAT_VIDEO"
    assert api.delete(f"/videos/{made}").json()["outcome"] == "too_late"
    assert api.delete(f"/videos/{uuid7()}").status_code == 404


def test_trying_again(api: httpx.Client, stack: Stack) -> None:
    prompt = "[create:402*1] tried again"
    video_id = asked_for(api, prompt)
    assert last_result(api, video_id)["code"] == "quota"
    first, second = (api.post(f"/videos/{video_id}/retry") for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    retried = first.json()["videoId"]
    assert second.json()["videoId"] == retried
    assert first.json()["retryOf"] == video_id
    assert api.get(f"/videos/{video_id}").json()["retriedAs"] == retried
    assert last_result(api, retried)["type"] == "CHAT_VIDEO"
    assert len(jobs_for(stack, prompt)) == 1
    made = api.post(f"/videos/{retried}/retry")
    assert (made.status_code, made.json()["code"]) == (409, "nothing_to_retry")


def test_trying_again_what_may_have_been_charged(api: httpx.Client, stack: Stack) -> None:
    made_by_hand(stack, "an empty list would prove nothing")
    video_id = asked_for(api, "[create:500*2] perhaps charged")
    assert last_result(api, video_id)["code"] == "outcome_unknown"
    for body in ({}, {"acceptDoubleCharge": False}):
        refused = api.post(f"/videos/{video_id}/retry", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "may_be_charged")
    again = api.post(f"/videos/{video_id}/retry", json={"acceptDoubleCharge": True})
    assert again.status_code == 202
    assert last_result(api, again.json()["videoId"])["type"] == "CHAT_VIDEO"


def waiting_video(prompt: str, **changes: Any) -> Video:
    """A record as the API writes it, of which nobody has heard for long."""
    now = datetime.now(UTC)
    fields = {
        "tenant": "default",
        "video_id": str(uuid7()),
        "prompt": prompt,
        "model": "studio",
        "provider": "openai_videos",
        "seconds": 4,
        "size": "1280x720",
        "created_at": now,
        "next_check_at": now - timedelta(minutes=30),
    }
    return Video.model_validate({**fields, **changes})


def made_by_hand(stack: Stack, prompt: str) -> str:
    """A job that the provider has made; its id."""
    made: dict[str, Any] = httpx.post(
        f"{stack.provider_url}/videos",
        json={"prompt": prompt, "model": "studio", "seconds": "4", "size": "1280x720"},
        headers={"Authorization": f"Bearer {STUDIO_KEY}"},
    ).json()
    return str(made["id"])


def start_and_stop_execution(name: str) -> None:
    """An execution of that name that has asked for nothing and is over."""
    states = boto3.client("stepfunctions")
    begun = states.start_execution(stateMachineArn=state_machine(), name=name, input="{}")
    arn = begun["executionArn"]
    until = time.monotonic() + GIVE_UP_SECONDS
    while not states.get_execution_history(executionArn=arn)["events"]:
        assert time.monotonic() < until, "an execution that does not begin"
        time.sleep(0.05)
    states.stop_execution(executionArn=arn)
