"""The task Create Video: it asks the provider once, and says truthfully what came of it."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import PIL.Image
import pytest

from actionreel import endings, jobs
from actionreel.errors import (
    OutcomeUnknownError,
    ProviderError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.ledger import MAX_ASKS
from actionreel.models import Failure, ProviderAnswer, VideoJob
from actionreel.registry import Registry
from tests.fakes import (
    DONE,
    HANDLE,
    NOON,
    PENDING,
    REQUEST,
    FakeServices,
    a_job,
    a_video,
    at,
    failing,
    generating,
    record,
)

ASKED = ["record submitting", "asked"]


def test_create_writes_before_it_asks_and_after_it_was_answered() -> None:
    services = at("queued", PENDING.model_copy(update={"progress": 0}))
    job = jobs.create(a_job(), services)
    assert services.log == [*ASKED, "record generating"]
    fence = record(services).fence
    assert fence
    assert job == generating(wait_seconds=3, fence=fence)
    assert record(services) == a_video(
        status="generating",
        fence=fence,
        handle=HANDLE,
        asked_at=NOON,
        submitted_at=NOON,
        progress=0,
        next_check_at=NOON + timedelta(seconds=3),
    )


def test_every_request_has_a_fence_of_its_own_and_the_key_of_its_video() -> None:
    services = at("queued", *[ProviderThrottledError("429")] * 3)
    job, fences = a_job(), set()
    for _ in range(3):
        job = jobs.create(job, services)
        fences.add(record(services).fence)
    assert len(fences) == 3
    assert services.studio.keys == [job.video_id] * 3


def test_the_time_of_a_request_is_on_record_before_it_is_sent() -> None:
    """What a list shows is compared with it, and a sweep comes by it."""
    services = at("queued", OutcomeUnknownError("No answer."), created_at=NOON)
    services.wait(100)
    jobs.create(a_job(), services)
    assert record(services).asked_at == record(services).next_check_at == services.clock


def test_the_first_wait_is_what_the_model_took_before() -> None:
    services = at("queued", PENDING)
    services.videos.took["sora-2"] = [60] * 10
    assert jobs.create(a_job(), services).wait_seconds == 59


@pytest.mark.parametrize("webhook", [True, False])
def test_whether_a_webhook_will_come_is_the_provider_s_to_say(webhook: bool) -> None:
    """What an earlier request came to does not count."""
    services = at("queued", PENDING.model_copy(update={"webhook": webhook}))
    assert jobs.create(a_job(awaits_webhook=not webhook), services).awaits_webhook is webhook


def test_the_first_wait_never_passes_the_deadline() -> None:
    """A server that tells its times in mixed units must not stop all that come after it."""
    services = at("queued", PENDING)
    services.videos.took["sora-2"] = [1_793_510_000_000] * 10
    assert 1 <= (jobs.create(a_job(), services).wait_seconds or 0) <= 1800


# The provider certainly made no job


@pytest.mark.parametrize("error", [ProviderThrottledError("429"), ProviderUnavailableError("off")])
def test_what_certainly_made_no_job_is_asked_for_again(error: ProviderError) -> None:
    services = at("queued", error, PENDING)
    job = jobs.create(a_job(), services)
    assert (job.status, job.asks, job.trouble) == ("queued", 1, str(error))
    assert job.released == (record(services).fence,)
    assert (record(services).status, record(services).ambiguous) == ("queued", False)
    assert jobs.create(job, services).status == "pending"
    assert services.log == [*ASKED, "record queued", *ASKED, "record generating"]


@pytest.mark.parametrize(("said", "waits"), [(7, 7), (0.2, 1), (-3, 1), (9_999, 300)])
def test_what_the_provider_says_of_when_to_come_back_is_kept(said: float, waits: int) -> None:
    services = at("queued", ProviderThrottledError("429", retry_after=said))
    assert jobs.create(a_job(), services).wait_seconds == waits


def test_refusals_come_to_an_end() -> None:
    services = at("queued", *[ProviderThrottledError("Too many requests.")] * MAX_ASKS)
    job = a_job()
    for number in range(1, MAX_ASKS):
        job = jobs.create(job, services)
        assert (job.status, job.asks) == ("queued", number)
    job = jobs.create(job, services)
    endings.fail(job, services)
    assert services.log.count("asked") == MAX_ASKS
    assert job.failure == Failure(code="rate_limited", message="Too many requests.", retryable=True)
    assert (record(services).status, record(services).failure) == ("failed", job.failure)


def test_asks_that_run_out_after_one_that_nobody_can_tell_of_may_have_been_charged() -> None:
    services = at("queued", ProviderThrottledError("Too many requests."), ambiguous=True)
    endings.fail(jobs.create(a_job(asks=MAX_ASKS - 1), services), services)
    failure = record(services).failure
    assert failure is not None
    assert (record(services).status, failure.maybe_charged) == ("unknown", True)
    assert failure.message.endswith("Too many requests.")


def test_a_refusal_that_cannot_be_written_is_known_to_the_document() -> None:
    services = at("queued", ProviderUnavailableError("off"), PENDING)
    services.videos.before = failing("advance", status="queued")
    job = jobs.create(a_job(), services)
    assert (job.status, record(services).status) == ("queued", "submitting")
    assert job.released == (record(services).fence,)
    assert jobs.create(job, services).status == "pending"
    assert services.log.count("asked") == 2


# The provider refused, or nobody can tell


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProviderRejectedError("m"), "provider_rejected"),
        (ProviderRejectedError("m", "moderation"), "moderation"),
        (ProviderRejectedError("m", "quota"), "quota"),
        (ProviderRejectedError("m", "invalid_input"), "invalid_input"),
        (ProviderError("m"), "provider_unavailable"),
    ],
)
def test_a_refusal_ends_with_its_reason(error: ProviderError, code: str) -> None:
    services = at("queued", error)
    endings.fail(jobs.create(a_job(), services), services)
    failure = Failure.model_validate({"code": code, "message": "m"})
    assert (record(services).status, record(services).failure) == ("failed", failure)
    assert services.log == [*ASKED, "record failed"]


def test_a_provider_that_is_not_configured_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    services = at("queued")

    def none(_: str) -> Any:
        raise ProviderRejectedError("No video provider is configured.")

    monkeypatch.setattr(services, "provider", none)
    endings.fail(jobs.create(a_job(), services), services)
    assert record(services).status == "failed"


def test_what_may_have_been_accepted_is_left_to_reconcile() -> None:
    services = at("queued", OutcomeUnknownError("It did not answer."))
    job = jobs.create(a_job(), services)
    assert (job.status, job.fence, job.released) == ("ambiguous", record(services).fence, ())
    assert (record(services).status, services.log) == ("submitting", ASKED)
    assert jobs.create(job, services).status == "ambiguous"
    assert services.log == ASKED


# The provider accepted


def test_create_that_is_answered_at_once_needs_no_wait() -> None:
    services = at("queued", DONE)
    job = jobs.create(a_job(), services)
    assert (job.status, job.handle, record(services).status) == ("completed", HANDLE, "generating")
    jobs.store(job, services)
    assert record(services).status == "completed"


@pytest.mark.parametrize(
    ("phase", "code", "ending"),
    [("failed", "moderation", "failed"), ("cancelled", "cancelled", "cancelled")],
)
def test_create_can_be_answered_with_an_ending(phase: str, code: str, ending: str) -> None:
    failure = {"code": code, "message": "m"}
    answer = {"phase": phase, "handle": HANDLE, "failure": failure}
    services = at("queued", ProviderAnswer.model_validate(answer))
    job = jobs.create(a_job(), services)
    assert job.status == phase
    endings.fail(job, services)
    known = Failure.model_validate(failure)
    assert (record(services).status, record(services).failure) == (ending, known)


@pytest.mark.parametrize("recovery", ["list", "none"])
def test_a_job_that_was_accepted_is_not_lost_to_a_record_that_cannot_be_written(
    recovery: Any,
) -> None:
    services = at("queued", PENDING, DONE)
    services.studio.recovery = recovery
    services.videos.before = failing("take_job", status="generating")
    job = jobs.create(a_job(), services)
    assert (job.status, job.handle, record(services).status) == ("pending", HANDLE, "submitting")
    services.videos.before = lambda *_: None
    jobs.store(jobs.poll(job, services), services)
    assert (record(services).status, record(services).handle) == ("completed", HANDLE)


def test_a_job_that_is_another_video_s_is_not_taken() -> None:
    """That one adopted it from the list, while this answer was on its way."""
    services = at("queued", PENDING)
    services.studio.recovery = "list"
    services.videos.give_job("openai_videos", HANDLE, "default", "another video")
    job = jobs.create(a_job(), services)
    assert (job.status, job.handle, job.fence) == ("ambiguous", None, record(services).fence)
    assert (record(services).status, record(services).handle) == ("submitting", None)


# The reference


def leading_to(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionreel.url_guard._lookup", lambda *_: [address])


REFERRING = REQUEST.model_copy(update={"input_reference_url": "https://e.x/a.png", "size": None})


def test_a_reference_that_leads_to_a_private_address_is_not_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leading_to("10.0.0.1", monkeypatch)
    services = at("queued", PENDING)
    job = jobs.create(a_job(request=REFERRING), services)
    assert job.failure is not None
    assert job.failure.code == "invalid_action"
    endings.fail(job, services)
    assert (record(services).status, services.studio.keys) == ("failed", [])


def test_a_reference_that_leads_to_a_public_address_is_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leading_to("8.8.8.8", monkeypatch)
    services = at("queued", PENDING)
    assert jobs.create(a_job(request=REFERRING), services).status == "pending"


@pytest.mark.parametrize("status", ["generating", "storing", "completed"])
def test_a_second_run_does_not_judge_the_reference_anew(
    status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a name leads can change, but the video is being made, or is there."""
    leading_to("10.0.0.1", monkeypatch)
    job = jobs.create(a_job(request=REFERRING), at(status))
    assert job.status == ("stored" if status == "completed" else "pending")


BOAT = "https://e.x/boat.png"


def taking_bytes(services: FakeServices, **changes: Any) -> None:
    """Makes the provider one that fetches no URLs."""
    model = services.registry.find()
    offer = model.offers[0].model_copy(update={"takes_image": "bytes", **changes})
    models = (model.model_copy(update={"offers": (offer,)}),)
    services.registry = Registry(default=model.id, models=models)
    picture = BytesIO()
    PIL.Image.new("RGB", (300, 400)).save(picture, "PNG")
    services.images[BOAT] = picture.getvalue()


def from_image() -> VideoJob:
    request = REQUEST.model_copy(update={"input_reference_url": BOAT, "size": None})
    return a_job(request=request)


def test_who_takes_bytes_gets_the_image_as_it_is() -> None:
    services = at("queued", PENDING)
    taking_bytes(services)
    jobs.create(from_image(), services)
    [order] = services.studio.orders
    assert order.image and order.image.content == services.images[BOAT]
    assert (order.image.width, order.image.height, order.request.size) == (300, 400, None)


def test_where_it_must_be_the_image_gets_the_offered_size_of_its_shape() -> None:
    services = at("queued", PENDING)
    taking_bytes(services, exact_image=True)
    jobs.create(from_image(), services)
    [order] = services.studio.orders
    assert order.image
    with PIL.Image.open(BytesIO(order.image.content)) as sent:
        assert (sent.format, sent.size) == ("JPEG", (720, 1280))
    assert order.request.size == "720x1280"


def test_an_image_that_is_none_ends_the_video_before_anything_is_asked() -> None:
    services = at("queued")
    taking_bytes(services)
    services.images[BOAT] = b"<html>"
    job = jobs.create(from_image(), services)
    assert (job.status, services.studio.orders) == ("failed", [])
    assert job.failure and (job.failure.code, job.failure.maybe_charged) == (
        "invalid_action",
        False,
    )
    assert record(services).status == "queued"


def test_an_image_is_had_before_the_record_is_taken() -> None:
    """A function that is cut off while it fetches has certainly asked for nothing."""
    services = at("queued", PENDING)
    taking_bytes(services)
    jobs.create(from_image(), services)
    log = services.log
    assert log.index(f"fetched {BOAT}") < log.index("record submitting") < log.index("asked"), log
