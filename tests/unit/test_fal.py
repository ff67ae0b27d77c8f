"""What is fal's own: URLs that come with an answer, and a COMPLETED that is a failure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from actionreel.errors import (
    AssetUnavailableError,
    JobNotFoundError,
    NotListedError,
    OutcomeUnknownError,
    ProviderError,
)
from actionreel.models import Handle, ProviderAnswer
from actionreel.providers.config import ProviderConfig
from actionreel.providers.fal import Fal, adapter
from tests.fakes import NOON
from tests.providers.fal_kit import (
    COMPLETED,
    DONE,
    FINAL,
    FLAGGED,
    ID,
    JOB,
    KIT,
    QUEUED,
    RESULT,
    STATUS,
    TOO_LONG,
    broken,
    model_error,
    request_error,
)
from tests.providers.kit import KEY
from tests.providers.server import ProviderServer, Reply, Routes, provider_server

CALLBACK = "https://ours.example/webhooks/fal/a.b?c=d&e"


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with provider_server() as running:
        yield running


def provider(server: ProviderServer, *scenes: Routes) -> Fal:
    server.play(*scenes)
    return adapter(ProviderConfig(lambda *, fresh=False: KEY, {"base_url": server.url}))


def handle(server: ProviderServer) -> Handle:
    """The handle of the job that all scenes are about."""
    return {
        "id": ID,
        "status_url": f"{server.url}{JOB}/status",
        "response_url": f"{server.url}{JOB}",
        "cancel_url": f"{server.url}{JOB}/cancel",
    }


def polled(server: ProviderServer, *scenes: Routes) -> ProviderAnswer:
    return provider(server, *scenes).poll(handle(server))


def test_the_handle_is_what_the_answer_names(server: ProviderServer) -> None:
    answer = provider(server, KIT.accepted).create(KIT.order())
    assert answer == ProviderAnswer(phase="pending", handle=handle(server))


@pytest.mark.parametrize("name", ["status_url", "response_url", "cancel_url"])
@pytest.mark.parametrize(
    "url",
    [
        f"https://queue.example{JOB}",
        "https://{base}.queue.example/",
        "{base}@queue.example/",
        "@queue.example/",
        ".queue.example/",
        "http://127.0.0.1:1/",
        "https://queue.fal.run:99999/",
        "",
        None,
        7,
        ["{base}/"],
    ],
)
def test_the_key_goes_to_no_url_of_another_origin(
    name: str, url: Any, server: ProviderServer
) -> None:
    fal = provider(server, {KIT.create: Reply(200, QUEUED | {name: url})})
    with pytest.raises(OutcomeUnknownError):
        fal.create(KIT.order())


def test_fal_calls_us_where_it_was_told_to(server: ProviderServer) -> None:
    answer = provider(server, KIT.accepted).create(KIT.order(callback_url=CALLBACK))
    assert answer.webhook
    [sent] = server.requests
    assert parse_qs(urlsplit(sent.path).query) == {"fal_webhook": [CALLBACK]}


def test_fal_calls_nobody_unasked(server: ProviderServer) -> None:
    assert not provider(server, KIT.accepted).create(KIT.order()).webhook
    [sent] = server.requests
    assert urlsplit(sent.path).query == ""


def test_the_queue_repeats_what_breaks_down(server: ProviderServer) -> None:
    provider(server, KIT.accepted).create(KIT.order())
    [sent] = server.requests
    assert "x-fal-no-retry" not in sent.headers


@pytest.mark.parametrize("body", [b"", b"null", b"<html>", {}, {"status": None}])
def test_a_202_is_pending_whatever_it_says(body: Any, server: ProviderServer) -> None:
    assert polled(server, {STATUS: Reply(202, body)}) == ProviderAnswer(phase="pending")


def test_a_request_that_runs_has_no_result_to_look_at(server: ProviderServer) -> None:
    polled(server, KIT.pending["running"])
    assert [sent.path for sent in server.requests] == [f"{JOB}/status"]


def test_the_time_that_it_took_is_fals_own(server: ProviderServer) -> None:
    answer = polled(server, KIT.completed["a film"])
    assert answer == ProviderAnswer(phase="completed", took_seconds=58)


@pytest.mark.parametrize(
    ("reply", "retryable"),
    [
        (Reply(422, FLAGGED), False),
        (Reply(422, TOO_LONG), False),
        (Reply(500, model_error("internal_server_error", "Broken"), FINAL), False),
        (Reply(418, model_error("a_kind_of_tomorrow", "Broken")), True),
    ],
)
def test_a_result_that_is_an_error_is_a_failure(
    reply: Reply, retryable: bool, server: ProviderServer
) -> None:
    answer = polled(server, DONE, {RESULT: reply})
    assert answer.phase == "failed"
    assert answer.failure is not None
    assert answer.failure.retryable is retryable
    assert not answer.failure.maybe_charged
    assert reply.body["detail"][0]["msg"] in answer.failure.message


def test_an_error_of_the_queue_is_told(server: ProviderServer) -> None:
    scene = {STATUS: Reply(200, broken("Runner disconnected", "runner_disconnected"))}
    failure = polled(server, scene).failure
    assert failure is not None
    assert "Runner disconnected" in failure.message
    assert failure.retryable


def test_all_that_a_model_did_not_like_is_told(server: ProviderServer) -> None:
    both = {"detail": [*FLAGGED["detail"], "what is this", *TOO_LONG["detail"]]}
    failure = polled(server, DONE, {RESULT: Reply(422, both)}).failure
    assert failure is not None
    told = f"{FLAGGED['detail'][0]['msg']}; {TOO_LONG['detail'][0]['msg']}"
    assert told in failure.message


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, request_error("Something broke")),
        Reply(504, model_error("generation_timeout", "Slow"), {"X-Fal-Retryable": "true"}),
        Reply(503, b"<html>nginx</html>"),
        Reply(429, request_error("Slow down")),
        Reply(403, request_error("User is locked.")),
        Reply(302, headers={"Location": "https://elsewhere.example/"}),
        Reply(200, b"<html>"),
    ],
)
def test_trouble_with_the_result_is_not_the_jobs(reply: Reply, server: ProviderServer) -> None:
    with pytest.raises(ProviderError) as caught:
        polled(server, DONE, {RESULT: reply})
    assert not isinstance(caught.value, JobNotFoundError)


def test_a_request_that_was_cancelled_in_the_queue(server: ProviderServer) -> None:
    said = broken("The request was cancelled by the client.", "client_cancelled")
    answer = polled(server, {STATUS: Reply(200, said)})
    assert answer.phase == "cancelled"


def test_a_result_that_is_gone_is_not_found(server: ProviderServer) -> None:
    with pytest.raises(JobNotFoundError):
        polled(server, DONE)


@pytest.mark.parametrize("film", [None, {}, {"url": None}, {"url": "/boat.mp4"}, "boat.mp4", 7, []])
def test_a_result_without_a_film_may_have_been_charged(film: Any, server: ProviderServer) -> None:
    scene = {**DONE, RESULT: Reply(200, {"video": film, "seed": 7})}
    answer = polled(server, scene)
    assert answer.phase == "failed"
    assert answer.failure is not None
    assert answer.failure.maybe_charged
    assert not answer.failure.retryable
    fal = provider(server, scene)
    with pytest.raises(AssetUnavailableError), fal.open_video(handle(server)):
        pass


def test_metrics_of_any_shape_do_not_matter(server: ProviderServer) -> None:
    shapes: list[Any] = [None, [58], {}, {"inference_time": "58"}, {"inference_time": None}]
    for metrics in shapes:
        scene = {STATUS: Reply(200, COMPLETED | {"metrics": metrics})}
        answer = polled(server, KIT.completed["a film"], scene)
        assert answer == ProviderAnswer(phase="completed")


def test_there_is_no_list(server: ProviderServer) -> None:
    fal = provider(server)
    assert fal.recovery == "none"
    with pytest.raises(NotListedError):
        fal.find(KIT.order(), NOON)
    assert server.requests == []
