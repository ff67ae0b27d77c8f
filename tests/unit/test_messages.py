"""A message in, an outcome for each of its actions out."""

from __future__ import annotations

from typing import Any

import pytest

from actionreel.accounts import NO_CAPS, Caps
from actionreel.api_models import ActionsRequest
from actionreel.errors import (
    ActionreelError,
    InvalidActionError,
    MessageMismatchError,
    QuotaError,
    TooManyActionsError,
    VideoNotFoundError,
    WorkflowError,
)
from actionreel.messages import Outcome, act
from actionreel.models import Video
from actionreel.registry import Registry
from actionreel.results import result
from actionreel.upkeep import sweep
from tests.fakes import NOON, VIDEO_ID, FakeServices, a_video, cases
from tests.linked import LINKS


def create(body: str = '{"prompt": "a boat"}') -> str:
    return f"<createAIVideo>{body}</createAIVideo>"


def look(video_id: str = VIDEO_ID) -> str:
    return f'<continueVideoPolling>{{"videoId": "{video_id}"}}</continueVideoPolling>'


def send(services: FakeServices, text: str, tenant: str = "default", **more: Any) -> list[Outcome]:
    return act(ActionsRequest(text=text, **more), tenant, services)


def video(outcome: Outcome) -> Video:
    assert isinstance(outcome, Video), outcome
    return outcome


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


def test_a_message_without_actions_leaves_no_trace(services: FakeServices) -> None:
    assert send(services, f"Just text, and `{create()}`.") == []
    assert services.log == []


def test_a_video_is_on_record_before_it_is_started(services: FakeServices) -> None:
    [outcome] = send(
        services,
        create('{"prompt": " a boat ", "model": "sora-pro", "seconds": 6, "n": 1}'),
        conversation_id="c",
        message_id="m",
    )
    assert services.log == ["record queued", "started"]
    record = services.videos.get("default", video(outcome).video_id)
    assert record == outcome
    told = ("seconds 6 is not offered by sora-2-pro; used 4", "ignored: n")
    assert record == a_video(
        video_id=record.video_id,
        prompt="a boat",
        model="sora-2-pro",
        seconds=4,
        conversation_id="c",
        message_id="m",
        notices=told,
        created_at=NOON,
        next_check_at=NOON,
        reservation={"day": "2026-11-22", "seconds": 4, "usd": "1.20"},
    )
    assert services.workflow.started == [record]
    job = record.job()
    assert (job.tenant, job.video_id, job.status) == ("default", record.video_id, "queued")
    assert job.request.model_dump() == {
        "prompt": "a boat",
        "model": "sora-2-pro",
        "seconds": 4,
        "size": "1280x720",
        "input_reference_url": None,
        "remixes": None,
    }


def test_outcomes_are_in_the_order_of_the_text(services: FakeServices) -> None:
    services.videos.add("default", [a_video()], None)
    ships, none, boats = '{"prompt": "ships"}', '{"prompt": ""}', '{"prompt": "boats"}'
    text = create(ships) + look() + create(none) + look("v1") + create(boats) + look()
    ship, seen, invalid, missing, boat, again = send(services, text)
    assert (video(ship).prompt, video(boat).prompt) == ("ships", "boats")
    assert video(ship).video_id < video(boat).video_id
    assert video(seen).video_id == video(again).video_id == VIDEO_ID
    assert isinstance(invalid, InvalidActionError)
    assert isinstance(missing, VideoNotFoundError)


def test_a_message_starts_at_most_five_videos(services: FakeServices) -> None:
    services.videos.add("default", [a_video()], None)
    outcomes = send(services, create() * 7 + look())
    assert [type(outcome) for outcome in outcomes] == [Video] * 5 + [TooManyActionsError] * 2 + [
        Video
    ]
    assert len(services.workflow.started) == 5
    assert "5 videos" in str(outcomes[5])


def test_a_message_asks_for_at_most_a_hundred_videos(services: FakeServices) -> None:
    outcomes = send(services, "".join(look(f"v{number}") for number in range(101)) + create())
    kinds = [VideoNotFoundError] * 100 + [TooManyActionsError, Video]
    assert [type(outcome) for outcome in outcomes] == kinds


@pytest.mark.parametrize(
    "body",
    cases(
        {
            "empty prompt": '{"prompt":""}',
            "empty object": "{}",
            "list": "[]",
            "null": "null",
            "prompt 5": '{"prompt":5}',
            "not JSON": "{prompt:'x'}",
            "half a surrogate pair": r'{"prompt":"\ud800"}',
            "NaN": '{"prompt":"p","seconds":NaN}',
            "a key twice": '{"prompt":"p","prompt":"q"}',
            "10,000 brackets": '{"prompt":"p","size":' + "[" * 10_000 + "]" * 10_000 + "}",
            "unknown model": '{"prompt":"p","model":"veo"}',
            "http reference": '{"prompt":"p","input_reference_url":"http://e.x/a.png"}',
        }
    ),
)
def test_an_invalid_action_starts_nothing(services: FakeServices, body: str) -> None:
    [outcome] = send(services, create(body))
    assert isinstance(outcome, InvalidActionError)
    assert len(str(outcome)) > 20
    assert services.log == []


@pytest.mark.parametrize(
    "video_id",
    cases(
        {
            "unknown": "0199f3a0-0000-7000-8000-00000000ffff",
            "malformed": "../../secret",
            "empty": "",
            "of another tenant": VIDEO_ID,
            "longer than a key can be": "v" * 2000,
            "a wildcard": "*",
        }
    ),
)
def test_what_is_not_there_is_not_found(services: FakeServices, video_id: str) -> None:
    services.videos.add("other", [a_video(tenant="other")], None)
    started, outcome = send(services, create() + look(video_id))
    assert video(started).status == "queued"
    assert isinstance(outcome, ActionreelError)
    assert result(outcome, NOON, LINKS, {}) == {
        "error": "There is no video with this id.",
        "code": "not_found",
        "retryable": False,
    }


@pytest.mark.parametrize("video_id", ["7", "true", "[]", '{"a": 1}'])
def test_an_id_of_another_kind_is_not_found(services: FakeServices, video_id: str) -> None:
    text = f'<continueVideoPolling>{{"videoId": {video_id}}}</continueVideoPolling>'
    [outcome] = send(services, text)
    assert isinstance(outcome, VideoNotFoundError)


def test_the_same_message_again_starts_nothing_and_gives_the_same(services: FakeServices) -> None:
    text = create() + create("{}") + create('{"prompt": "a ship"}')
    first = send(services, text, message_id="m")
    for record in (video(first[0]), video(first[2])):
        services.videos.advance("default", record.video_id, {"queued"}, status="submitting")
    services.log.clear()
    again = send(services, text, message_id="m")
    assert services.log == []
    assert [type(outcome) for outcome in again] == [Video, InvalidActionError, Video]
    assert [video(again[i]).video_id for i in (0, 2)] == [video(first[i]).video_id for i in (0, 2)]
    assert video(again[0]).status == "submitting"


def test_the_same_text_in_another_message_starts_another_video(services: FakeServices) -> None:
    messages: list[dict[str, Any]] = [{"message_id": "m"}, {"message_id": "n"}, {}, {}]
    sent = [send(services, create(), **message) for message in messages]
    sent.append(send(services, create(), tenant="other", message_id="m"))
    assert len({video(outcome).video_id for [outcome] in sent}) == 5


def test_a_message_id_with_another_text_is_refused(services: FakeServices) -> None:
    send(services, create(), message_id="m")
    services.log.clear()
    for text in (create('{"prompt": "a ship"}'), create() + " ", "no action at all"):
        with pytest.raises(MessageMismatchError):
            send(services, text, message_id="m")
    assert services.log == []


def test_a_message_of_questions_is_answered_anew_each_time(services: FakeServices) -> None:
    services.videos.add("default", [a_video()], None)
    [before] = send(services, look(), message_id="m")
    services.videos.advance("default", VIDEO_ID, {"queued"}, status="submitting")
    [after] = send(services, look(), message_id="m")
    assert (video(before).status, video(after).status) == ("queued", "submitting")


def test_a_start_that_was_interrupted_is_made_good_by_the_message_again(
    services: FakeServices,
) -> None:
    services.workflow.trouble = KeyError("a crash, between the record and the start")
    with pytest.raises(KeyError):
        send(services, create(), message_id="m")
    services.workflow.trouble = None
    [outcome] = send(services, create(), message_id="m")
    [again] = send(services, create(), message_id="m")
    assert video(outcome).video_id == video(again).video_id
    first, second = services.workflow.started  # the engine refuses the second: same name and input
    assert first == second
    assert first.model_dump_json() == second.model_dump_json()
    assert len(services.videos.records) == 1


def test_a_start_that_fails_leaves_a_video_that_waits(services: FakeServices) -> None:
    """It is promised to the caller by now: the sweep starts it, or the message that comes again."""
    services.workflow.trouble = WorkflowError("The video could not be started on our side.")
    [outcome] = send(services, create(), message_id="m")
    record = services.videos.get("default", video(outcome).video_id)
    assert record == outcome
    assert (video(outcome).status, services.workflow.started) == ("queued", [])
    [again] = send(services, create(), message_id="m")
    assert again == outcome
    services.workflow.trouble = None
    services.wait(301)
    assert sweep(services) == 1
    assert services.workflow.started == [record]


def test_a_start_that_fails_does_not_keep_the_other_videos_from_theirs(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = services.workflow.start

    def sometimes(video: Video) -> None:
        if video.prompt == "a ship":
            raise WorkflowError("no")
        start(video)

    monkeypatch.setattr(services.workflow, "start", sometimes)
    outcomes = send(services, create('{"prompt": "a ship"}') + create())
    assert [video(outcome).status for outcome in outcomes] == ["queued", "queued"]
    assert services.workflow.started == [outcomes[1]]


def test_a_message_that_cannot_be_answered_has_started_nothing(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> dict[str, Video]:
        raise ConnectionError

    monkeypatch.setattr(services.videos, "get_many", broken)
    with pytest.raises(ConnectionError):
        send(services, create() + look())
    assert services.workflow.started == []


def offer(services: FakeServices, *names: str) -> None:
    """Makes these the models that there are."""
    model = services.registry.find()
    models = tuple(model.model_copy(update={"id": name, "aliases": ()}) for name in names)
    services.registry = Registry(default=names[0], models=models)


def test_the_same_message_gives_the_same_whatever_the_models_are_by_then(
    services: FakeServices,
) -> None:
    text = "".join(create(f'{{"prompt": "{name}", "model": "{name}"}}') for name in "abc")
    offer(services, "a", "b")
    first = send(services, text, message_id="m")
    assert [type(outcome) for outcome in first] == [Video, Video, InvalidActionError]
    for names in ("ab", "abc", "bc", "c"):
        offer(services, *names)
        again = send(services, text, message_id="m")
        assert again[:2] == first[:2]
        assert isinstance(again[2], InvalidActionError)


def test_what_a_cap_refused_is_refused_for_it_when_the_message_comes_again(
    services: FakeServices,
) -> None:
    services.accounts.general = (Caps(videos=1), Caps())
    text = create() + create("{}") + create()
    first = send(services, text, message_id="m")
    assert [type(outcome) for outcome in first] == [Video, InvalidActionError, QuotaError]
    services.accounts.general = NO_CAPS
    again = send(services, text, message_id="m")
    assert [type(outcome) for outcome in again] == [Video, InvalidActionError, QuotaError]
    assert len(services.videos.records) == 1


def test_a_message_whose_video_was_deleted_says_that(services: FakeServices) -> None:
    [made] = send(services, create(), message_id="m")
    video_id = video(made).video_id
    services.videos.advance("default", video_id, {"queued"}, deleted_at=NOON)
    [gone] = send(services, create(), message_id="m")
    assert isinstance(gone, VideoNotFoundError)
    assert str(gone) == "The video that this made was deleted. Ask anew for it, under another id."
