"""What is Replicate's own: progress in a log, files in many shapes, deadlines, and its list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from actionreel.errors import (
    AssetUnavailableError,
    JobNotFoundError,
    NotListedError,
    ProviderError,
    ProviderRejectedError,
)
from actionreel.models import Handle, ProviderAnswer
from actionreel.orders import Offer
from actionreel.providers.config import ProviderConfig
from actionreel.providers.replicate import LIST_PAGES, Replicate, adapter
from tests.fakes import MP4, NOON
from tests.providers.kit import KEY, REQUEST
from tests.providers.replicate_kit import (
    CANCEL,
    CANCELED,
    COMPLETED,
    ID,
    KIT,
    POLL,
    REMOVED,
    RUNNING,
)
from tests.providers.server import ProviderServer, Reply, Routes, provider_server

HANDLE: Handle = {"id": ID}
LIST = "GET /predictions"
CALLBACK = "https://ours.example/webhooks/replicate/a.b"


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with provider_server() as running:
        yield running


def provider(server: ProviderServer, *scenes: Routes) -> Replicate:
    server.play(*scenes)
    return adapter(ProviderConfig(lambda *, fresh=False: KEY, {"base_url": server.url}))


def polled(server: ProviderServer, **changes: Any) -> ProviderAnswer:
    return provider(server, {POLL: Reply(200, RUNNING | changes)}).poll(HANDLE)


# Creates


def test_replicate_calls_us_once_where_it_was_told_to(server: ProviderServer) -> None:
    answer = provider(server, KIT.accepted).create(KIT.order(callback_url=CALLBACK))
    assert answer == ProviderAnswer(phase="pending", handle=HANDLE, webhook=True)
    [sent] = server.requests
    assert sent.json["webhook"] == CALLBACK
    assert sent.json["webhook_events_filter"] == ["completed"]


def test_replicate_calls_nobody_unasked(server: ProviderServer) -> None:
    assert not provider(server, KIT.accepted).create(KIT.order()).webhook
    assert set(server.requests[0].json) == {"input"}


def test_a_job_that_is_done_at_once(server: ProviderServer) -> None:
    done = COMPLETED | {"logs": RUNNING["logs"]}
    answer = provider(server, {KIT.create: Reply(200, done)}).create(KIT.order())
    assert answer == ProviderAnswer(phase="completed", handle=HANDLE, took_seconds=48)


def test_a_problem_may_have_no_more_than_a_title(server: ProviderServer) -> None:
    replicate = provider(server, {KIT.create: Reply(422, {"title": "No such field"})})
    with pytest.raises(ProviderRejectedError, match="No such field"):
        replicate.create(KIT.order())


# Polls


@pytest.mark.parametrize(
    ("logs", "progress"),
    [
        (RUNNING["logs"], 36),
        ("  0%|          | 0/50 [00:00<?, ?it/s]", 0),
        ("100%|##########| 50/50 [00:33<00:00]\nEncoding\n", 100),
        ("Sampling:   4%|4 | 2/50\rSampling:   8%|8 | 4/50\r", 8),
        ("Using seed: 41\n50% of the weights loaded", None),
        ("999%|", 100),
        ("", None),
        (None, None),
        ({"log": " 36%|"}, None),
    ],
)
def test_progress_is_the_last_that_the_log_shows(
    logs: Any, progress: int | None, server: ProviderServer
) -> None:
    assert polled(server, logs=logs).progress == progress


@pytest.mark.parametrize(
    "output",
    [
        "{base}/the-file",
        ["{base}/the-file", "{base}/another"],
        {"url": "{base}/the-file", "seed": 7},
        [{"url": "{base}/the-file"}],
        [None, 7, "a caption", "{base}/the-file"],
    ],
)
def test_files_in_many_shapes(output: Any, server: ProviderServer) -> None:
    done = {POLL: Reply(200, COMPLETED | {"output": output}), "GET /the-file": Reply(200, MP4)}
    replicate = provider(server, done)
    assert replicate.poll(HANDLE) == ProviderAnswer(phase="completed", took_seconds=48)
    with replicate.open_video(HANDLE) as asset:
        assert b"".join(asset.chunks) == MP4


@pytest.mark.parametrize("output", [None, "", "boat.mp4", "/boat.mp4", [], {}, {"url": None}, 7])
def test_what_is_no_file_may_have_been_charged(output: Any, server: ProviderServer) -> None:
    done = {POLL: Reply(200, COMPLETED | {"output": output})}
    answer = provider(server, done).poll(HANDLE)
    assert answer.phase == "failed"
    assert answer.failure is not None
    assert (answer.failure.code, answer.failure.maybe_charged) == ("expired", True)
    with pytest.raises(AssetUnavailableError), provider(server, done).open_video(HANDLE):
        pass


def test_what_did_not_begin_is_not_charged_and_what_was_stopped_may_be(
    server: ProviderServer,
) -> None:
    aborted = polled(server, status="aborted").failure
    stopped = provider(server, {POLL: Reply(200, CANCELED)}).poll(HANDLE).failure
    assert aborted is not None
    assert (aborted.maybe_charged, aborted.retryable) == (False, True)
    assert stopped is not None
    assert (stopped.maybe_charged, stopped.retryable) == (True, False)


def test_a_film_that_is_finished_is_not_cancelled(server: ProviderServer) -> None:
    done = {POLL: Reply(200, COMPLETED), CANCEL: Reply(200, CANCELED)}
    assert provider(server, done).cancel(HANDLE) == "too_late"
    assert server.sent("POST") == []


# The list


def listed(*jobs: dict[str, Any], following: Any = None) -> Reply:
    return Reply(200, {"previous": None, "next": following, "results": list(jobs)})


def entry(name: str, minutes: float = 1, **changes: Any) -> dict[str, Any]:
    """A prediction that was made that many minutes after noon."""
    made = (NOON + timedelta(minutes=minutes)).isoformat().replace("+00:00", ".12345678Z")
    return COMPLETED | {"id": name, "created_at": made, **changes}


OLD = entry("old", -1)
OTHER = entry("other", input={"prompt": "A paper boat", "duration": 8})


def found(server: ProviderServer, *pages: Reply, **order: Any) -> list[Any]:
    handles = provider(server, {LIST: pages}).find(KIT.order(**order), NOON)
    return [handle["id"] for handle in handles]


def test_a_job_is_known_by_its_prompt_and_its_age(server: ProviderServer) -> None:
    assert found(server, listed(OTHER, entry("ours"), OLD)) == ["ours"]
    [sent] = server.requests
    assert sent.headers["authorization"] == f"Bearer {KEY}"


def test_a_job_that_is_not_there(server: ProviderServer) -> None:
    assert found(server, listed(OTHER, OLD)) == []


def test_those_of_the_same_model_come_first(server: ProviderServer) -> None:
    jobs = [entry("theirs", model="google/veo-3.1"), entry("ours"), entry("maybe", model=None)]
    assert found(server, listed(*jobs)) == ["ours", "theirs", "maybe"]


def test_the_prompt_is_known_as_the_model_was_told_it(server: ProviderServer) -> None:
    offer = Offer(provider="replicate", name="a/b", input={"text": "{prompt}, in {seconds} s"})
    told = {"text": f"{REQUEST.prompt}, in 8 s", "seed": 7}
    jobs = listed(entry("ours", input=told), entry("another"))
    assert found(server, jobs, offer=offer) == ["ours"]


MINE, THEIRS = "https://a.example/my-cat.png", "https://b.example/their-passport.png"
KEPT = "uploads/default/0199f3a0.png"


def from_image(name: str, image: Any) -> dict[str, Any]:
    return entry(name, input={"prompt": REQUEST.prompt, "image": image})


def of_image(server: ProviderServer, image: str, *jobs: dict[str, Any]) -> list[Any]:
    request = REQUEST.model_copy(update={"input_reference_url": image})
    return found(server, listed(*jobs), request=request, offer=TAKES_IMAGES)


TAKES_IMAGES = KIT.offer.model_copy(update={"image_input": {"image": "{image}"}})


def test_what_starts_from_another_image_is_somebody_else_s(server: ProviderServer) -> None:
    jobs = [from_image("theirs", THEIRS), from_image("ours", MINE)]
    assert of_image(server, MINE, *jobs) == ["ours"]
    with pytest.raises(JobNotFoundError):  # theirs, or ours told in another way
        of_image(server, MINE, from_image("theirs", THEIRS), entry("without"))
    assert of_image(server, MINE, OTHER) == []
    plain = [*jobs, from_image("ours", ""), entry("ours too")]
    assert found(server, listed(*plain), offer=TAKES_IMAGES) == ["ours", "ours too"]


def test_an_image_that_we_keep_is_known_by_its_place_in_the_link(server: ProviderServer) -> None:
    link = f"https://bucket.s3.amazonaws.com/{KEPT}?X-Amz-Signature=abc"
    jobs = [from_image("theirs", link.replace("0199", "0200")), from_image("ours", [link])]
    assert of_image(server, f"upload:{KEPT}", *jobs) == ["ours"]


def test_the_list_is_read_up_to_what_is_older(server: ProviderServer) -> None:
    following = "{base}/predictions?cursor=cD0yMDI2"
    pages = (
        listed(OTHER, entry("ours"), following=following),
        listed(entry("ours too"), OLD, following=following),
        listed(entry("unseen", -2)),
    )
    assert found(server, *pages) == ["ours", "ours too"]
    assert [sent.path for sent in server.requests] == [
        "/predictions",
        "/predictions?cursor=cD0yMDI2",
    ]


def test_a_list_in_another_order_is_read_to_its_end(server: ProviderServer) -> None:
    following = "{base}/predictions?cursor=cD0yMDI2"
    pages = (listed(OLD, OTHER, following=following), listed(entry("ours")))
    assert found(server, *pages) == ["ours"]


def test_one_without_an_age_may_be_of_now(server: ProviderServer) -> None:
    assert found(server, listed(entry("ours", created_at="yesterday"))) == ["ours"]


def test_ages_are_told_in_any_time_zone(server: ProviderServer) -> None:
    zone = "2026-11-22T{}:30:00+02:00"
    jobs = [entry("ours", created_at=zone.format(14)), entry("old", created_at=zone.format(13))]
    assert found(server, listed(*jobs)) == ["ours"]


def test_what_was_deleted_long_ago_does_not_matter(server: ProviderServer) -> None:
    old = REMOVED | {"id": "old", "created_at": OLD["created_at"]}
    assert found(server, listed(entry("ours"), old)) == ["ours"]


@pytest.mark.parametrize(
    "reply",
    [
        listed(entry("ours"), REMOVED | {"created_at": OTHER["created_at"]}),
        listed(entry("ours", input=None)),
        listed(entry("ours", id=None)),
        listed(entry("ours"), following=7),
        listed(entry("ours"), following="https://api.example/predictions"),
        listed(entry("ours"), following="http://127.0.0.1:1/predictions"),
        listed(entry("ours"), following="{base}/predictions?cursor=again"),
        Reply(200, {"results": [OTHER]}),
        Reply(200, {"results": ["ours"], "next": None}),
        Reply(200, {"results": None, "next": None}),
        Reply(200, b"<html>"),
        Reply(404),
    ],
)
def test_a_list_that_cannot_tell(reply: Reply, server: ProviderServer) -> None:
    """A foreign one gets no key; one without an end is not read."""
    with pytest.raises(NotListedError):
        found(server, reply)
    assert len(server.requests) <= LIST_PAGES


def test_an_empty_list_proves_nothing_but_may_only_be_behind(server: ProviderServer) -> None:
    with pytest.raises(JobNotFoundError):
        found(server, listed())
    following = "{base}/predictions?cursor=cD0yMDI2"
    assert found(server, listed(entry("ours"), following=following), listed()) == ["ours"]
    assert found(server, listed(OTHER, following=following), listed()) == []


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_trouble_with_the_list_may_pass(status: int, server: ProviderServer) -> None:
    with pytest.raises(ProviderError) as caught:
        found(server, Reply(status))
    assert not isinstance(caught.value, NotListedError)
