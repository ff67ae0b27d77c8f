"""What is done about a message: each kind of it, and the same however often it is repeated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from actionreel.chat_answers import _EXCUSE, _NO_MODEL, _NOT_YOURS, _SILENT, RESULT, answer
from actionreel.chats import Address, ChatMessage, Line, Told, Turn, TurnRef
from actionreel.commands import USAGE
from actionreel.deliveries import deliver
from actionreel.errors import (
    ChatInDoubtError,
    ChatRefusedError,
    ChatThrottledError,
    ChatUnavailableError,
    ProviderUnavailableError,
    RequestError,
)
from actionreel.messages import MAX_CREATES
from actionreel.models import Place, Video
from tests.fake_chats import CALLBACK, PLACE, FakeChat, FakeChatModel, Message
from tests.fakes import (
    ENDED,
    MP4,
    NOON,
    OPEN,
    REFUSED,
    VIDEO_ID,
    FakeServices,
    a_video,
    at,
    cases,
    record,
)
from tests.linked import CONTENT

TAG = '<createAIVideo>{"prompt": "a paper boat"}</createAIVideo>'
BAD = '<createAIVideo>{"prompt": ""}</createAIVideo>'
ANSWERED = "Here it comes."
BEING_MADE = "“a paper boat” (4 s, sora-2) is about to be made."
NO_PROMPT = "A video needs a prompt: a text that describes it."
DEFERRED = PLACE.model_copy(update={"platform": "discord", "deferred": True})
AGAIN = "0199f3a0-0000-7000-8000-000000000002"
REF = TurnRef(tenant="default", turn_id="turn")
REFUSAL = ChatRefusedError("The chat refused it.")
LOST = ChatInDoubtError("The chat did not answer.")
THROTTLED = ChatThrottledError("Too many requests.")
UNREACHED = ChatUnavailableError("It cannot be reached.")


class Stopped(BaseException):
    """The end of the function's process."""


class Deferring(FakeChat):
    """A chat in which the first answer to a deferred message fills the one that waits; what is
    written there again replaces it."""

    def post(self, address: Address, told: Told, key: str) -> str:
        message_id = super().post(address, told, key)
        if address.place.deferred:
            filled = f"answer to {address.place.turn_id}"
            self.messages[filled] = self.messages.pop(message_id)
            return filled
        return message_id


def a_turn(**changes: Any) -> Turn:
    """A turn that was written down at noon."""
    message = {"kind": "talk", "event_id": "e", "place": PLACE, "text": "Make me a boat."}
    fields = {"written": None, "said": False}
    own = {name: changes.pop(name) for name in list(changes) if name in fields}
    return Turn(
        tenant="default",
        turn_id="turn",
        message=ChatMessage.model_validate({**message, **changes}),
        base_url="https://api.test",
        received_at=NOON,
        **{**fields, **own},
    )


def asked(*script: str | Exception, services: FakeServices | None = None, **turn: Any) -> Any:
    """Services with a message that is to be answered, and a model with that script."""
    services = services or FakeServices()
    services.chat_model = FakeChatModel(*script) if script else None
    services.chats.add_turn(a_turn(**turn))
    if turn.get("place", PLACE).deferred:
        services.messenger = Deferring(services.log)
    return services


def texts(services: FakeServices) -> list[str]:
    return [message.text for message in services.messenger.shown()]


def videos(services: FakeServices) -> list[Video]:
    return list(services.videos.records.values())


def lines(services: FakeServices, place: Place = PLACE) -> list[Line]:
    return services.chats.lines("default", place)


def remembered(*pairs: tuple[str, str]) -> list[Line]:
    return [Line.model_validate({"role": role, "text": text}) for role, text in pairs]


# Each kind of message


def test_a_command_makes_a_video_and_tells_how_it_comes_on() -> None:
    services = asked(kind="command", text="a paper boat --seconds 4")
    assert answer(REF, services) == REF
    [video] = videos(services)
    assert video.place == PLACE
    assert (video.message_id, video.conversation_id) == ("turn", "telegram:C1")
    assert texts(services) == [BEING_MADE]
    assert video.announcement == "1"
    assert services.log[:2] == ["record queued", "started"]


def test_a_command_that_cannot_be_understood_is_told_why() -> None:
    services = asked(kind="command", text="--portrait")
    answer(REF, services)
    assert (texts(services), videos(services)) == ([USAGE], [])


def test_a_command_that_cannot_be_carried_out_is_told_why() -> None:
    services = asked(kind="command", text="boat --image http://10.0.0.1/x")
    answer(REF, services)
    [text] = texts(services)
    assert text.startswith("The image's address ")
    assert videos(services) == []


def test_help_is_given() -> None:
    services = asked(kind="help")
    answer(REF, services)
    assert texts(services) == [USAGE]


def test_the_model_s_words_are_said_and_its_tags_acted_on() -> None:
    services = asked(f"{ANSWERED}\n{TAG}")
    answer(REF, services)
    assert texts(services) == [ANSWERED, BEING_MADE]
    [video] = videos(services)
    assert video.place == PLACE
    assert lines(services) == remembered(
        ("user", "Make me a boat."), ("assistant", f"{ANSWERED}\n{TAG}")
    )


def test_the_model_knows_what_was_said_before() -> None:
    services = asked("Yes.")
    before = remembered(("user", "Hello."), ("assistant", "Hello!"))
    services.chats.add_lines("default", PLACE, before)
    answer(REF, services)
    assert services.chat_model.heard == [
        [*before, Line(role="user", text="Make me a boat.")],
    ]


def test_another_thread_is_another_conversation() -> None:
    services = asked("Yes.")
    other = PLACE.model_copy(update={"thread": "T"})
    services.chats.add_lines("default", other, remembered(("user", "Hello.")))
    answer(REF, services)
    assert len(services.chat_model.heard[0]) == 1


def test_a_tag_without_words_is_remembered_all_the_same() -> None:
    services = asked(TAG)
    answer(REF, services)
    assert texts(services) == [BEING_MADE]
    assert [line.text for line in lines(services)] == ["Make me a boat.", TAG]


def test_a_model_that_says_nothing_is_told_so() -> None:
    services = asked("")
    answer(REF, services)
    assert texts(services) == [_SILENT]


def test_without_a_model_it_is_told_how_to_ask() -> None:
    services = asked()
    answer(REF, services)
    assert texts(services) == [_NO_MODEL]


def test_a_model_that_refuses_is_told_why() -> None:
    services = asked(ChatRefusedError("The model refused it."))
    answer(REF, services)
    assert (texts(services), lines(services)) == (["The model refused it."], [])


def test_a_result_is_told_to_the_model_as_that() -> None:
    services = asked("It is done.", kind="result", text='{"type": "CHAT_VIDEO"}', root="before")
    answer(REF, services)
    assert services.chat_model.heard[0][-1].text == f'{RESULT}{{"type": "CHAT_VIDEO"}}'
    assert texts(services) == ["It is done."]


def test_tags_of_the_owner_s_bot_are_acted_on_and_its_words_not_repeated() -> None:
    services = asked("never asked", kind="tags", text=f"My words. {TAG} {BAD}")
    answer(REF, services)
    assert texts(services) == [NO_PROMPT, BEING_MADE]
    assert (services.chat_model.heard, lines(services)) == ([], [])


def test_tags_that_a_person_types_are_talk() -> None:
    services = asked("A tag, I see.", text=TAG)
    answer(REF, services)
    assert (texts(services), videos(services)) == (["A tag, I see."], [])


def test_tags_that_a_person_types_are_acted_on_where_the_owner_wants_that() -> None:
    services = asked("never asked", text=TAG)
    services.user_tags = True
    answer(REF, services)
    assert texts(services) == [BEING_MADE]
    assert services.chat_model.heard == []


@pytest.mark.parametrize("text", ["Make me a boat.", f"`{TAG}`"])
def test_words_without_a_tag_are_talk_there_too(text: str) -> None:
    services = asked("I see.", text=text)
    services.user_tags = True
    answer(REF, services)
    assert texts(services) == ["I see."]


def test_a_video_that_is_asked_about_is_told_of() -> None:
    services = asked(
        f'<continueVideoPolling>{{"videoId": "{VIDEO_ID}"}}</continueVideoPolling>',
        services=at("completed", base_url="https://api.test"),
    )
    answer(REF, services)
    assert texts(services) == [f"“a paper boat” is ready. {CONTENT}"]


def test_only_so_many_videos_are_made_of_one_message() -> None:
    services = asked(TAG * (MAX_CREATES + 1))
    answer(REF, services)
    assert len(videos(services)) == MAX_CREATES
    assert len(texts(services)) == MAX_CREATES + 1


def test_a_message_without_a_record_is_left() -> None:
    services = FakeServices()
    assert answer(REF, services) == REF
    assert services.log == []


@pytest.mark.parametrize("follows", [False, True])
def test_the_model_sees_results_where_the_owner_wants_that(follows: bool) -> None:
    services = asked(TAG)
    services.chat_follow_up = follows
    answer(REF, services)
    assert [video.place and video.place.follows_up for video in videos(services)] == [follows]


@pytest.mark.parametrize("kind", ["command", "tags"])
def test_the_model_does_not_see_results_that_it_did_not_ask_for(kind: str) -> None:
    services = asked("never asked", kind=kind, text="boat" if kind == "command" else TAG)
    services.chat_follow_up = True
    answer(REF, services)
    assert [video.place and video.place.follows_up for video in videos(services)] == [False]


def test_a_bot_that_wants_the_model_to_see_results_has_that() -> None:
    place = PLACE.model_copy(update={"follows_up": True})
    services = asked("never asked", kind="tags", text=TAG, place=place)
    answer(REF, services)
    assert [video.place and video.place.follows_up for video in videos(services)] == [True]


def test_a_message_leads_to_six_turns_and_then_it_is_quiet() -> None:
    """A model that answers each result with another video."""
    services = asked(*[f"Again! {TAG}"] * 9)
    services.chat_follow_up = True
    answer(REF, services)
    seen: set[str] = set()
    for _ in range(20):
        for video in videos(services):
            if video.is_open:
                done = {"status": "completed", "bytes": 9999, "delivery": "owed"}
                services.videos.advance("default", video.video_id, OPEN, **done)
                deliver(video.job(), services)
        for turn_id in set(services.turns_started) - seen:
            seen.add(turn_id)
            answer(TurnRef(tenant="default", turn_id=turn_id), services)
    assert len(services.chat_model.heard) == 6
    assert len(videos(services)) == 6


# Programs


def called(services: FakeServices) -> list[Any]:
    return [document for _, _, document in services.callbacks.calls]


def test_a_program_is_told_what_could_not_be_begun() -> None:
    services = asked(kind="tags", text=f"{TAG}{BAD}", place=CALLBACK)
    answer(REF, services)
    [(url, message_id, document)] = services.callbacks.calls
    assert (url, message_id, document["type"]) == (CALLBACK.url, "turn", "message.refused")
    assert document["data"]["eventId"] == "e"
    assert [result["error"] for result in document["data"]["results"]] == [NO_PROMPT]
    assert [video.place and video.place.platform for video in videos(services)] == ["callback"]
    assert texts(services) == []


def test_a_program_is_not_called_for_what_has_begun() -> None:
    services = asked(kind="tags", text=TAG, place=CALLBACK)
    answer(REF, services)
    assert (called(services), len(videos(services))) == ([], 1)


def test_a_program_that_is_not_reached_is_called_again_with_the_same_document() -> None:
    services = asked(kind="tags", text=f"{TAG}{BAD}", place=CALLBACK)
    services.callbacks.troubles = [UNREACHED]
    with pytest.raises(ChatUnavailableError):
        answer(REF, services)
    answer(REF, services)
    answer(REF, services)
    first, second = called(services)
    assert json.dumps(first) == json.dumps(second)
    assert len(videos(services)) == 1


@pytest.mark.parametrize("kind", ["help", "command", "talk"])
def test_a_program_gets_no_words(kind: str) -> None:
    services = asked(kind=kind, text="", place=CALLBACK)
    answer(REF, services)
    answer(REF.model_copy(update={"caught": {"Error": "x"}}), services)
    assert (called(services), texts(services)) == ([], [])


# Buttons


def pressed(
    services: FakeServices, deed: str = "cancel", author: str | None = "U1", **turn: Any
) -> FakeServices:
    place = turn.pop("place", PLACE).model_copy(update={"author": author})
    asked(services=services, kind="button", text=f"{deed}:{VIDEO_ID}", place=place, **turn)
    answer(REF, services)
    return services


def test_a_video_is_cancelled_without_a_word() -> None:
    services = pressed(at("queued", place=PLACE))
    assert (record(services).status, texts(services)) == ("cancelled", [])
    assert record(services).delivery == "owed"


def test_a_video_that_cannot_be_cancelled_any_more_is_told() -> None:
    services = at("generating", place=PLACE)
    services.studio.stopping = "too_late"
    said = "“a paper boat”: It is too late to cancel this video."
    assert texts(pressed(services)) == [said]


def test_a_video_whose_cancelling_went_wrong_is_told_by_its_name() -> None:
    services = at("generating", place=PLACE)
    services.studio.stopping = ProviderUnavailableError("The provider answered with an error.")
    [said] = texts(pressed(services))
    assert said.startswith("“a paper boat”: It was not cancelled, as far as we know. The provider")
    assert record(services).status == "generating"


def test_a_video_that_is_being_asked_for_is_cancelled_when_that_can_be() -> None:
    services = at("submitting", place=PLACE)
    with pytest.raises(RequestError):
        pressed(services)
    services.videos.advance("default", VIDEO_ID, OPEN, status="queued")
    answer(REF, services)
    assert (record(services).status, texts(services)) == ("cancelled", [])


def test_a_video_in_doubt_is_told_not_to_be_cancelled_at_once() -> None:
    services = pressed(at("submitting", place=PLACE, ambiguous=True))
    [said] = texts(services)
    assert said == (
        "“a paper boat”: It cannot be cancelled now. The provider did not answer, and we are"
        " finding out whether it has begun this video; try again in a minute."
    )
    assert record(services).status == "submitting"


@pytest.mark.parametrize("deed", ["cancel", "retry", "retry_anyway"])
@pytest.mark.parametrize("author", ["U2", "", None])
def test_only_who_asked_for_a_video_has_its_buttons(deed: str, author: str | None) -> None:
    services = at("queued" if deed == "cancel" else "failed", failure=None, place=PLACE)
    before = record(services)
    assert texts(pressed(services, deed, author)) == [_NOT_YOURS]
    assert videos(services) == [before]


def test_a_video_of_nobody_in_particular_is_everybody_s() -> None:
    services = pressed(at("queued", place=PLACE.model_copy(update={"author": None})))
    assert record(services).status == "cancelled"


def test_a_video_without_a_place_has_no_buttons() -> None:
    services = pressed(at("queued"))
    assert record(services).status == "queued"
    assert texts(services) == ["There is no video with this id."]


@pytest.mark.parametrize(
    "text", ["cancel:", "cancel:x", f"cancel:{'x' * 9000}", "", ":", f"cancel:{VIDEO_ID}x"]
)
def test_a_button_of_no_video_is_told(text: str) -> None:
    services = asked(kind="button", text=text)
    answer(REF, services)
    assert texts(services) == ["There is no video with this id."]


def test_a_video_is_made_again_where_the_button_is() -> None:
    place = PLACE.model_copy(update={"channel": "C2"})
    services = pressed(at("failed", failure=REFUSED, place=PLACE), "retry", place=place)
    [_, again] = videos(services)
    assert (again.retry_of, again.place) == (VIDEO_ID, place.model_copy(update={"author": "U1"}))
    assert texts(services) == ["“a paper boat” (8 s, sora-2) is about to be made."]


def test_what_may_be_charged_twice_is_made_again_with_that_button_only() -> None:
    services = at("unknown", failure=REFUSED, place=PLACE)
    assert len(videos(pressed(services, "retry"))) == 1
    services = at("unknown", failure=REFUSED, place=PLACE)
    assert len(videos(pressed(services, "retry_anyway"))) == 2


def test_a_button_that_is_pressed_twice_makes_one_video() -> None:
    services = pressed(at("failed", failure=REFUSED, place=PLACE), "retry")
    services.chats = type(services.chats)()
    pressed(services, "retry")
    assert len(videos(services)) == 2
    assert len(texts(services)) == 1


@pytest.mark.parametrize("ending", ENDED)
def test_a_button_that_is_pressed_again_when_all_is_over_is_no_trouble(ending: str) -> None:
    services = at("failed", failure=REFUSED, place=PLACE, retried_as="again")
    again = a_video(video_id="again", status=ending, failure=REFUSED, place=PLACE)
    services.videos.add("default", [again], None)
    pressed(services, "retry")
    assert not any("is about to be made" in text for text in texts(services))


@pytest.mark.parametrize("deed", ["retry", "cancel"])
def test_the_buttons_of_a_deleted_video_lead_nowhere(deed: str) -> None:
    services = at("failed", failure=REFUSED, place=PLACE, deleted_at=NOON)
    assert texts(pressed(services, deed)) == ["There is no video with this id."]


def test_a_retry_that_was_deleted_is_announced_no_more() -> None:
    services = at("failed", failure=REFUSED, place=PLACE, retried_as=AGAIN)
    again = a_video(video_id=AGAIN, status="failed", place=PLACE, deleted_at=NOON)
    services.videos.add("default", [again], None)
    [told] = texts(pressed(services, "retry"))
    again_gone = "This video was made again, and that was deleted; ask for a new one."
    assert told == f"“a paper boat”: {again_gone}"


# Trouble


@pytest.mark.parametrize(
    ("error", "text"),
    cases(
        {
            "the model": ("ChatUnavailableError", "The model cannot be reached at the moment"),
            "too much": ("ChatThrottledError", "The model cannot be reached at the moment"),
            "a time-out": ("Sandbox.Timedout", _EXCUSE),
            "whatever": (None, _EXCUSE),
        }
    ),
)
def test_what_could_not_be_done_is_excused(error: str | None, text: str) -> None:
    services = asked("never asked")
    caught = {"Error": error, "Cause": "secret"} if error else {}
    answer(REF.model_copy(update={"caught": caught}), services)
    answer(REF.model_copy(update={"caught": caught}), services)
    [said] = texts(services)
    assert said.startswith(text) and "secret" not in said
    assert services.chat_model.heard == []


def test_what_was_answered_is_not_excused() -> None:
    services = asked("Yes.")
    answer(REF, services)
    answer(REF.model_copy(update={"caught": {"Error": "x"}}), services)
    assert texts(services) == ["Yes."]


@pytest.mark.parametrize("trouble", [THROTTLED, UNREACHED, LOST])
def test_a_model_that_does_not_answer_is_asked_again(trouble: Exception) -> None:
    services = asked(trouble, "Yes.")
    with pytest.raises(type(trouble)):
        answer(REF, services)
    assert texts(services) == []
    answer(REF, services)
    assert texts(services) == ["Yes."]


@pytest.mark.parametrize("trouble", [THROTTLED, UNREACHED])
def test_words_that_were_not_taken_are_said_again(trouble: Exception) -> None:
    services = asked(f"{ANSWERED} {TAG}")
    services.messenger.troubles["post"] = [trouble]
    with pytest.raises(type(trouble)):
        answer(REF, services)
    answer(REF, services)
    assert texts(services) == [ANSWERED, BEING_MADE]
    assert len(services.chat_model.heard) == 1
    assert (len(videos(services)), len(lines(services))) == (1, 2)


@pytest.mark.parametrize("trouble", [LOST, (LOST, True)])
def test_words_in_doubt_are_not_said_again(trouble: Any) -> None:
    services = asked(ANSWERED)
    services.messenger.troubles["post"] = [trouble]
    answer(REF, services)
    answer(REF, services)
    assert len(texts(services)) == int(isinstance(trouble, tuple))


def test_words_that_are_refused_keep_no_video_from_being_made() -> None:
    services = asked(f"{ANSWERED} {TAG}")
    services.messenger.troubles["post"] = [REFUSAL]
    answer(REF, services)
    assert (len(videos(services)), texts(services)) == (1, [BEING_MADE])


@pytest.mark.parametrize("ending", ENDED)
def test_a_video_that_has_ended_when_the_task_is_repeated_is_no_trouble(ending: str) -> None:
    """A refusal of the provider may be faster than the second try of this task."""
    services = asked(f"{ANSWERED} {TAG}")
    services.messenger.troubles["post"] = [THROTTLED]
    with pytest.raises(ChatThrottledError):
        answer(REF, services)
    [video] = videos(services)
    services.videos.advance("default", video.video_id, OPEN, status=ending, failure=REFUSED)
    answer(REF, services)
    assert texts(services) == [ANSWERED]


# The task dies, at any point


def calls_of(services: Any) -> Iterator[tuple[Any, str]]:
    """What the task does outside of itself."""
    yield from ((services.chats, name) for name in ("keep_written", "claim_words", "add_lines"))
    yield from ((services.videos, name) for name in ("add", "advance"))
    yield services.messenger, "post"
    yield services.workflow, "start"
    yield services.callbacks, "call"
    if services.chat_model:
        yield services.chat_model, "reply"


def dies(services: Any, number: int, *, done: bool) -> bool:
    """Runs the task, which dies at its nth call, or when that is done; False if it has fewer."""
    made = 0
    with pytest.MonkeyPatch.context() as patch:

        def counted(call: Callable[..., Any]) -> Callable[..., Any]:
            def counting(*args: Any, **more: Any) -> Any:
                nonlocal made
                made += 1
                if made == number and not done:
                    raise Stopped
                result = call(*args, **more)
                if made == number:
                    made += 1
                    raise Stopped
                return result

            return counting

        for whose, name in list(calls_of(services)):
            patch.setattr(whose, name, counted(getattr(whose, name)))
        try:
            answer(REF, services)
        except Stopped:
            return True
        return False


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize(
    ("turn", "script"),
    cases(
        {
            "a command": ({"kind": "command", "text": "a paper boat"}, ()),
            "words and a tag": ({}, (f"{ANSWERED} {TAG}",) * 2),
            "two tags": ({}, (TAG + TAG,) * 2),
            "only words": ({}, (ANSWERED,) * 2),
            "tags": ({"kind": "tags", "text": TAG + BAD}, ()),
            "of a program": ({"kind": "tags", "text": TAG + BAD, "place": CALLBACK}, ()),
        }
    ),
)
def test_a_task_that_dies_anywhere_and_is_repeated_does_all_of_it_once(
    turn: dict[str, Any], script: tuple[str, ...], done: bool
) -> None:
    whole = asked(*script, **turn)
    answer(REF, whole)
    number = 0
    for number in range(1, 40):
        services = asked(*script, **turn)
        died = dies(services, number, done=done)
        answer(REF, services)
        answer(REF, services)
        assert len(videos(services)) == len(videos(whole)), "one set of videos"
        assert len(services.workflow.started) >= len(videos(whole))
        said, wanted = texts(services), texts(whole)
        assert all(said.count(text) <= wanted.count(text) for text in wanted)
        assert set(said) <= set(wanted), "nothing else is said"
        assert lines(services) in (lines(whole), []), "remembered once, or not at all"
        if services.chat_model:
            written = len(services.chat_model.heard)
            assert written <= 2
        if not died:
            break
    assert 3 < number < 39


def test_what_the_model_wrote_is_kept() -> None:
    """It would write something else the second time, and make another video of it."""
    services = asked(f"One. {TAG}", f"Two. {TAG}{TAG}")
    services.videos.before = lambda *_: None
    assert dies(services, 3, done=False)
    answer(REF, services)
    assert texts(services) == ["One.", BEING_MADE]
    assert len(videos(services)) == 1


# Where an answer waits to be filled


def test_a_video_fills_the_answer_that_waits() -> None:
    services = asked(kind="command", text="a paper boat", place=DEFERRED)
    answer(REF, services)
    assert list(services.messenger.messages) == ["answer to turn"]


def test_words_fill_the_answer_that_waits_and_the_video_has_its_own_message() -> None:
    services = asked(f"{ANSWERED} {TAG}", place=DEFERRED)
    answer(REF, services)
    assert services.messenger.messages["answer to turn"] == Message(ANSWERED)
    assert texts(services) == [ANSWERED, BEING_MADE] or texts(services) == [BEING_MADE, ANSWERED]


def test_words_in_an_answer_that_waits_are_repeated_without_harm() -> None:
    services = asked(ANSWERED, place=DEFERRED)
    services.messenger.troubles["post"] = [(LOST, True)]
    with pytest.raises(ChatUnavailableError):
        answer(REF, services)
    answer(REF, services)
    assert "answer to turn" in services.messenger.messages


@pytest.mark.parametrize("text", [ANSWERED, TAG, f"{ANSWERED} {TAG}"])
def test_an_answer_that_is_filled_again_is_remembered_once(text: str) -> None:
    services = asked(text, place=DEFERRED)
    answer(REF, services)
    answer(REF, services)
    assert len(lines(services, DEFERRED)) == 2


def test_an_answer_tells_of_a_video_and_of_what_could_not_be_made() -> None:
    """Both of one message without words: one must not take the place of the other."""
    services = asked(TAG + BAD, place=DEFERRED)
    answer(REF, services)
    assert sorted(texts(services)) == sorted([BEING_MADE, NO_PROMPT])


def test_a_repetition_does_not_write_over_a_video() -> None:
    services = asked(TAG + BAD, place=DEFERRED)
    answer(REF, services)
    answer(REF, services)
    [video] = videos(services)
    assert services.messenger.messages[video.announcement].text == BEING_MADE


def test_an_excuse_does_not_write_over_what_was_said() -> None:
    services = asked(ANSWERED, place=DEFERRED)
    answer(REF, services)
    answer(REF.model_copy(update={"caught": {"Error": "x"}}), services)
    assert texts(services) == [ANSWERED]


def test_an_excuse_does_not_write_over_a_video() -> None:
    services = asked(kind="command", text="a paper boat", place=DEFERRED)
    answer(REF, services)
    answer(REF.model_copy(update={"caught": {"Error": "x"}}), services)
    assert texts(services) == [BEING_MADE]


def test_what_is_told_of_the_end_of_a_film_is_what_the_place_shows_last() -> None:
    services = asked(kind="command", text="a paper boat", place=DEFERRED)
    answer(REF, services)
    [video] = videos(services)
    key = f"videos/default/{video.video_id}.mp4"
    services.storage.files[key] = MP4, "video/mp4"
    done = {"status": "completed", "bytes": len(MP4), "delivery": "owed"}
    services.videos.advance("default", video.video_id, OPEN, **done)
    deliver(video.job(), services)
    [message] = services.messenger.shown()
    assert message.film == MP4


def test_more_tags_than_there_can_be_answers_are_told() -> None:
    services = asked(kind="tags", text="<createAIVideo>{}</createAIVideo>" * 5000)
    answer(REF, services)
    assert texts(services) == ["The text has too many tags for one answer."]


def test_whom_the_owner_has_not_named_is_told_so() -> None:
    services = asked(kind="refused", text="")
    answer(REF, services)
    assert texts(services) == ["The owner of this bot has not let you use it here."]


def test_an_answer_that_the_chat_did_not_take_is_not_lost() -> None:
    """The model was paid for it: it is said in place of an excuse."""
    services = asked(ANSWERED)
    services.messenger.troubles["post"] = [ChatThrottledError("no")]
    with pytest.raises(ChatThrottledError):
        answer(REF, services)
    answer(REF.model_copy(update={"caught": {"Error": "ChatThrottledError"}}), services)
    assert texts(services) == [ANSWERED]
