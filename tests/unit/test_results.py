"""Sections 2 and 6 of the contract: what the chat is shown, and what a record looks like."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest

from actionreel import errors
from actionreel.api_models import (
    RESERVED_META,
    ActionsResponse,
    ChatVideoResult,
    ErrorResult,
    PendingResult,
    VideoView,
)
from actionreel.errors import (
    ActionreelError,
    InvalidActionError,
    KeyUnavailableError,
    VideoNotFoundError,
    WorkflowError,
)
from actionreel.links import Links
from actionreel.models import Cancellation, CancelOutcome, ErrorCode, Failure, Video, VideoStatus
from actionreel.results import (
    cancellation_view,
    response,
    result,
    retry_after_seconds,
    view,
)
from tests.fakes import NOON, VIDEO_ID, a_video, cases
from tests.linked import BASE, CONTENT, LINKS, POSTER

META = {"_meta_actions": ["REQUEST_CHAT_MODEL"]}
FAILURE = Failure(code="moderation", message="Refused for its content.", retryable=False)

OPEN = {"queued": "queued", "submitting": "queued", "generating": "generating"} | {
    "storing": "storing"
}
ENDED = ("failed", "cancelled", "expired", "unknown")


def shown(outcome: Video | ActionreelError, **meta: Any) -> dict[str, Any]:
    """The result of an outcome, which must be one that the API's schema describes."""
    made = result(outcome, NOON, LINKS, meta)
    body = ActionsResponse.model_validate(response([made], meta))
    assert body.results is not None
    kinds = {"VIDEO_PENDING": PendingResult, "CHAT_VIDEO": ChatVideoResult, None: ErrorResult}
    assert type(body.results[0]) is kinds[made.get("type")]
    again = body.results[0].model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert again == made
    return made


def test_no_action_is_continue() -> None:
    assert response([], META) == {"type": "CONTINUE"}
    assert ActionsResponse.model_validate({"type": "CONTINUE"}).results is None


def test_results_are_in_their_order_with_meta_beside_them() -> None:
    results = [{"error": "a"}, {"error": "b"}]
    assert response(results, META) == {"type": "RESPONSE", "results": results, **META}


@pytest.mark.parametrize(("status", "told"), OPEN.items())
def test_an_open_video_is_pending(status: VideoStatus, told: str) -> None:
    made = shown(a_video(status=status, progress=17), **META)
    assert made == {"type": "VIDEO_PENDING", "data": made["data"], **META}
    message = made["data"].pop("message")
    assert "continueVideoPolling" in message
    assert made["data"] == {
        "videoId": VIDEO_ID,
        "status": told,
        "progress": 17,
        "retryAfterSeconds": 2,
    }


def test_progress_is_null_where_the_provider_tells_none() -> None:
    assert shown(a_video(status="generating"))["data"]["progress"] is None


def test_a_request_in_doubt_is_told() -> None:
    data = shown(a_video(status="submitting", ambiguous=True))["data"]
    assert data["status"] == "queued"
    assert "did not answer" in data["message"]
    assert data["retryAfterSeconds"] == 10


def test_a_completed_video_whose_link_cannot_be_made_now_is_asked_for_again() -> None:
    def unreadable() -> str:
        raise KeyUnavailableError("Not now.")

    links = Links(BASE, unreadable, 365, NOON)
    made = result(a_video(status="completed", progress=100), NOON, links, META)
    ActionsResponse.model_validate(response([made], META))
    assert made == {
        "type": "VIDEO_PENDING",
        "data": {
            "videoId": VIDEO_ID,
            "message": "The video is made, but its link cannot be given at the moment. Ask again"
            " with continueVideoPolling.",
            "status": "storing",
            "progress": 100,
            "retryAfterSeconds": 10,
        },
        **META,
    }


@pytest.mark.parametrize("poster", [None, f"videos/default/{VIDEO_ID}.webp"])
def test_a_completed_video_is_a_chat_video_with_lasting_links(poster: str | None) -> None:
    made = shown(a_video(status="completed", poster_key=poster), **META)
    assert made == {
        "type": "CHAT_VIDEO",
        "data": {
            "videoId": VIDEO_ID,
            "videoUrl": CONTENT,
            "posterUrl": POSTER if poster else None,
        },
        **META,
    }


@pytest.mark.parametrize("status", ENDED)
def test_any_other_ending_is_an_error_with_its_reason(status: VideoStatus) -> None:
    made = shown(a_video(status=status, failure=FAILURE), **META)
    assert made == {
        "error": "Refused for its content.",
        "code": "moderation",
        "retryable": False,
        "videoId": VIDEO_ID,
        **META,
    }


@pytest.mark.parametrize("code", get_args(ErrorCode))
def test_every_code_can_be_told(code: ErrorCode) -> None:
    failure = Failure(code=code, message="m", retryable=True)
    made = shown(a_video(status="failed", failure=failure))
    assert (made["code"], made["retryable"]) == (code, True)


def test_an_ending_without_a_reason_is_an_error_of_ours() -> None:
    made = shown(a_video(status="failed"))
    assert (made["code"], made["retryable"]) == ("internal", False)
    assert made["error"]


def test_every_status_has_a_result() -> None:
    assert {*OPEN, *ENDED, "completed"} == set(get_args(VideoStatus))


def test_every_error_of_ours_has_a_code_of_the_contract() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.code for kind in kinds if issubclass(kind, ActionreelError)}
    assert codes <= set(get_args(ErrorCode))


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (InvalidActionError("Not so."), "invalid_action", False),
        (VideoNotFoundError(), "not_found", False),
        (WorkflowError("Not now."), "internal", True),
    ],
)
def test_an_error_has_no_video(error: ActionreelError, code: str, retryable: bool) -> None:
    made = shown(error, **META)
    assert made == {"error": str(error), "code": code, "retryable": retryable, **META}


@pytest.mark.parametrize(
    "video",
    [
        a_video(notices=("n",)),
        a_video(notices=("n",), status="completed"),
        a_video(notices=("n",), status="failed", failure=FAILURE),
    ],
    ids=lambda video: video.status,
)
def test_notices_appear_where_a_value_was_changed(video: Video) -> None:
    assert shown(video)["notices"] == ["n"]
    assert "notices" not in shown(video.model_copy(update={"notices": ()}))


def test_meta_that_would_hide_what_a_result_says_is_reserved() -> None:
    videos = [a_video(notices=("n",), status=status) for status in get_args(VideoStatus)]
    charged = FAILURE.model_copy(update={"maybe_charged": True})
    videos.append(a_video(status="unknown", failure=charged))
    capped = shown(errors.QuotaError("Too many today.", retry_after=60))
    names = {name for video in videos for name in shown(video)} | capped.keys()
    assert names | {"results"} == set(RESERVED_META)


@pytest.mark.parametrize(
    ("status", "next_check", "expected"),
    cases(
        {
            "queued": ("queued", None, 2),
            "queued again": ("queued", 30, 2),
            "storing": ("storing", 30, 2),
            "unknown when": ("generating", None, 2),
            "a second after our look": ("generating", 9, 10),
            "rounded up": ("generating", 9.2, 11),
            "now": ("generating", 0, 1),
            "overdue": ("generating", -500, 1),
            "far away": ("generating", 500, 60),
        }
    ),
)
def test_retry_after(status: VideoStatus, next_check: float | None, expected: int) -> None:
    at = None if next_check is None else NOON + timedelta(seconds=next_check)
    assert retry_after_seconds(a_video(status=status, next_check_at=at), NOON) == expected


NOTHING = (
    "submittedAt",
    "completedAt",
    "videoUrl",
    "posterUrl",
    "bytes",
    "error",
    "costUsd",
    "delivery",
)
UNSAID = ("progress", "inputReferenceUrl", "conversationId", "messageId", "retryOf", "retriedAs")


def test_a_new_record() -> None:
    shown = view(a_video(notices=("n",)), LINKS).model_dump(mode="json", by_alias=True)
    assert shown == {
        "videoId": VIDEO_ID,
        "status": "queued",
        "prompt": "a paper boat",
        "model": "sora-2",
        "provider": "openai_videos",
        "seconds": 8,
        "size": "1280x720",
        "notices": ["n"],
        "createdAt": "2026-11-22T12:00:00Z",
        "maybeCharged": False,
        **dict.fromkeys((*NOTHING, *UNSAID)),
    }


def test_a_completed_record() -> None:
    video = a_video(
        status="completed",
        progress=100,
        size=None,
        input_reference_url="https://e.x/a.png",
        conversation_id="c",
        message_id="m",
        submitted_at=NOON + timedelta(seconds=1),
        completed_at=NOON + timedelta(seconds=61.5),
        next_check_at=NOON,
        handle={"id": "video_1"},
        bytes=123,
        poster_key="videos/default/v.webp",
        cost_usd=Decimal("0.80"),
    )
    shown = view(video, LINKS).model_dump(mode="json", by_alias=True)
    assert shown["submittedAt"] == "2026-11-22T12:00:01Z"
    assert shown["completedAt"] == "2026-11-22T12:01:01.500000Z"
    assert (shown["bytes"], shown["costUsd"], shown["progress"]) == (123, 0.8, 100)
    assert (shown["size"], shown["inputReferenceUrl"]) == (None, "https://e.x/a.png")
    assert (shown["conversationId"], shown["messageId"]) == ("c", "m")
    assert shown["videoUrl"] == CONTENT
    assert shown["posterUrl"] == POSTER
    inner = {"handle", "tenant", "nextCheckAt", "posterKey", "fence", "ambiguous", "resumes"}
    inner |= {"linkRevision"}
    assert not inner & shown.keys()


@pytest.mark.parametrize("charged", [False, True])
def test_a_failed_record(charged: bool) -> None:
    failure = FAILURE.model_copy(update={"maybe_charged": charged})
    shown = view(a_video(status="failed", failure=failure), LINKS)
    assert isinstance(shown, VideoView)
    body = shown.model_dump(mode="json", by_alias=True)
    assert body["error"] == {
        "code": "moderation",
        "message": "Refused for its content.",
        "retryable": False,
    }
    assert (body["maybeCharged"], body["videoUrl"]) == (charged, None)


@pytest.mark.parametrize("charged", [False, True])
def test_a_result_says_what_may_be_charged(charged: bool) -> None:
    failure = FAILURE.model_copy(update={"maybe_charged": charged})
    found = result(a_video(status="unknown", failure=failure), NOON, LINKS, {})
    assert ("maybeCharged" in found, found.get("maybeCharged", False)) == (charged, charged)


def test_a_retry_and_the_video_that_it_is_one_of_name_each_other() -> None:
    shown = view(a_video(retry_of="older", retried_as="newer"), LINKS)
    body = shown.model_dump(mode="json", by_alias=True)
    assert (body["retryOf"], body["retriedAs"]) == ("older", "newer")


@pytest.mark.parametrize("outcome", get_args(CancelOutcome))
def test_what_came_of_a_cancellation_is_one_sentence_and_the_record(outcome: CancelOutcome) -> None:
    video = a_video(status="cancelled", failure=FAILURE)
    body = cancellation_view(Cancellation(outcome, video), LINKS).model_dump(by_alias=True)
    assert body.keys() == {"outcome", "message", "video"}
    assert body["outcome"] == outcome
    assert body["message"].endswith(".")
    assert body["video"] == view(video, LINKS).model_dump(by_alias=True)
