"""The document that goes through the state machine: its size, and its bytes."""

from __future__ import annotations

import json
from decimal import Decimal

from actionreel.errors import ActionreelError
from actionreel.models import Failure, VideoJob, VideoRequest
from tests.fakes import REFUSED, a_video, generating


def test_the_document_stays_far_below_the_limit_of_the_engine() -> None:
    """256 KiB, with the longest of everything that an outsider can make long."""
    request = VideoRequest(
        prompt="🚤" * 4000, model="sora-2", seconds=12, input_reference_url="https://" + "a" * 2040
    )
    reason = ActionreelError("🚤" * 300)
    job = generating(
        request=request,
        handle={"id": "v" * 2000},
        trouble=str(reason),
        failure=Failure(code="timeout", message=str(reason)),
        caught={"Error": "AssetIncompleteError", "Cause": "x" * 32768},
    )
    written = json.dumps(job.model_dump(mode="json", by_alias=True, exclude_none=True))
    assert len(written) < 128 * 1024


def test_the_document_is_the_same_bytes_after_a_round_trip() -> None:
    job = generating(
        took_seconds=142,
        cost_usd=Decimal("0.80"),
        failure=REFUSED,
        caught={"Error": "E", "Cause": "c"},
    )

    def write(document: VideoJob) -> str:
        return json.dumps(document.model_dump(mode="json", by_alias=True, exclude_none=True))

    again = VideoJob.model_validate(json.loads(write(job)))
    assert again == job
    assert write(again) == write(job)


def test_a_document_of_another_release_is_read() -> None:
    """Executions that run go on over a deployment, and back over a roll-back."""
    written = generating().model_dump(mode="json") | {"of_tomorrow": 1}
    assert VideoJob.model_validate(written) == generating()
    of_yesterday = {"status": "pending"} | {
        name: written[name]
        for name in ("tenant", "video_id", "request", "provider", "deadline_seconds")
    }
    assert VideoJob.model_validate(of_yesterday).fence is None


def test_an_execution_starts_with_the_same_bytes_however_far_its_video_has_come() -> None:
    """The engine takes a second start for the first one only if its input is the same."""
    first = a_video().job().model_dump_json()
    later = a_video(status="generating", resumes=2, fence="f", handle={"id": "v"}, progress=3)
    assert later.job().model_dump_json() == first
    assert later.execution == f"{later.video_id}-2"
    assert a_video().execution == later.video_id
