"""The task Store Video: it keeps the file, whole or not at all, and completes the record."""

from __future__ import annotations

from contextlib import nullcontext
from decimal import Decimal
from typing import Any

import pytest

from actionreel import jobs
from actionreel.errors import (
    AssetError,
    AssetIncompleteError,
    AssetUnavailableError,
    AssetUnusableError,
    ProviderRejectedError,
)
from actionreel.models import file_key
from tests.fakes import (
    FENCE,
    HANDLE,
    MP4,
    NOON,
    REFUSED,
    VIDEO_ID,
    WEBP,
    a_video,
    at,
    cases,
    failing,
    generating,
    record,
)


def test_store_keeps_the_file_and_completes_the_record() -> None:
    services = at("generating")
    services.studio.video = [MP4[:30], MP4[30:]]
    services.studio.poster = [WEBP[:15], WEBP[15:]]
    services.wait(100)
    job = generating(status="completed", took_seconds=142)
    assert jobs.store(job, services) == job.model_copy(update={"status": "stored"})
    assert services.log == ["record storing", "saved mp4", "saved webp", "record completed"]
    assert services.storage.files == {
        file_key("default", VIDEO_ID, "mp4"): (MP4, "video/mp4"),
        file_key("default", VIDEO_ID, "webp"): (WEBP, "image/webp"),
    }
    assert record(services) == a_video(
        status="completed",
        fence=FENCE,
        handle=HANDLE,
        asked_at=NOON,
        submitted_at=NOON,
        completed_at=services.clock,
        next_check_at=services.clock,
        progress=100,
        bytes=len(MP4),
        poster_key=file_key("default", VIDEO_ID, "webp"),
        cost_usd=Decimal("0.80"),
    )
    assert services.videos.took == {"sora-2": [142]}


@pytest.mark.parametrize("cost", [Decimal(0), Decimal("0.123")])
def test_the_provider_s_own_price_counts(cost: Decimal) -> None:
    services = at("generating")
    jobs.store(generating(status="completed", cost_usd=cost), services)
    assert record(services).cost_usd == cost
    assert services.videos.took == {}


def test_a_registry_that_cannot_be_read_does_not_cost_the_film() -> None:
    """A bad VideoModels parameter, put there while the video was made."""

    class Unreadable:
        def list_price(self, *asked: object) -> Decimal:
            raise ValueError("the parameter VideoModels cannot be used")

    services = at("generating")
    unreadable: Any = Unreadable()
    services.registry = unreadable
    jobs.store(generating(status="completed"), services)
    assert (record(services).status, record(services).cost_usd) == ("completed", None)


def test_a_duration_that_cannot_be_is_not_learned_from() -> None:
    """Seconds from one field and milliseconds from the other, as some servers tell them."""
    services = at("generating")
    jobs.store(generating(took_seconds=1_793_510_000_000), services)
    assert record(services).status == "completed"
    assert services.videos.took == {}


@pytest.mark.parametrize(
    "poster",
    cases(
        {
            "none": AssetUnavailableError("404"),
            "unreachable": AssetIncompleteError("503"),
            "no key": ProviderRejectedError("no key"),
            "ends early": [WEBP, AssetIncompleteError("cut")],
            "empty": [],
            "a page": [b"<!doctype html>"],
        }
    ),
)
def test_a_video_without_a_poster_is_a_video_all_the_same(poster: Any) -> None:
    services = at("generating")
    services.studio.poster = poster
    jobs.store(generating(), services)
    assert (record(services).status, record(services).poster_key) == ("completed", None)
    assert list(services.storage.files) == [file_key("default", VIDEO_ID, "mp4")]


@pytest.mark.parametrize(("extension", "status"), [("webp", "completed"), ("mp4", "storing")])
def test_a_bucket_that_takes_no_file(extension: str, status: str) -> None:
    services = at("generating")
    services.studio.poster = [WEBP]
    services.storage.trouble = {extension: AssetError("The file could not be stored.")}
    with nullcontext() if status == "completed" else pytest.raises(AssetError):
        jobs.store(generating(), services)
    assert (record(services).status, record(services).poster_key) == (status, None)


def test_a_poster_is_known_however_its_bytes_arrive() -> None:
    services = at("generating")
    services.studio.poster = [WEBP[i : i + 1] for i in range(len(WEBP))]
    jobs.store(generating(), services)
    assert services.storage.files[str(record(services).poster_key)] == (WEBP, "image/webp")


@pytest.mark.parametrize(
    ("video", "error"),
    cases(
        {
            "unavailable": (AssetUnavailableError("404"), AssetUnavailableError),
            "ends early": ([MP4[:-1]], AssetIncompleteError),
            "breaks off": ([MP4, AssetIncompleteError("cut")], AssetIncompleteError),
            "empty": ([], AssetIncompleteError),
            "a page": ([b"<!doctype html>"], AssetUnusableError),
        }
    ),
)
def test_a_file_that_is_not_a_whole_video_is_not_kept(video: Any, error: type[AssetError]) -> None:
    services = at("generating")
    services.studio.video = video
    with pytest.raises(error):
        jobs.store(generating(), services)
    assert (record(services).status, services.storage.files) == ("storing", {})
    services.studio.video = [MP4]
    jobs.store(generating(), services)
    assert record(services).status == "completed"


def test_store_that_has_lost_to_another_run_does_not_complete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = at("generating")

    def close(_: Any) -> Any:
        services.videos.advance("default", VIDEO_ID, {"storing"}, status="failed", failure=REFUSED)
        raise AssetUnavailableError("404")

    monkeypatch.setattr(services.studio, "open_poster", close)
    job = jobs.store(generating(took_seconds=9), services)
    assert (job.status, job.failure, services.videos.took) == ("failed", REFUSED, {})
    assert (record(services).status, record(services).failure) == ("failed", REFUSED)


def test_store_brings_a_record_up_to_date_that_create_could_not_write_on() -> None:
    services = at("submitting")
    assert jobs.store(generating(), services).status == "stored"
    assert (record(services).status, record(services).handle) == ("completed", HANDLE)


def test_a_file_that_was_stored_by_another_run_is_done() -> None:
    services = at("completed")
    before = record(services)
    assert jobs.store(generating(), services).status == "stored"
    assert (record(services), services.log) == (before, [])


@pytest.mark.parametrize("status", ["queued", "submitting", "generating", "storing"])
def test_store_of_an_older_request_touches_neither_the_record_nor_a_file(status: str) -> None:
    services = at(status, fence="a later request")
    before = record(services)
    jobs.store(generating(), services)
    assert (record(services), services.storage.files) == (before, {})


def test_the_write_of_the_ending_can_get_lost_and_is_made_again() -> None:
    services = at("generating")
    services.videos.after = failing("advance", status="completed")
    with pytest.raises(ConnectionError):
        jobs.store(generating(), services)
    services.videos.after = lambda *_: None
    assert jobs.store(generating(), services).status == "stored"
    assert record(services).status == "completed"
