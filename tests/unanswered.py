"""A request that the provider did not answer: its record, its document, and what comes of it."""

from __future__ import annotations

from typing import Any

from actionreel import endings
from actionreel.models import Recovery, VideoJob
from actionreel.reconciliation import reconcile
from tests.fakes import FENCE, FakeServices, a_job, at, record

CAUGHT = {"Error": "Sandbox.Timedout", "Cause": "the function was cut off"}
UNKNOWN = ("unknown", True)


def told(**changes: Any) -> VideoJob:
    """The document in which Create itself tells that nobody knows what became of its request."""
    return a_job(**{"status": "ambiguous", "fence": FENCE, "wait_seconds": 1, **changes})


def cut_off(**changes: Any) -> VideoJob:
    """The document as Create got it, and what the state machine caught of it."""
    return a_job(**{"caught": CAUGHT, **changes})


def unanswered(recovery: Recovery, **changes: Any) -> FakeServices:
    """A request was sent at noon, and nothing was heard of it."""
    services = at("submitting", **changes)
    services.studio.recovery = recovery
    return services


def looked_to_the_end(job: VideoJob, services: FakeServices) -> VideoJob:
    """Reconciles until there is something else to do, and waits as the document says."""
    job = reconcile(job, services)
    while job.status == "ambiguous":
        services.wait(job.wait_seconds or 0)
        job = reconcile(job, services)
    return job


def ended(job: VideoJob, services: FakeServices) -> tuple[str, bool]:
    """How the record ends, and whether it may have been charged."""
    endings.fail(job, services)
    failure = record(services, job.video_id).failure
    return record(services, job.video_id).status, bool(failure and failure.maybe_charged)
