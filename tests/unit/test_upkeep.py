"""Videos that have lost their execution: resumed, closed with the truth, or left alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actionreel import deliveries, jobs, upkeep
from actionreel.errors import WorkflowError
from actionreel.models import Video
from actionreel.upkeep import (
    LEFT_ALONE,
    MAX_RESUMES,
    MAX_RESUMES_TO_TELL,
    OVERDUE_AFTER,
    START_WITHIN,
)
from tests.fake_chats import PLACE
from tests.fakes import (
    ENDED,
    FENCE,
    NOON,
    OPEN,
    REFUSED,
    VIDEO_ID,
    FakeServices,
    a_job,
    at,
    record,
)

LATE = OVERDUE_AFTER + timedelta(seconds=1)
OTHER = "0199f3a0-0000-7000-8000-000000000002"


def overdue(status: str, execution: str, **changes: Any) -> FakeServices:
    """A record without news since noon, whose execution is `running`, `ended` or `absent`."""
    services = at(status, **{"next_check_at": NOON, **changes})
    if execution != "absent":
        services.workflow.start(record(services))
    if execution == "ended":
        services.workflow.ended.add(record(services).execution)
    services.wait(LATE.total_seconds())
    services.log.clear()
    return services


def started(services: FakeServices) -> list[str]:
    return [video.execution for video in services.workflow.started]


def event(services: FakeServices, execution: str = VIDEO_ID, *, stopped: bool = False) -> None:
    upkeep.execution_ended("default", VIDEO_ID, execution, services, stopped=stopped)


# The end of an execution


@pytest.mark.parametrize("status", OPEN)
def test_an_execution_that_died_is_followed_by_another(status: str) -> None:
    services = at(status)
    event(services)
    assert started(services) == [f"{VIDEO_ID}-1"]
    assert (record(services).status, record(services).resumes) == (status, 1)


def test_the_next_execution_starts_from_nothing_but_the_record() -> None:
    services = at("submitting")
    event(services)
    [resumed] = services.workflow.started
    assert resumed.job() == a_job()
    assert jobs.create(resumed.job(), services).status == "ambiguous"
    assert services.studio.keys == []


@pytest.mark.parametrize("ending", ENDED)
@pytest.mark.parametrize("stopped", [False, True])
def test_the_end_of_an_execution_with_an_ending_is_no_news(ending: str, stopped: bool) -> None:
    services = at(ending, failure=REFUSED)
    before = record(services)
    event(services, stopped=stopped)
    assert (record(services), started(services)) == (before, [])


def test_the_end_of_an_execution_without_a_record_is_no_news() -> None:
    services = FakeServices()
    event(services)
    assert started(services) == []


def test_an_event_that_comes_twice_resumes_once() -> None:
    services = at("generating")
    event(services)
    event(services)
    assert started(services) == [f"{VIDEO_ID}-1"]


@pytest.mark.parametrize("execution", [VIDEO_ID, f"{VIDEO_ID}-1", f"{VIDEO_ID}-3", "another"])
@pytest.mark.parametrize("stopped", [False, True])
def test_an_event_of_another_execution_is_no_news(execution: str, stopped: bool) -> None:
    services = at("generating", resumes=2)
    event(services, execution, stopped=stopped)
    assert (record(services).status, record(services).resumes) == ("generating", 2)
    assert started(services) == []


def test_the_third_execution_in_place_of_a_dead_one_is_the_last() -> None:
    services = at("generating")
    for number in range(MAX_RESUMES):
        event(services, f"{VIDEO_ID}-{number}" if number else VIDEO_ID)
    event(services, f"{VIDEO_ID}-{MAX_RESUMES}")
    assert started(services) == [f"{VIDEO_ID}-{n}" for n in range(1, MAX_RESUMES + 1)]
    assert record(services).status == "unknown"


@pytest.mark.parametrize(
    ("status", "ending", "code"),
    [
        ("queued", "failed", "internal"),
        ("submitting", "unknown", "outcome_unknown"),
        ("generating", "unknown", "internal"),
        ("storing", "unknown", "storage"),
    ],
)
def test_what_somebody_stopped_is_closed_with_the_truth(
    status: str, ending: str, code: str
) -> None:
    services = at(status)
    event(services, stopped=True)
    failure = record(services).failure
    assert failure is not None
    assert (record(services).status, failure.code) == (ending, code)
    assert failure.maybe_charged == (ending == "unknown")
    assert started(services) == []


def test_what_was_stopped_after_a_request_that_nobody_can_tell_of_is_unknown() -> None:
    services = at("queued", ambiguous=True)
    event(services, stopped=True)
    assert record(services).status == "unknown"


def test_two_who_resume_at_once_start_one_execution() -> None:
    services = at("generating")

    def another(*_: object) -> None:
        services.videos.before = lambda *_: None
        event(services)

    services.videos.before = another
    event(services)
    assert started(services) == [f"{VIDEO_ID}-1"]


def test_an_execution_that_cannot_be_resumed_now_is_the_next_sweep_s() -> None:
    services = overdue("generating", "ended")
    services.workflow.trouble = WorkflowError("no")
    event(services)
    assert (record(services).status, record(services).resumes) == ("generating", 1)
    services.workflow.trouble = None
    upkeep.sweep(services)
    assert started(services)[1:] == [f"{VIDEO_ID}-1"]
    assert record(services).resumes == 1


# The sweep


@pytest.mark.parametrize("status", OPEN)
def test_an_execution_that_lives_is_left_alone_for_a_while(status: str) -> None:
    services = overdue(status, "running")
    assert upkeep.sweep(services) == 1
    assert record(services).next_check_at == services.clock + LEFT_ALONE
    assert (record(services).status, services.log) == (status, [])
    assert upkeep.sweep(services) == 0


@pytest.mark.parametrize("status", OPEN)
def test_a_video_whose_execution_ended_unheard_is_resumed(status: str) -> None:
    services = overdue(status, "ended")
    assert upkeep.sweep(services) == 1
    assert started(services)[1:] == [f"{VIDEO_ID}-1"]
    assert (record(services).status, record(services).resumes) == (status, 1)


@pytest.mark.parametrize("status", OPEN)
def test_a_video_that_never_had_an_execution_gets_one(status: str) -> None:
    services = overdue(status, "absent")
    upkeep.sweep(services)
    assert started(services) == [VIDEO_ID]
    assert record(services).next_check_at == services.clock + LEFT_ALONE
    assert record(services).resumes == 0


def test_a_video_that_could_not_be_started_for_an_hour_is_closed() -> None:
    services = overdue("queued", "absent", created_at=NOON - START_WITHIN)
    upkeep.sweep(services)
    failure = record(services).failure
    assert failure is not None
    assert (record(services).status, failure.retryable, started(services)) == ("failed", True, [])


@pytest.mark.parametrize("status", ["submitting", "generating", "storing"])
def test_a_video_that_was_asked_for_is_never_too_old(status: str) -> None:
    services = overdue(status, "absent", created_at=NOON - timedelta(days=9))
    upkeep.sweep(services)
    assert (record(services).status, started(services)) == (status, [VIDEO_ID])


@pytest.mark.parametrize("status", OPEN)
def test_a_video_with_news_is_not_looked_at(status: str) -> None:
    services = overdue(status, "ended", next_check_at=NOON + timedelta(seconds=2))
    before = record(services)
    assert upkeep.sweep(services) == 0
    assert record(services) == before


def test_news_that_come_meanwhile_are_left_standing(monkeypatch: pytest.MonkeyPatch) -> None:
    services = overdue("generating", "running")
    soon = services.clock + timedelta(seconds=5)

    def state(video: Video) -> str:
        services.videos.advance("default", VIDEO_ID, {"generating"}, next_check_at=soon)
        return "running"

    monkeypatch.setattr(services.workflow, "state", state)
    assert upkeep.sweep(services) == 1
    assert record(services).next_check_at == soon


@pytest.mark.parametrize("error", [WorkflowError("no"), KeyError("odd")])
def test_one_bad_video_does_not_keep_the_others_from_being_seen_to(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = overdue("generating", "ended")
    late = record(services).model_copy(
        update={"video_id": OTHER, "next_check_at": NOON + timedelta(microseconds=1)}
    )
    services.videos.add("default", [late], None)
    services.workflow.start(late)
    services.workflow.ended.add(OTHER)
    state = services.workflow.state

    def sometimes(video: Video) -> str:
        if video.video_id == VIDEO_ID:
            raise error
        return state(video)

    monkeypatch.setattr(services.workflow, "state", sometimes)
    assert upkeep.sweep(services) == 2
    assert (record(services).resumes, record(services, OTHER).resumes) == (0, 1)


def test_a_video_that_is_swept_for_ever_ends() -> None:
    """Whatever kills its executions, it does not start them without end."""
    services = overdue("submitting", "ended", fence=FENCE)
    for _ in range(10):
        upkeep.sweep(services)
        services.workflow.ended.add(record(services).execution)
        services.wait(3600)
    assert record(services).status == "unknown"
    assert len(started(services)) == 1 + MAX_RESUMES


# Results that are owed


def owed(status: str = "completed", execution: str = "ended", **changes: Any) -> FakeServices:
    """A video that has ended, and whose result was not told to who waits for it."""
    known = {"place": PLACE, "delivery": "owed", "bytes": 9999, "failure": REFUSED}
    return overdue(status, execution, **{**known, **changes})


@pytest.mark.parametrize("ending", ENDED)
@pytest.mark.parametrize("delivery", ["owed", "sending"])
@pytest.mark.parametrize("stopped", [False, True])
def test_a_result_that_was_not_told_is_told_by_another_execution(
    ending: str, delivery: str, stopped: bool
) -> None:
    services = at(ending, place=PLACE, delivery=delivery, bytes=9999, failure=REFUSED)
    before = record(services)
    event(services, stopped=stopped)
    assert started(services) == [f"{VIDEO_ID}-1"]
    assert record(services) == before.model_copy(update={"resumes": 1})
    [resumed] = services.workflow.started
    job = jobs.create(resumed.job(), services)
    assert (job.tell, services.studio.keys) == ("now", [])
    assert deliveries.deliver(job, services).tell is None
    assert not record(services).owes_delivery


@pytest.mark.parametrize("delivery", ["delivered", "not_delivered"])
@pytest.mark.parametrize("stopped", [False, True])
def test_a_result_that_was_settled_needs_no_execution(delivery: str, stopped: bool) -> None:
    services = at("completed", place=PLACE, delivery=delivery)
    event(services, stopped=stopped)
    assert started(services) == []


@pytest.mark.parametrize("status", OPEN)
def test_what_somebody_stopped_is_told_to_who_waits_for_it(status: str) -> None:
    services = at(status, place=PLACE)
    event(services, stopped=True)
    assert not record(services).is_open
    assert record(services).delivery == "owed"
    assert started(services) == [f"{VIDEO_ID}-1"]
    [resumed] = services.workflow.started
    deliveries.deliver(resumed.job(), services)
    [message] = services.messenger.shown()
    assert message.text.startswith("There is no video of")
    event(services, f"{VIDEO_ID}-1")
    assert len(started(services)) == 1


def test_what_dies_in_the_making_again_and_again_is_told() -> None:
    services = at("generating", place=PLACE, resumes=MAX_RESUMES)
    event(services, f"{VIDEO_ID}-{MAX_RESUMES}")
    assert (record(services).status, record(services).delivery) == ("unknown", "owed")
    assert started(services) == [f"{VIDEO_ID}-{MAX_RESUMES + 1}"]


def test_telling_that_dies_again_and_again_is_given_up() -> None:
    services = at("completed", place=PLACE, delivery="sending")
    for number in range(MAX_RESUMES_TO_TELL + 3):
        event(services, f"{VIDEO_ID}-{number}" if number else VIDEO_ID)
    assert started(services) == [f"{VIDEO_ID}-{n}" for n in range(1, MAX_RESUMES_TO_TELL + 1)]
    assert record(services).delivery == "not_delivered"
    assert "again and again; it may be there" in str(record(services).delivery_reason)
    assert record(services).status == "completed"


@pytest.mark.parametrize("ending", ENDED)
@pytest.mark.parametrize(
    ("execution", "names"),
    [("running", []), ("ended", [f"{VIDEO_ID}-1"]), ("absent", [VIDEO_ID])],
)
def test_the_sweep_sees_to_results_that_are_owed(
    ending: str, execution: str, names: list[str]
) -> None:
    services = owed(ending, execution)
    before = [] if execution == "absent" else [VIDEO_ID]
    assert upkeep.sweep(services) == 1
    assert started(services) == [*before, *names]
    assert record(services).status == ending
    if execution != "ended":
        assert record(services).next_check_at == services.clock + LEFT_ALONE
        assert upkeep.sweep(services) == 0


@pytest.mark.parametrize("delivery", [None, "delivered", "not_delivered"])
def test_the_sweep_leaves_results_that_are_settled(delivery: Any) -> None:
    assert upkeep.sweep(owed(delivery=delivery)) == 0


def test_a_video_with_a_place_that_could_never_be_started_is_closed_and_told() -> None:
    services = overdue("queued", "absent", created_at=NOON - START_WITHIN, place=PLACE)
    upkeep.sweep(services)
    assert (record(services).status, record(services).delivery) == ("failed", "owed")
    assert started(services) == [f"{VIDEO_ID}-1"]


def test_a_result_that_is_swept_for_ever_is_given_up() -> None:
    services = owed()
    for _ in range(2 * MAX_RESUMES_TO_TELL):
        upkeep.sweep(services)
        services.workflow.ended.add(record(services).execution)
        services.wait(3600)
    assert record(services).delivery == "not_delivered"
    assert len(started(services)) == 1 + MAX_RESUMES_TO_TELL
