"""Telling a result: once, whatever dies, is refused, lost or late, and never with a message left
behind that goes on saying that the video is being made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from actionreel import bootstrap, deliveries, endings, upkeep
from actionreel.chats import MAX_TURNS, ChatMessage, Turn
from actionreel.deliveries import WAITS, deliver
from actionreel.errors import (
    ChatInDoubtError,
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
    WorkflowError,
)
from actionreel.models import Video, VideoJob, file_key
from functions.deliver_result import app
from tests.chat_world import TROUBLES, ChatWorld
from tests.fake_chats import CALLBACK, PLACE, FakeChatModel, Message
from tests.fakes import (
    ENDED,
    MP4,
    NOON,
    OPEN,
    REFUSED,
    VIDEO_ID,
    FakeServices,
    at,
    cases,
    failing,
    record,
)
from tests.linked import CONTENT as LINK

DONE = {
    "status": "completed",
    "bytes": len(MP4),
    "completed_at": NOON,
    "delivery": "owed",
    "base_url": "https://api.test",
    "place": PLACE,
}
FAILED = {"status": "failed", "failure": REFUSED, "delivery": "owed", "place": PLACE}
SHOWN = Message("“a paper boat” (8 s, sora-2) is being made.")
REFUSAL = ChatRefusedError("The chat refused it.")
LOST = ChatInDoubtError("The chat did not answer.")
PASSING = cases(
    {
        "throttled": ChatThrottledError("Too many requests."),
        "not reached": ChatUnavailableError("It cannot be reached."),
    }
)
STYLES = cases(
    {
        "sent twice is shown twice": {"safely": False},
        "sent twice is shown once": {"safely": True},
        "put into the announcement": {"safely": True, "into": True},
    }
)
RESULTS = cases(
    {
        "a film": DONE,
        "a film that is too large": {**DONE, "bytes": 1001},
        "no film": FAILED,
    }
)


def ended(**changes: Any) -> FakeServices:
    """A video that has ended, whose result is owed."""
    fields = {**DONE, **changes}
    services = at(fields.pop("status"), **fields)
    services.storage.files[file_key("default", VIDEO_ID, "mp4")] = MP4, "video/mp4"
    if fields.get("announcement"):
        services.messenger.messages[fields["announcement"]] = SHOWN
    return services


def told(services: FakeServices) -> VideoJob:
    return deliver(record(services).job(), services)


def settled(services: FakeServices) -> int:
    """Delivers until there is nothing to tell any more; returns how often."""
    job = record(services).job()
    for number in range(1, 30):
        job = deliver(job, services)
        if job.tell is None:
            return number
    raise AssertionError("it does not come to an end")


# What is told


def test_a_film_is_shown_and_the_announcement_taken_back() -> None:
    services = ended(announcement="a")
    assert told(services).tell is None
    [message] = services.messenger.shown()
    assert message == Message("“a paper boat” is ready.", LINK, MP4)
    assert record(services).delivery == "delivered"
    assert record(services).delivery_reason is None


def test_a_film_without_an_announcement_is_shown() -> None:
    services = ended()
    told(services)
    assert [message.film for message in services.messenger.shown()] == [MP4]


@pytest.mark.parametrize("announced", [False, True])
def test_a_film_that_is_too_large_is_a_link(announced: bool) -> None:
    services = ended(bytes=1001, announcement="a" if announced else None)
    told(services)
    [message] = services.messenger.shown()
    assert (message.film, message.link, message.edits) == (None, LINK, int(announced))


@pytest.mark.parametrize("announced", [False, True])
@pytest.mark.parametrize("status", [status for status in ENDED if status != "completed"])
def test_the_reason_why_there_is_no_film_is_told(status: str, announced: bool) -> None:
    services = ended(status=status, failure=REFUSED, announcement="a" if announced else None)
    told(services)
    [message] = services.messenger.shown()
    assert message.text == f"There is no video of “a paper boat”. {REFUSED.message}"
    assert (message.film, message.link, message.edits) == (None, None, int(announced))


@pytest.mark.parametrize("status", OPEN)
def test_a_video_that_is_being_made_has_no_result(status: str) -> None:
    services = at(status, place=PLACE)
    assert told(services).tell is None
    assert (services.messenger.shown(), record(services).delivery) == ([], None)


@pytest.mark.parametrize("delivery", [None, "delivered", "not_delivered"])
def test_what_was_told_is_not_told_again(delivery: Any) -> None:
    services = ended(delivery=delivery, delivery_reason="r")
    before = record(services)
    assert told(services).tell is None
    assert (services.messenger.shown(), record(services)) == ([], before)


def test_a_video_for_which_nobody_waits_is_told_to_nobody() -> None:
    services = ended(place=None, delivery=None)
    assert told(services).tell is None
    assert services.messenger.shown() == []


def test_a_record_that_is_gone_has_no_result() -> None:
    services = ended()
    job = record(services).job()
    services.videos.records.clear()
    assert deliver(job, services).tell is None


def test_an_announcement_that_is_gone_gives_way_to_a_message() -> None:
    services = ended(bytes=1001, announcement="a")
    services.messenger.messages.clear()
    told(services)
    assert [message.link for message in services.messenger.shown()] == [LINK]
    assert record(services).delivery == "delivered"


def test_an_announcement_that_cannot_be_taken_back_leads_to_the_film() -> None:
    services = ended(announcement="a")
    services.messenger.troubles["take_back"] = [REFUSAL]
    told(services)
    assert services.messenger.messages["a"].link == LINK
    assert record(services).delivery == "delivered"


# A callback


@pytest.mark.parametrize(("changes", "kind"), [(DONE, "video.completed"), (FAILED, "video.failed")])
def test_a_program_is_called_with_the_result(changes: dict[str, Any], kind: str) -> None:
    services = ended(**{**changes, "place": CALLBACK})
    told(services)
    [(url, message_id, document)] = services.callbacks.calls
    assert (url, message_id, document["type"]) == (CALLBACK.url, VIDEO_ID, kind)
    assert document["data"] == deliveries.result_of(record(services), services)
    assert services.messenger.shown() == []
    assert record(services).delivery == "delivered"


def test_a_program_that_may_have_it_is_called_again_with_the_same_id() -> None:
    services = ended(place=CALLBACK)
    services.callbacks.troubles = [LOST]
    assert told(services).tell == "later"
    told(services)
    assert [message_id for _, message_id, _ in services.callbacks.calls] == [VIDEO_ID]


def test_a_program_that_refuses_is_not_called_again() -> None:
    services = ended(place=CALLBACK)
    services.callbacks.troubles = [REFUSAL]
    assert told(services).tell is None
    assert record(services).delivery == "not_delivered"
    assert record(services).delivery_reason == str(REFUSAL)
    told(services)
    assert services.callbacks.calls == []


def test_no_address_of_a_program_is_in_what_the_execution_knows() -> None:
    services = ended(place=CALLBACK)
    services.callbacks.troubles = [LOST]
    assert "secret" not in told(services).model_dump_json()


# Trouble


@pytest.mark.parametrize("error", PASSING)
@pytest.mark.parametrize("announced", [False, True])
def test_what_passes_is_tried_again_and_shown_once(error: Exception, announced: bool) -> None:
    services = ended(announcement="a" if announced else None)
    services.messenger.troubles["send_video"] = [error, error]
    assert told(services).tell == "later"
    assert record(services).delivery == "owed"
    settled(services)
    [message] = services.messenger.shown()
    assert message.film == MP4


@pytest.mark.parametrize("error", PASSING)
@pytest.mark.parametrize(("changes", "method"), [(FAILED, "post"), ({"bytes": 1001}, "post")])
def test_words_that_were_not_taken_are_said_again(
    error: Exception, changes: dict[str, Any], method: str
) -> None:
    services = ended(**changes)
    services.messenger.troubles[method] = [error, error]
    assert settled(services) == 3
    assert len(services.messenger.shown()) == 1
    assert record(services).delivery == "delivered"


@pytest.mark.parametrize("taken", [False, True])
def test_a_film_in_doubt_is_not_sent_again_but_linked(taken: bool) -> None:
    services = ended(announcement="a")
    services.messenger.troubles["send_video"] = [(LOST, True) if taken else LOST]
    assert told(services).tell is None
    films = [message for message in services.messenger.shown() if message.film]
    assert len(films) == int(taken)
    assert services.messenger.messages["a"].link == LINK
    assert record(services).delivery == "delivered"


def test_a_film_in_doubt_without_an_announcement_is_recorded_as_that() -> None:
    services = ended()
    services.messenger.troubles["send_video"] = [(LOST, True)]
    told(services)
    assert len(services.messenger.shown()) == 1
    assert record(services).delivery == "not_delivered"
    assert "it may be there" in str(record(services).delivery_reason)


def test_a_film_in_doubt_whose_announcement_cannot_be_edited_now_is_linked_later() -> None:
    services = ended(announcement="a")
    services.messenger.troubles = {
        "send_video": [LOST],
        "edit": [ChatThrottledError("Too many requests.", 7)],
    }
    job = told(services)
    assert (job.tell, job.wait_seconds, record(services).delivery) == ("later", 8, "sending")
    deliver(job, services)
    assert "video shown" not in services.log
    assert services.messenger.messages["a"].link == LINK


def test_a_film_that_is_refused_is_a_link() -> None:
    services = ended(announcement="a")
    services.messenger.troubles["send_video"] = [REFUSAL]
    told(services)
    assert [(m.film, m.link) for m in services.messenger.shown()] == [(None, LINK)]
    assert record(services).delivery == "delivered"


def test_what_is_refused_altogether_is_recorded() -> None:
    services = ended()
    services.messenger.troubles = {"send_video": [REFUSAL], "post": [REFUSAL]}
    assert told(services).tell is None
    assert record(services).delivery == "not_delivered"
    assert record(services).delivery_reason == str(REFUSAL)


def test_words_in_doubt_are_not_said_again() -> None:
    services = ended(**FAILED)
    services.messenger.troubles["post"] = [(LOST, True)]
    assert settled(services) == 1
    assert len(services.messenger.shown()) == 1
    assert record(services).delivery == "not_delivered"


def test_a_platform_that_knows_repetitions_is_asked_again() -> None:
    services = ended()
    services.messenger.repeats_safely = True
    services.messenger.troubles["send_video"] = [LOST, LOST]
    assert settled(services) == 3
    assert [message.film for message in services.messenger.shown()] == [MP4]


@pytest.mark.parametrize("error", [*PASSING, pytest.param(LOST, id="in doubt")])
def test_it_is_given_up_after_an_hour(error: Exception) -> None:
    services = ended(place=CALLBACK)
    services.callbacks.troubles = [error] * 99
    job, waits = record(services).job(), []
    while (job := deliver(job, services)).tell == "later":
        waits.append(job.wait_seconds)
    assert tuple(waits) == WAITS
    assert record(services).delivery == "not_delivered"
    assert record(services).delivery_reason == str(error)


@pytest.mark.parametrize(
    ("asked", "wait"),
    cases(
        {
            "nothing": (None, WAITS[0]),
            "at once": (0, 1),
            "half a second": (0.5, 1),
            "a minute": (60, 61),
            "a day": (86400, 600),
            "beyond numbers": (1e300, 600),
        }
    ),
)
def test_the_wait_is_what_the_platform_asks_for(asked: float | None, wait: int) -> None:
    services = ended()
    services.messenger.troubles["send_video"] = [ChatThrottledError("no", asked)]
    assert told(services).wait_seconds == wait


def test_somebody_else_who_delivers_is_not_disturbed() -> None:
    services = ended()

    def another(*_: object) -> None:
        services.videos.before = lambda *_: None
        told(services)

    services.videos.before = another
    assert told(services).tell == "later"
    assert [message.film for message in services.messenger.shown()] == [MP4]
    assert told(services).tell is None


def test_trouble_with_the_file_is_no_doubt_about_the_chat(monkeypatch: Any) -> None:
    """Nothing was sent by then, so that nobody needs to be left without the video."""
    services = ended()
    link = services.storage.link

    def trouble(*args: Any, **more: Any) -> str:
        monkeypatch.setattr(services.storage, "link", link)
        raise ConnectionError("S3")

    monkeypatch.setattr(services.storage, "link", trouble)
    with pytest.raises(ConnectionError):
        told(services)
    settled(services)
    assert [message.film for message in services.messenger.shown()] == [MP4]


# Whatever dies


def dead_after(stops: int, world: ChatWorld) -> bool:
    """Whether a delivery dies there; False if it is over before."""
    running = world.begin_task(deliver)
    dies = world.run_until(running, stops)
    if dies:
        world.step(running, "die")
    return dies


def repeated(world: ChatWorld) -> None:
    job = world.video.job()
    while job.tell is not None:
        job = deliver(job, world)


def resumed(world: ChatWorld) -> None:
    """As `repeated`, by an execution in place of the dead one."""
    upkeep.execution_ended("default", VIDEO_ID, world.video.execution, world, stopped=False)
    if world.video.owes_delivery:
        assert [video.resumes for video in world.workflow.started] == [1]
    repeated(world)


def is_settled(world: ChatWorld) -> None:
    """What must hold when all is over."""
    video = world.video
    assert world.films <= 1, "a film is shown once"
    assert video.delivery in ("delivered", "not_delivered")
    assert world.told_of(video) or (video.delivery == "not_delivered" and video.delivery_reason)
    if video.delivery == "delivered":
        assert world.told_of(video)
    assert not world.spins(), "no message says for ever that the video is being made"


def announced(world: ChatWorld) -> None:
    world.messenger.messages["a"] = SHOWN


@pytest.mark.parametrize("again", [repeated, resumed])
@pytest.mark.parametrize("announcement", [None, "a"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("result", RESULTS)
def test_a_delivery_that_dies_anywhere_is_delivered_once(
    result: Any, style: Any, announcement: str | None, again: Any
) -> None:
    stops = 0
    for stops in range(1, 40):
        world = ChatWorld(**style, **{**result, "announcement": announcement})
        if announcement:
            announced(world)
        died = dead_after(stops, world)
        again(world)
        is_settled(world)
        if not died:
            break
    assert 4 < stops < 39


@pytest.mark.parametrize("trouble", [*TROUBLES, "lost"])
@pytest.mark.parametrize("announcement", [None, "a"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("place", ["post", "edit", "send", "take back"])
def test_a_delivery_that_meets_trouble_and_dies_anywhere_is_delivered_once(
    place: str, result: Any, style: Any, announcement: str | None, trouble: str
) -> None:
    """Trouble with one call, and the end of the process at any later one."""
    where = f"{place} done" if trouble == "lost" else place
    for stops in range(1, 40):
        world = ChatWorld(**style, **{**result, "announcement": announcement})
        if announcement:
            announced(world)
        running = world.begin_task(deliver)
        for _ in range(stops):
            if running.stopped_at is not None:
                command = trouble if running.stopped_at == where else "go"
                world.step(running, command)
        died = running.stopped_at is not None
        if died:
            world.step(running, "die")
        repeated(world)
        is_settled(world)
        if not died:
            break


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("result", RESULTS)
def test_a_delivery_that_goes_on_after_another_took_its_place_is_delivered_once(
    result: Any, style: Any
) -> None:
    """A function that stood still, anywhere, while another one did its work."""
    for announcement in (None, "a"):
        for stops in range(1, 40):
            world = ChatWorld(**style, **{**result, "announcement": announcement})
            if announcement:
                announced(world)
            running = world.begin_task(deliver)
            stood = world.run_until(running, stops)
            job = deliver(world.video.job(), world)
            world.run(running)
            while job.tell is not None:
                job = deliver(job, world)
            is_settled(world)
            if not stood:
                break


@pytest.mark.parametrize("write", ["sending", "delivered"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("announcement", [None, "a"])
def test_a_write_that_fails_leaves_nothing_to_be_shown_twice(
    write: str, when: str, announcement: str | None
) -> None:
    services = ended(announcement=announcement)
    setattr(services.videos, when, failing("advance", delivery=write))
    with pytest.raises(ConnectionError):
        told(services)
    setattr(services.videos, when, lambda *_: None)
    settled(services)
    films = [message for message in services.messenger.shown() if message.film]
    assert len(films) <= 1
    assert not record(services).owes_delivery


# No message says for ever that the video is being made


def written_meanwhile(services: FakeServices) -> None:
    """A function that stood still in the midst of announcing writes down what it wrote."""
    services.messenger.messages["late"] = SHOWN
    services.videos.advance("default", VIDEO_ID, ENDED, announcement="late")


def test_an_announcement_that_comes_late_is_mended() -> None:
    services = ended()
    send = services.messenger.send_video

    def late(*args: Any) -> bool:
        written_meanwhile(services)
        return send(*args)

    services.messenger.send_video = late  # type: ignore[method-assign,assignment]
    told(services)
    assert services.messenger.messages["late"].link == LINK


def test_an_announcement_that_comes_late_is_mended_although_nothing_was_delivered() -> None:
    services = ended()

    def late(*args: Any) -> bool:
        written_meanwhile(services)
        raise LOST

    services.messenger.send_video = late  # type: ignore[method-assign,assignment]
    told(services)
    assert services.messenger.messages["late"].text != SHOWN.text


def test_an_announcement_that_comes_late_is_mended_although_that_has_trouble() -> None:
    services = ended()
    send = services.messenger.send_video
    services.messenger.troubles["edit"] = [ChatThrottledError("Too many requests.")]

    def late(*args: Any) -> bool:
        vars(services.messenger)["send_video"] = send
        written_meanwhile(services)
        return send(*args)

    services.messenger.send_video = late  # type: ignore[method-assign,assignment]
    settled(services)
    assert services.messenger.messages["late"].text != SHOWN.text


def test_an_announcement_that_comes_late_is_mended_although_the_function_dies() -> None:
    services = ended()
    send = services.messenger.send_video

    def late(*args: Any) -> bool:
        vars(services.messenger)["send_video"] = send
        written_meanwhile(services)
        return send(*args)

    services.messenger.send_video = late  # type: ignore[method-assign,assignment]
    services.videos.after = failing("advance", delivery="delivered")
    with pytest.raises(ConnectionError):
        told(services)
    services.videos.after = lambda *_: None
    settled(services)
    assert services.messenger.messages["late"].text != SHOWN.text


@pytest.mark.parametrize(
    ("error", "safely"),
    cases(
        {
            "throttled": (ChatThrottledError("Too many requests."), False),
            "not reached": (ChatUnavailableError("It cannot be reached."), False),
            "in doubt, and repeated": (LOST, True),
        }
    ),
)
def test_a_film_that_is_given_up_does_not_leave_an_announcement_that_spins(
    error: Exception, safely: bool
) -> None:
    """Uploads have trouble for an hour, while edits would go through."""
    services = ended(announcement="a")
    services.messenger.repeats_safely = safely
    services.messenger.troubles["send_video"] = [error] * 99
    settled(services)
    assert services.messenger.messages["a"].text != SHOWN.text


# What the state machine does with it


Handed = Callable[[VideoJob, FakeServices], dict[str, Any]]


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Handed:
    """Calls the function as the state machine does."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Actionreel")

    def call(job: VideoJob, services: FakeServices) -> dict[str, Any]:
        bootstrap.use(services)
        return app.lambda_handler(job.model_dump(mode="json", by_alias=True), None)

    return call


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_a_result_is_told_whatever_the_execution_knew(status: str, handed: Handed) -> None:
    """The look at the provider was given up with the job `pending`; by then the record had an
    ending, or Fail Video wrote one and died before it could say so."""
    services = ended(status=status, failure=None if status == "completed" else REFUSED)
    pending = record(services).job().model_copy(update={"status": "pending"})
    failed = endings.fail(pending, services)
    answer = handed(failed, services)
    assert answer.get("tell") != "now", "the state machine would call it again at once, for ever"
    assert record(services).delivery == "delivered"


def test_progress_is_told_by_the_same_function(handed: Handed) -> None:
    services = at("generating", place=PLACE, progress=40)
    job = record(services).job().model_copy(update={"status": "pending"})
    assert handed(job, services)["tell"] == "now"
    assert [message.text for message in services.messenger.shown()] == [
        "“a paper boat” (8 s, sora-2) is being made, 40 %."
    ]


# The model that wants to see the result


def followed(**changes: Any) -> FakeServices:
    """A video of a message by a model that wants to see what comes of it."""
    place = PLACE.model_copy(update={"follows_up": True})
    services = ended(**{"place": place, **changes})
    services.chat_model = FakeChatModel()
    message = ChatMessage(kind="talk", event_id="e", place=place, text="t", reply_token="secret")
    services.chats.add_turn(
        Turn(
            tenant="default",
            turn_id="turn",
            message=message,
            base_url="https://api.test",
            received_at=NOON,
        )
    )
    return services


@pytest.fixture
def wanted() -> Iterator[FakeServices]:
    yield followed()


def test_the_model_sees_the_result(wanted: FakeServices) -> None:
    told(wanted)
    assert wanted.turns_started == [f"{VIDEO_ID}-result"]
    turn = wanted.chats.turn("default", f"{VIDEO_ID}-result")
    assert turn is not None
    assert (turn.message.kind, turn.root, turn.message.place.deferred) == ("result", "turn", False)
    assert turn.message.place.turn_id == turn.turn_id
    assert "CHAT_VIDEO" in turn.message.text


def test_the_model_sees_the_result_once(wanted: FakeServices) -> None:
    told(wanted)
    told(wanted)
    assert set(wanted.turns_started) == {f"{VIDEO_ID}-result"}
    assert len(vars(wanted.chats)["turns"]) == 2


def test_the_model_sees_a_result_that_could_not_be_told(wanted: FakeServices) -> None:
    wanted.messenger.troubles = {"send_video": [REFUSAL], "post": [REFUSAL]}
    told(wanted)
    assert wanted.turns_started == [f"{VIDEO_ID}-result"]


def test_a_turn_that_cannot_be_started_is_started_by_the_next_run(wanted: FakeServices) -> None:
    wanted.workflow.trouble = WorkflowError("no")
    with pytest.raises(WorkflowError):
        told(wanted)
    wanted.workflow.trouble = None
    told(wanted)
    assert wanted.turns_started == [f"{VIDEO_ID}-result"]
    assert len(wanted.messenger.shown()) == 1


def test_a_message_leads_to_six_turns_at_most_however_many_videos_each_makes(
    wanted: FakeServices,
) -> None:
    """Five videos of a message, and each of their results leads to more."""
    video = record(wanted)
    place = video.place
    assert place is not None
    ids = [f"0199f3a0-0000-7000-8000-00000000010{n}" for n in range(9)]
    for number, video_id in enumerate(ids):
        before = f"{ids[number - 5]}-result" if number >= 5 else "turn"
        again = place.model_copy(update={"turn_id": before})
        made = video.model_copy(update={"video_id": video_id, "place": again})
        wanted.videos.add("default", [made], None)
        wanted.storage.files[f"videos/default/{video_id}.mp4"] = MP4, "video/mp4"
        for _ in range(2):
            deliver(made.job(), wanted)
    assert set(wanted.turns_started) == {f"{one}-result" for one in ids[: MAX_TURNS - 1]}


def test_trouble_while_the_file_is_read_is_no_doubt_about_the_chat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = ended()
    read = services.storage.read

    def trouble(key: str) -> bytes:
        monkeypatch.setattr(services.storage, "read", read)
        raise ConnectionError("S3")

    monkeypatch.setattr(services.storage, "read", trouble)
    assert told(services).tell == "later"
    settled(services)
    assert [message.film for message in services.messenger.shown()] == [MP4]


def test_without_a_model_nobody_sees_it(wanted: FakeServices) -> None:
    wanted.chat_model = None
    told(wanted)
    assert wanted.turns_started == []


@pytest.mark.parametrize("change", [{"follows_up": False}, {"turn_id": None}, {"turn_id": "?"}])
def test_a_model_that_did_not_ask_does_not_see_it(change: Mapping[str, Any]) -> None:
    services = followed()
    place = record(services).place
    assert place is not None
    services.videos.advance("default", VIDEO_ID, ENDED, place=place.model_copy(update=dict(change)))
    told(services)
    assert services.turns_started == []


def test_giving_up_is_on_the_record() -> None:
    services = ended()
    deliveries.give_up(record(services), services, "Because.")
    assert record(services).delivery == "not_delivered"
    assert record(services).delivery_reason == "Because."


def test_a_result_that_arrived_is_not_given_up_afterwards() -> None:
    """A run that stood still must not write its doubt over what another one knows by now."""
    services = ended()
    before: Video = record(services)
    told(services)
    deliveries.give_up(before, services, "Because.")
    assert record(services).delivery == "delivered"
