"""The one message that tells how a video comes on: written at most once, and never the last word
when the video has ended, whatever stands still, dies or is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from actionreel import upkeep
from actionreel.announcements import announce
from actionreel.cancellation import cancel
from actionreel.deliveries import deliver
from actionreel.deliveries import tell as report
from actionreel.endings import close
from actionreel.errors import (
    ChatInDoubtError,
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
    RequestError,
)
from actionreel.upkeep import MAX_RESUMES_TO_TELL
from tests.chat_world import ChatWorld
from tests.fake_chats import CALLBACK, PLACE
from tests.fakes import (
    ENDED,
    HANDLE,
    MP4,
    OPEN,
    REFUSED,
    VIDEO_ID,
    FakeServices,
    a_job,
    at,
    cases,
    record,
    steady,
)
from tests.ledger_world import Invocation

LOST = ChatInDoubtError("The chat did not answer.")
NOT_TAKEN = cases(
    {
        "throttled": ChatThrottledError("Too many requests."),
        "not reached": ChatUnavailableError("It cannot be reached."),
        "refused": ChatRefusedError("The chat refused it."),
    }
)


STYLES = [{"safely": False}, {"safely": True}, {"safely": True, "into": True}]


def told(services: FakeServices) -> list[str]:
    return [message.text.partition(" is ")[2] for message in services.messenger.shown()]


def test_the_first_report_writes_and_the_others_edit() -> None:
    services = at("generating", place=PLACE, progress=20)
    job = a_job(status="pending")
    assert report(job, services) == job
    services.videos.advance("default", VIDEO_ID, OPEN, progress=30)
    report(job, services)
    assert told(services) == ["being made, 30 %."]
    assert (record(services).announcement, record(services).announcing) == ("1", True)
    assert services.messenger.keys == [f"{VIDEO_ID}-progress"]


def test_an_edit_is_made_only_when_there_is_something_to_say() -> None:
    services = at("generating", place=PLACE)
    for progress in (20, 21, 29, 30):
        services.videos.advance("default", VIDEO_ID, OPEN, progress=progress)
        report(a_job(), services)
    assert services.log.count("edited") == 1


@pytest.mark.parametrize("place", [None, CALLBACK])
def test_a_program_is_told_no_progress(place: Any) -> None:
    services = at("generating", place=place)
    report(a_job(), services)
    assert (services.messenger.shown(), record(services).announcing) == ([], False)


@pytest.mark.parametrize("ending", ENDED)
def test_a_video_that_has_ended_is_not_announced(ending: str) -> None:
    services = at(ending, place=PLACE, failure=REFUSED)
    report(a_job(), services)
    announce(record(services), services)
    assert services.messenger.shown() == []


def test_a_record_that_is_gone_is_not_announced() -> None:
    services = FakeServices()
    assert report(a_job(), services) == a_job()


@pytest.mark.parametrize("error", NOT_TAKEN)
def test_a_message_that_was_not_taken_is_written_by_the_next_report(error: Exception) -> None:
    services = at("generating", place=PLACE)
    services.messenger.troubles["post"] = [error]
    report(a_job(), services)
    assert (told(services), record(services).announcing) == ([], False)
    report(a_job(), services)
    assert told(services) == ["being made."]


@pytest.mark.parametrize("taken", [False, True])
def test_a_message_in_doubt_is_not_written_again(taken: bool) -> None:
    services = at("generating", place=PLACE)
    services.messenger.troubles["post"] = [(LOST, True) if taken else LOST]
    report(a_job(), services)
    report(a_job(), services)
    assert len(told(services)) == int(taken)
    assert (record(services).announcing, record(services).announcement) == (True, None)


@pytest.mark.parametrize("error", [*NOT_TAKEN, pytest.param(LOST, id="in doubt")])
def test_trouble_with_an_edit_is_nobody_s_trouble(error: Exception) -> None:
    services = at("generating", place=PLACE, announcement="a", shown="s", announcing=True)
    services.messenger.troubles["edit"] = [error]
    job = a_job()
    assert report(job, services) == job
    assert record(services).shown == ("" if error is LOST else "s")  # it may say anything now


def test_a_message_without_an_id_is_not_edited_for_progress() -> None:
    services = at("generating", place=PLACE, announcement="", shown="s", announcing=True)
    report(a_job(), services)
    assert services.log == []


def test_two_reports_at_once_write_one_message() -> None:
    services = at("generating", place=PLACE)

    def another(*_: object) -> None:
        services.videos.before = lambda *_: None
        report(a_job(), services)

    services.videos.before = another
    report(a_job(), services)
    assert told(services) == ["being made."]


# A report that stands still while the video ends


def ends(world: ChatWorld, *, made: bool) -> None:
    if made:
        done: dict[str, Any] = {"status": "completed", "bytes": len(MP4), "delivery": "owed"}
        world.videos.advance("default", VIDEO_ID, OPEN, **done)
    else:
        close(world.video, REFUSED, world)


def delivered(world: ChatWorld) -> None:
    job = world.video.job()
    for _ in range(30):
        job = deliver(job, world)
        if job.tell is None:
            return
    raise AssertionError("it does not come to an end")


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("announced", [False, True])
@pytest.mark.parametrize("safely", [False, True])
def test_a_report_that_goes_on_after_the_end_is_not_the_last_word(
    made: bool, announced: bool, safely: bool
) -> None:
    stops = 0
    for stops in range(1, 20):
        world = ChatWorld(safely=safely, status="generating")
        if announced:
            report(world.video.job(), world)
            world.videos.advance("default", VIDEO_ID, OPEN, progress=50)
        running = world.begin_task(report)
        stood = world.run_until(running, stops)
        ends(world, made=made)
        delivered(world)
        world.run(running)
        assert not world.spins()
        assert world.films <= 1
        assert world.told_of(world.video)
        if not stood:
            break
    assert 4 < stops < 19


# Everything at once


class Telling(RuleBasedStateMachine):
    """One video with a place, functions that stand still or die between any two outside calls, and
    a chat that refuses for now or does not answer."""

    world: ChatWorld

    @initialize(style=st.sampled_from(STYLES))
    def a_video_is_asked_for(self, style: dict[str, bool]) -> None:
        self.world = ChatWorld(**style, status="generating", handle=HANDLE, fence="f")
        self.deliveries: list[Invocation] = []
        self.world.workflow.start(self.world.video)

    @precondition(lambda self: self.world.video.is_open)
    @rule(progress=st.integers(0, 99))
    def the_provider_comes_on(self, progress: int) -> None:
        self.world.videos.advance("default", VIDEO_ID, OPEN, progress=progress)

    @precondition(lambda self: self.world.video.is_open)
    @rule(data=st.data())
    def progress_is_reported(self, data: st.DataObject) -> None:
        self._go(self.world.begin_task(report), data)

    @precondition(lambda self: self.world.video.is_open)
    @rule(made=st.booleans())
    def the_video_ends(self, made: bool) -> None:
        ends(self.world, made=made)

    @rule()
    def somebody_cancels(self) -> None:
        self.world.studio.cancel = lambda handle: "cancelled"  # type: ignore[method-assign]
        try:
            cancel("default", VIDEO_ID, self.world)
        except RequestError:
            return

    @precondition(lambda self: self.world.video.owes_delivery)
    @rule(data=st.data())
    def the_result_is_told(self, data: st.DataObject) -> None:
        running = self.world.begin_task(deliver)
        self.deliveries.append(running)
        self._go(running, data)

    @precondition(lambda self: self.world.running)
    @rule(data=st.data())
    def what_stands_goes_on(self, data: st.DataObject) -> None:
        running = data.draw(st.sampled_from(list(self.world.running.values())))
        self._go(running, data)

    @precondition(lambda self: self._delivering())
    @rule(data=st.data())
    def what_delivers_dies(self, data: st.DataObject) -> None:
        """Not what reports: nobody can mend what was written by one that died."""
        self.world.step(data.draw(st.sampled_from(self._delivering())), "die")

    def _delivering(self) -> list[Invocation]:
        return [one for one in self.deliveries if one.stopped_at is not None]

    @rule(stopped=st.booleans())
    def the_execution_ends(self, stopped: bool) -> None:
        world = self.world
        world.workflow.ended.add(world.video.execution)
        upkeep.execution_ended("default", VIDEO_ID, world.video.execution, world, stopped=stopped)

    def _go(self, running: Invocation, data: st.DataObject) -> None:
        """Goes on for a while, with trouble of the chat's for the delivery."""
        for _ in range(data.draw(st.integers(1, 12))):
            at_call = running.stopped_at
            if at_call is None:
                break
            choices = ["go", "go", "go"]
            if at_call in ("post", "send"):
                choices += ["throttled", "unreached"]
            if at_call == "send done":
                choices.append("lost")
            self.world.step(running, data.draw(st.sampled_from(choices)))

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            world = self.world
            for running in list(world.running.values()):
                world.run(running)
            if world.video.is_open:
                ends(world, made=True)
            delivered(world)
            video = world.video
            assert world.films <= 1, "shown once"
            assert video.delivery in ("delivered", "not_delivered")
            assert world.told_of(video) or video.delivery_reason
            if video.delivery == "delivered":
                assert world.told_of(video)
                assert not world.spins(), "no spinner is left behind"
            assert len(world.workflow.started) <= MAX_RESUMES_TO_TELL + 1
        finally:
            self.world.close()


Telling.TestCase.settings = settings(steady, max_examples=150, stateful_step_count=25)
TestTelling = Telling.TestCase
