"""The next provider: after a verified refusal, and after nothing else."""

from __future__ import annotations

import pytest

from actionreel.endings import fail
from actionreel.errors import (
    ActionreelError,
    KeyUnavailableError,
    OutcomeUnknownError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.jobs import create, poll
from actionreel.models import Choice, ProviderAnswer, Video, VideoJob
from actionreel.orders import Offer
from actionreel.reconciliation import reconcile
from actionreel.registry import Registry, VideoModel
from tests.fakes import (
    HANDLE,
    PENDING,
    REFUSED,
    SEED,
    FakeServices,
    a_video,
    cases,
    failing,
    record,
)

OTHER = Choice(
    provider="openai_videos", model="other", seconds=5, size="160x90", deadline_seconds=600
)
LAST = OTHER.model_copy(update={"model": "last"})
MODELS = tuple(
    VideoModel(
        id=name,
        lengths=(5,),
        sizes=("160x90",),
        offers=(Offer(provider="openai_videos", name=f"{name} there"),),
    )
    for name in ("other", "last")
)
USED = "used other, 5 seconds in place of 8 seconds, 160x90 in place of 1280x720"
GONE = ProviderRejectedError("The provider does not know this model.")
CERTAIN = cases(
    {
        "gone": (GONE, "refused"),
        "quota": (ProviderRejectedError("No credit.", "quota"), "has no credit left"),
        "not as it wants it": (ProviderRejectedError("No.", "invalid_input"), "refused"),
    }
)


def services(*answers: ProviderAnswer | Exception, **changes: object) -> FakeServices:
    made = FakeServices(*answers)
    made.registry = Registry(default="sora-2", models=(*SEED.models, *MODELS))
    video = a_video(alternatives=(OTHER, LAST), notices=("a notice",), **changes)
    made.videos.add("default", [video], None)
    return made


def run(made: FakeServices) -> VideoJob:
    """Create, as often as the document says so."""
    job = record(made).job()
    while job.status == "queued":
        job = create(job, made)
    return job


def asked(made: FakeServices) -> list[str]:
    return [order.name for order in made.studio.orders]


@pytest.mark.parametrize(("refusal", "reason"), CERTAIN)
def test_a_verified_refusal_goes_to_the_next(refusal: ActionreelError, reason: str) -> None:
    made = services(refusal, PENDING)
    job = run(made)
    assert (job.status, job.handle, asked(made)) == ("pending", HANDLE, ["sora-2", "other there"])
    video = record(made)
    assert (video.status, video.model, video.seconds, video.size) == (
        "generating",
        "other",
        5,
        "160x90",
    )
    assert (video.deadline_seconds, video.alternatives) == (600, (LAST,))
    assert video.notices == ("a notice", f"sora-2 at openai_videos {reason}; {USED}")
    assert job.deadline_seconds == 600


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (ProviderThrottledError("429", 7), "had too many requests"),
        (ProviderUnavailableError("no connection"), "could not be reached"),
    ],
)
def test_a_refusal_for_now_is_tried_twice(refusal: ActionreelError, reason: str) -> None:
    made = services(refusal, refusal, PENDING)
    run(made)
    assert asked(made) == ["sora-2", "sora-2", "other there"]
    assert record(made).notices[-1] == f"sora-2 at openai_videos {reason}; {USED}"


def test_what_does_not_change_is_not_told() -> None:
    made = services(GONE, GONE, PENDING)
    run(made)
    assert record(made).notices[-1] == "other at openai_videos refused; used last"


def test_the_last_one_is_asked_as_often_as_an_only_one() -> None:
    throttled = ProviderThrottledError("429")
    made = services(GONE, GONE, *[throttled] * 5)
    job = run(made)
    assert asked(made) == ["sora-2", "other there", *["last there"] * 5]
    assert job.status == "failed"
    assert job.failure and job.failure.code == "rate_limited"


def test_when_all_refuse_the_last_reason_is_told_and_nothing_was_charged() -> None:
    made = services(GONE, GONE, ProviderRejectedError("No credit.", "quota"))
    fail(run(made), made)
    video = record(made)
    assert video.status == "failed"
    assert video.failure and (video.failure.code, video.failure.maybe_charged) == ("quota", False)
    assert [notice.split(" ")[0] for notice in video.notices[1:]] == ["sora-2", "other"]


def test_moderation_is_not_shopped_around() -> None:
    made = services(ProviderRejectedError("No.", "moderation"))
    assert run(made).status == "failed"
    assert asked(made) == ["sora-2"]


def test_what_may_have_been_charged_goes_nowhere_else() -> None:
    made = services(OutcomeUnknownError("no answer"))
    assert run(made).status == "ambiguous"
    assert asked(made) == ["sora-2"]


@pytest.mark.parametrize("refusal", [GONE, ProviderThrottledError("429")])
def test_after_a_request_in_doubt_no_refusal_leads_elsewhere(refusal: ActionreelError) -> None:
    made = services(*[refusal] * 5, ambiguous=True, resent=True)
    fail(run(made), made)
    assert set(asked(made)) == {"sora-2"}
    assert record(made).status == "unknown"


def test_a_job_that_fails_later_is_not_made_elsewhere() -> None:
    """It was accepted, and so perhaps charged; its reason is told."""
    made = services(PENDING, ProviderAnswer(phase="failed", failure=REFUSED))
    job = poll(run(made), made)
    assert (job.status, asked(made)) == ("failed", ["sora-2"])


def test_a_record_that_cannot_be_given_back_does_not_stop_it() -> None:
    made = services(GONE, PENDING)
    made.videos.before = failing("advance", status="queued")
    job = run(made)
    assert (job.status, asked(made)) == ("pending", ["sora-2", "other there"])
    assert record(made).model == "other"


def test_an_execution_that_is_resumed_goes_on_where_it_was() -> None:
    made = services(GONE, OutcomeUnknownError("no answer"))
    run(made)
    resumed = record(made).job()
    assert (resumed.request.model, resumed.alternatives) == ("other", (LAST,))
    assert isinstance(record(made), Video)


def test_a_model_that_left_the_registry_gives_way_to_the_next() -> None:
    made = services(PENDING)
    made.registry = Registry(default="other", models=MODELS)
    run(made)
    assert asked(made) == ["other there"]


def test_a_record_that_cannot_be_written_has_all_its_tries_though_others_could_follow() -> None:
    """No provider refused, so none comes next: giving up sooner would only lose the video."""
    made = services(PENDING)
    left = iter(range(4))

    def before(write: str, changes: object) -> None:
        if write == "claim" and next(left, None) is not None:
            raise ConnectionError("DynamoDB")

    made.videos.before = before
    assert (run(made).status, asked(made)) == ("pending", ["sora-2"])


def test_the_same_key_is_asked_with_as_often_though_others_could_follow() -> None:
    """The job may be there, and paid for, and only asking again with its key finds it."""
    unknown = OutcomeUnknownError("no answer")
    made = services(*[unknown] * 4, PENDING)
    made.studio.recovery = "key"
    job = record(made).job()
    while job.status in ("queued", "ambiguous"):
        job = create(job, made) if job.status == "queued" else reconcile(job, made)
    assert (job.status, asked(made)) == ("pending", ["sora-2"] * 5)


def test_an_execution_that_did_not_see_the_fallback_looks_where_the_video_was_asked_for() -> None:
    made = services(GONE, PENDING)
    before = record(made).job()
    run(made)
    job = create(before.model_copy(update={"provider": "fal"}), made)
    assert (job.status, job.handle) == ("pending", HANDLE)
    assert (job.provider, job.request.model) == ("openai_videos", "other")
    assert (job.deadline_seconds, job.alternatives) == (600, (LAST,))


def test_a_lost_request_is_looked_for_at_the_provider_that_it_went_to() -> None:
    made = services(GONE, OutcomeUnknownError("no answer"), PENDING)
    made.studio.recovery = "key"
    before = record(made).job()
    run(made)
    job = reconcile(before.model_copy(update={"provider": "fal"}), made)
    assert (job.provider, job.request.model) == ("openai_videos", "other")


def test_a_key_that_cannot_be_read_is_no_refusal_of_the_provider() -> None:
    unreadable = KeyUnavailableError("The provider's key cannot be read now.")
    made = services(*[unreadable] * 3, PENDING)
    run(made)
    assert asked(made) == ["sora-2"] * 4
    assert record(made).notices == ("a notice",)
    made = services(*[unreadable] * 5)
    fail(run(made), made)
    failure = record(made).failure
    assert failure and (failure.code, failure.retryable) == ("internal", True)
    assert set(asked(made)) == {"sora-2"}
