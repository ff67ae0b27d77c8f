"""One video in a stack of its own, whose provider tells when it has ended, or does not."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import pytest

from actionreel import bootstrap
from local.stack import Stack
from tests.conftest import GIVE_UP_SECONDS, act, state_machine


@dataclass(frozen=True)
class Story:
    """How it went: the states of the execution, in order, and how many seconds passed between the
    end of the provider's job and the record's."""

    status: str
    states: list[str]
    late_seconds: float
    stranger: int  # the status of an answer to a webhook at an address that was made up


def story(webhooks: bool, wait_seconds: int | None) -> Story:
    """Makes a video. With `wait_seconds` every wait for the provider is that long.

    Has to run in a process that has no other stack.
    """
    with pytest.MonkeyPatch.context() as patch, Stack(webhooks=webhooks) as stack:
        if wait_seconds is not None:
            patch.setattr("actionreel.jobs.first_wait", lambda *_, **__: wait_seconds)
            patch.setattr("actionreel.jobs.next_wait", lambda *_: wait_seconds)
        with httpx.Client(base_url=stack.url, timeout=60) as api:
            stranger = api.post("/webhooks/openai_videos/made-up", content=b"{}").status_code
            [result] = act(api, '<createAIVideo>{"prompt": "a boat", "seconds": 4}</createAIVideo>')
        video_id = result["data"]["videoId"]
        until = time.monotonic() + GIVE_UP_SECONDS
        while (video := bootstrap.services().videos.get("default", video_id)) and video.is_open:
            if time.monotonic() > until:
                break
            time.sleep(0.02)
        assert video is not None
        studio: Any = vars(stack)["_studio"]
        [job] = studio._server.jobs.by_id.values()
        made = max(job.finished, job.created + job.pace)
        ended = video.completed_at.timestamp() if video.completed_at else float("inf")
        return Story(video.status, _states(), ended - made, stranger)


def _states() -> list[str]:
    """The states that the one execution has entered by now."""
    client = boto3.client("stepfunctions")
    [execution] = client.list_executions(stateMachineArn=state_machine())["executions"]
    events = client.get_execution_history(executionArn=execution["executionArn"])["events"]
    entered = [event.get("stateEnteredEventDetails") for event in events]
    return [state["name"] for state in entered if state]
