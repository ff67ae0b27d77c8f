"""The tasks of the state machine that talk to a provider: VideoJob in, VideoJob out.

What belongs to the story comes back in the document (`status`, with a `failure`); what is trouble
is raised, and the state machine retries or catches it by its class name. The record is written
before the document is returned, each time on the condition that nobody has been there before.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from actionreel import offers
from actionreel.errors import (
    ActionreelError,
    InvalidActionError,
    JobNotFoundError,
    KeyUnavailableError,
    OutcomeUnknownError,
    ProviderError,
    ProviderThrottledError,
    ProviderUnavailableError,
    QuotaError,
    RecordUnavailableError,
    StaleVideoError,
)
from actionreel.failures import failure_of, overdue
from actionreel.ledger import advance, as_recorded, ask_again, asks_here, ended, record_job
from actionreel.models import ProviderAnswer, StoredObject, VideoJob, file_key
from actionreel.mp4 import whole_mp4
from actionreel.ports import Services
from actionreel.posters import store_poster
from actionreel.schedule import first_wait, next_wait

LAG_SECONDS = 60  # a provider may need that long until it knows a job that it has just accepted
LOOK_SOON_SECONDS = 5
_PAUSED = "This was paused before a provider was asked for the video; nothing was charged."


def create(job: VideoJob, services: Services) -> VideoJob:
    """Asks the provider for the video, once.

    The record says `submitting`, under a fence of this request, before it leaves: no other run of
    this task can send another one. What certainly made no job lets the state machine ask again;
    what may have made one is `ambiguous`, and never asked again from here.
    """
    fence = str(uuid4())
    now = services.now()
    try:
        image = offers.start_image(job, services)  # takes its time, so before the record is taken
    except InvalidActionError as error:
        return _unasked(job, error, services)
    try:
        if services.accounts.paused(job.tenant):
            return _unasked(job, QuotaError(_PAUSED), services)
        wait = _first_wait(job, services)
        video = services.videos.claim(
            job.tenant,
            job.video_id,
            fence,
            job.released,
            asked_at=now,
            next_check_at=now,
            **offers.asked_for(job),
        )
    except StaleVideoError as stale:
        return as_recorded(job, stale.video)
    except Exception as trouble:  # whatever it was, under this fence nothing was asked
        unwritten = RecordUnavailableError("The record of this video cannot be written now.")
        return ask_again(job, fence, unwritten, trouble=type(trouble).__name__)
    try:
        provider = services.provider(job.provider)
        answer = provider.create(offers.order(job, services, image))
    except KeyUnavailableError as error:
        _give_back(job, fence, services)
        return ask_again(job, fence, error)
    except (ProviderThrottledError, ProviderUnavailableError) as refusal:
        _give_back(job, fence, services)
        most = asks_here(job, video)
        return offers.or_next(ask_again(job, fence, refusal, most=most), video)
    except OutcomeUnknownError as error:
        return _ambiguous(job, fence, str(error))
    except ProviderError as error:
        refused = ended(job.model_copy(update={"fence": fence}), failure_of(error))
        following = offers.or_next(refused, video)
        if following.status == "queued":
            _give_back(job, fence, services)
        return following
    told = {"submitted_at": services.now(), "awaits_webhook": answer.webhook}
    asked = job.model_copy(update={"fence": fence, **told})
    accepted = _heard(asked, answer, wait)
    try:
        if not record_job(accepted, services, progress=answer.progress):
            return _ambiguous(job, fence, "The provider's job belongs to another video.")
    except StaleVideoError as stale:
        return as_recorded(accepted, stale.video)
    except Exception:  # the document has the handle: the next task brings the record up to date
        return accepted
    return accepted


def poll(job: VideoJob, services: Services) -> VideoJob:
    """Looks at the job once. Trouble with the look is not trouble with the job: we look again.

    Gives up with `timeout` when the model's deadline has passed.
    """
    assert job.handle is not None and job.submitted_at is not None
    now = services.now()
    elapsed = (now - job.submitted_at).total_seconds()
    trouble: str | None = None
    try:
        answer = services.provider(job.provider).poll(job.handle)
    except JobNotFoundError as error:
        job = job.model_copy(update={"not_found": job.not_found + 1})
        if elapsed > LAG_SECONDS and job.not_found > 1:
            return ended(job, failure_of(error, maybe_charged=True))
        answer = ProviderAnswer(phase="pending")
    except ProviderError as error:
        answer = ProviderAnswer(phase="pending")
        trouble = str(error)
    else:
        job = job.model_copy(update={"not_found": 0})
    job = job.model_copy(update={"trouble": trouble})
    if answer.phase != "pending":
        return _heard(job, answer, 0)

    remaining = job.deadline_seconds - elapsed
    if remaining <= 0:
        return ended(job, overdue(job, elapsed))
    silent = job.awaits_webhook and answer.progress is None and trouble is None
    wait = max(1, min(next_wait(elapsed, silent), round(remaining)))
    changes: dict[str, Any] = {"next_check_at": now + timedelta(seconds=wait)}
    if answer.progress is not None:
        changes["progress"] = answer.progress
    try:
        advance(job, services, {"generating"}, **changes)
    except StaleVideoError as stale:
        return as_recorded(job, stale.video)
    return _heard(job, answer, wait)


def store(job: VideoJob, services: Services) -> VideoJob:
    """Copies the finished file, and a poster if there is one, and completes the record.

    Raises AssetError and its kinds; nothing is kept of a file that is not whole.
    """
    assert job.handle is not None
    now = services.now()
    try:
        advance(
            job,
            services,
            {"generating", "storing"},
            status="storing",
            progress=100,
            next_check_at=now,
        )
    except StaleVideoError as stale:
        return as_recorded(job, stale.video)
    provider = services.provider(job.provider)
    key = file_key(job.tenant, job.video_id, "mp4")
    with provider.open_video(job.handle) as asset:
        if isinstance(asset, StoredObject):
            size = services.storage.copy(asset, key, "video/mp4")
        else:
            size = services.storage.save(key, whole_mp4(asset.chunks), "video/mp4")
    try:
        advance(
            job,
            services,
            {"storing"},
            status="completed",
            bytes=size,
            poster_key=store_poster(job, provider, services),
            completed_at=services.now(),
            cost_usd=_list_price(job, services) if job.cost_usd is None else job.cost_usd,
            delivery="owed" if job.tell else None,
        )
    except StaleVideoError as stale:
        return as_recorded(job, stale.video)
    services.measure("VideosCompleted")
    if job.took_seconds is not None and 0 < job.took_seconds <= job.deadline_seconds:
        services.videos.add_duration(job.request.model, job.took_seconds)
    return job.model_copy(update={"status": "stored"})


def _unasked(job: VideoJob, error: ActionreelError, services: Services) -> VideoJob:
    """The end of a video for which nobody is to be asked; unless an earlier run of this task has
    asked for it."""
    video = services.videos.get(job.tenant, job.video_id)
    if video is None or (video.status != "queued" and video.fence not in job.released):
        return as_recorded(job, video)
    return ended(job, failure_of(error))


def _first_wait(job: VideoJob, services: Services) -> int:
    durations = services.videos.durations(job.request.model)
    try:
        usual = services.registry.find(job.request.model).first_wait_seconds
    except InvalidActionError:
        usual = LOOK_SOON_SECONDS  # the model has left the registry since
    return min(first_wait(durations, otherwise=usual), job.deadline_seconds)


def _give_back(job: VideoJob, fence: str, services: Services) -> None:
    """Puts the record back to `queued`. If that fails, the document still knows that the request
    under this fence made no job."""
    try:
        services.videos.advance(
            job.tenant, job.video_id, {"submitting"}, expect={"fence": fence}, status="queued"
        )
    except Exception:
        return


def _ambiguous(job: VideoJob, fence: str, trouble: str) -> VideoJob:
    asked = {"fence": fence, "trouble": trouble, "wait_seconds": 1}
    return job.model_copy(update={"status": "ambiguous", "handle": None, **asked})


def _heard(job: VideoJob, answer: ProviderAnswer, wait: int) -> VideoJob:
    """The document after the provider's answer. The first handle is kept if it gives no other, and
    a price that it names before the end is none yet."""
    return job.model_copy(
        update={
            "status": answer.phase,
            "handle": answer.handle if job.handle is None else job.handle,
            "wait_seconds": wait,
            "took_seconds": answer.took_seconds,
            "cost_usd": None if answer.phase == "pending" else answer.cost_usd,
            "failure": answer.failure,
        }
    )


def _list_price(job: VideoJob, services: Services) -> Decimal | None:
    request = job.request
    try:
        return services.registry.list_price(request.model, job.provider, request.seconds)
    except Exception:  # no parameter that cannot be used is worth a film that is paid for
        return None
