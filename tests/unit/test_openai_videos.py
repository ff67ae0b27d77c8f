"""The OpenAI Videos protocol: what is sent, and what each answer means."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from actionreel.errors import (
    ActionreelError,
    AssetError,
    AssetIncompleteError,
    AssetUnavailableError,
    AssetUnusableError,
    JobNotFoundError,
    OutcomeUnknownError,
    ProviderError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.models import Handle, ProviderAnswer
from actionreel.providers import transport
from actionreel.providers.openai_videos import OpenAIVideos
from local.template import Template
from tests.fakes import REQUEST, cases

KEY = "sk-a-key-that-nobody-may-see"
BASE = "https://provider.test/v1"
HANDLE: Handle = {"id": "video_68f0a1b2c3d4"}

# Bodies as the servers send them: OpenAI's, and those of servers that are compatible with it.
VIDEO = {
    "id": "video_68f0a1b2c3d4",
    "object": "video",
    "model": "sora-2",
    "status": "queued",
    "progress": 0,
    "created_at": 1795305600,
    "completed_at": None,
    "expires_at": None,
    "seconds": "8",
    "size": "1280x720",
    "prompt": "A paper boat on a canal",
    "remixed_from_video_id": None,
    "error": None,
}
RUNNING = VIDEO | {"status": "in_progress", "progress": 42}
COMPLETED = VIDEO | {
    "status": "completed",
    "progress": 100,
    "completed_at": 1795305742,
    "expires_at": 1795309342,
}
FAILED = VIDEO | {
    "status": "failed",
    "progress": 17,
    "error": {
        "code": "moderation_blocked",
        "message": "The request was rejected by the safety system.",
    },
}


def error_body(message: str, kind: str | None = None, code: Any = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


INVALID = error_body("Invalid value for seconds.", "invalid_request_error", "invalid_value")
QUOTA = error_body("You exceeded your quota.", "insufficient_quota", "insufficient_quota")
NO_MODEL = error_body("The model does not exist.", "invalid_request_error", "model_not_found")
LIMIT = error_body("Rate limit reached for deployment", "throttling_error", "429")
BUDGET = error_body("Budget has been exceeded!", "budget_exceeded", "400")
POLICY = error_body("Refused.", "image_generation_user_error", "content_policy_violation")
DETAIL = {"detail": [{"type": "missing", "loc": ["body", "prompt"], "msg": "Field required"}]}

Body = Any  # bytes as they are, anything else as JSON
Answer = Callable[[httpx.Request], httpx.Response]


def answer(status: int, body: Body = b"", **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(status, stream=httpx.ByteStream(content), headers=named)


def trouble(error: type[httpx.HTTPError]) -> Answer:
    def raising(request: httpx.Request) -> httpx.Response:
        raise error(f"with {request.headers['authorization']}")

    return raising


class Server(OpenAIVideos):
    """The adapter before a server that gives one answer, and keeps the requests."""

    def __init__(
        self, answer: Answer, base: str = BASE, key: Callable[[], str] = lambda: KEY
    ) -> None:
        self.requests: list[httpx.Request] = []

        def handle(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return answer(request)

        client = httpx.Client(transport=httpx.MockTransport(handle))
        super().__init__(base, key, client)


def raised(call: Callable[[], Any]) -> ActionreelError:
    """The error of ours that the call raises, in which the key must not stand."""
    with pytest.raises(ActionreelError) as caught:
        call()
    assert KEY not in str(caught.value)
    assert str(caught.value)
    return caught.value


# Create


def test_create_sends_the_request_once() -> None:
    server = Server(answer(200, VIDEO), base=f"{BASE}/")
    assert server.create(REQUEST) == ProviderAnswer(phase="pending", handle=HANDLE, progress=0)
    [request] = server.requests
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/videos")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(request.content) == {
        "model": "sora-2",
        "prompt": "a paper boat",
        "seconds": "8",
        "size": "1280x720",
    }


def test_a_reference_is_sent_in_place_of_the_size() -> None:
    server = Server(answer(200, VIDEO))
    url = "https://e.x/a.png"
    server.create(REQUEST.model_copy(update={"size": None, "input_reference_url": url}))
    body = json.loads(server.requests[0].content)
    assert body["input_reference"] == {"image_url": url}
    assert "size" not in body


@pytest.mark.parametrize("status", [200, 201, 202])
def test_every_success_is_an_acceptance(status: int) -> None:
    assert Server(answer(status, VIDEO)).create(REQUEST).handle == HANDLE


def test_create_can_be_answered_with_the_finished_video() -> None:
    done = Server(answer(200, COMPLETED)).create(REQUEST)
    assert (done.phase, done.handle, done.took_seconds) == ("completed", HANDLE, 142)


@pytest.mark.parametrize(
    "body",
    cases(
        {
            "a number that is none": json.dumps(VIDEO | {"progress": float("nan")}).encode(),
            "half a surrogate pair": json.dumps(VIDEO | {"prompt": "a boat \ud83d"}).encode(),
            "a price that is none": VIDEO | {"usage": {"cost": "NaN"}},
            "a number without end": VIDEO | {"progress": 10**400, "created_at": 10**400},
            "an endless price": VIDEO | {"usage": {"cost": "Infinity"}},
            "the least": {"id": VIDEO["id"]},
        }
    ),
)
def test_a_job_is_not_lost_to_what_else_its_answer_says(body: Body) -> None:
    assert Server(answer(200, body)).create(REQUEST).handle == HANDLE


@pytest.mark.parametrize(
    ("status", "body", "category"),
    cases(
        {
            "301": (301, b"", "provider_rejected"),
            "307": (307, b"", "provider_rejected"),
            "400": (400, INVALID, "invalid_input"),
            "400 for its content": (400, POLICY, "moderation"),
            "400 without credit": (400, BUDGET, "quota"),
            "401": (401, error_body(f"Incorrect key: {KEY}"), "provider_rejected"),
            "402": (402, QUOTA, "quota"),
            "403": (403, b"", "provider_rejected"),
            "403 for its content": (403, FAILED, "moderation"),
            "404": (404, NO_MODEL, "provider_rejected"),
            "404 page": (404, b"<html>", "provider_rejected"),
            "413": (413, b"", "invalid_input"),
            "422": (422, DETAIL, "invalid_input"),
            "422 for its content": (422, POLICY, "moderation"),
            "429 without credit": (429, QUOTA, "quota"),
            "429 without budget": (429, BUDGET, "quota"),
        }
    ),
)
def test_a_refusal_is_final(status: int, body: Body, category: str) -> None:
    server = Server(answer(status, body))
    error = raised(lambda: server.create(REQUEST))
    assert isinstance(error, ProviderRejectedError)
    assert error.category == category
    assert len(server.requests) == 1


def test_a_refusal_tells_what_the_provider_says() -> None:
    error = raised(lambda: Server(answer(400, INVALID)).create(REQUEST))
    assert str(error).endswith("Invalid value for seconds.")
    endless = error_body("x" * 10_000)
    assert len(str(raised(lambda: Server(answer(400, endless)).create(REQUEST)))) < 400


@pytest.mark.parametrize("body", [LIMIT, b"", b"<html>"])
def test_429_is_for_now(body: Body) -> None:
    server = Server(answer(429, body, retry_after="1"))
    assert isinstance(raised(lambda: server.create(REQUEST)), ProviderThrottledError)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    cases(
        {
            **{str(status): (status, b"") for status in (408, 409, 425, 500, 502, 503, 504)},
            "500 with an error": (500, error_body("boom", "server_error")),
            "503 page": (503, b"<html>"),
            "200 page": (200, b"<!doctype html>"),
            "200 nothing": (200, b""),
            "200 cut": (200, b'{"id": "vid'),
            "200 list": (200, [VIDEO]),
            "200 string": (200, "video_1"),
            "200 not UTF-8": (200, b'{"id": "\xff"}'),
            "200 without an id": (200, {"status": "queued"}),
            "200 empty id": (200, VIDEO | {"id": ""}),
            "200 null id": (200, VIDEO | {"id": None}),
            "200 id of another kind": (200, VIDEO | {"id": {"a": 1}}),
            "200 half a surrogate pair for an id": (200, VIDEO | {"id": "\ud800"}),
            "200 too long": (200, VIDEO | {"prompt": "x" * 1024 * 1024}),
        }
    ),
)
def test_an_unclear_answer_may_be_an_acceptance(status: int, body: Body) -> None:
    server = Server(answer(status, body))
    error = raised(lambda: server.create(REQUEST))
    assert isinstance(error, OutcomeUnknownError)
    assert "may charge" in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol],
)
def test_without_a_connection_nothing_was_asked(error: type[httpx.HTTPError]) -> None:
    server = Server(trouble(error))
    assert isinstance(raised(lambda: server.create(REQUEST)), ProviderUnavailableError)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError]
)
def test_on_a_connection_anything_may_have_been_asked(error: type[httpx.HTTPError]) -> None:
    server = Server(trouble(error))
    assert isinstance(raised(lambda: server.create(REQUEST)), OutcomeUnknownError)
    assert len(server.requests) == 1


def test_a_request_that_could_not_be_written_was_not_sent() -> None:
    """As with a key that was pasted with its line end: the header is refused, and nothing sent."""
    error = raised(lambda: Server(trouble(httpx.LocalProtocolError)).create(REQUEST))
    assert isinstance(error, ProviderError)
    assert not isinstance(error, OutcomeUnknownError)


# Poll


PHASES = {
    "pending": "queued pending starting submitted in_queue preparing queueing throttled waiting "
    "created in_progress processing running inprogress preprocessing dreaming generating "
    "cancelling requires_continuation IN_PROGRESS a_word_of_tomorrow",
    "completed": "completed succeeded succeed success done COMPLETED Succeeded",
    "failed": "failed fail error expired incomplete budget_exceeded FAILED",
    "cancelled": "cancelled canceled aborted deleted Cancelled",
}


@pytest.mark.parametrize(
    ("word", "phase"), [(word, phase) for phase in PHASES for word in PHASES[phase].split()]
)
def test_the_words_for_how_a_job_stands(word: str, phase: str) -> None:
    assert Server(answer(200, VIDEO | {"status": word})).poll(HANDLE).phase == phase


def test_poll_asks_for_the_job() -> None:
    server = Server(answer(200, RUNNING))
    assert server.poll(HANDLE) == ProviderAnswer(phase="pending", progress=42)
    [request] = server.requests
    assert (request.method, str(request.url)) == ("GET", f"{BASE}/videos/{HANDLE['id']}")
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_a_finished_job() -> None:
    done = ProviderAnswer(phase="completed", progress=100, took_seconds=142)
    assert Server(answer(200, COMPLETED)).poll(HANDLE) == done


def test_an_id_is_one_segment_of_the_path() -> None:
    server = Server(answer(200, RUNNING))
    server.poll({"id": "video_a/b+c==?d#e%2f"})
    assert server.requests[0].url.raw_path == b"/v1/videos/video_a%2Fb%2Bc%3D%3D%3Fd%23e%252f"


@pytest.mark.parametrize(
    ("progress", "shown"),
    [(0, 0), (41.6, 42), (100, 100), (250, 100), (-3, 0), (None, None), ("42", None), (True, None)],
)
def test_progress(progress: Any, shown: int | None) -> None:
    assert Server(answer(200, RUNNING | {"progress": progress})).poll(HANDLE).progress == shown


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "9" * 400])
def test_progress_that_is_no_number_does_not_hide_the_rest(number: str) -> None:
    body = json.dumps(COMPLETED | {"progress": "?"}).replace('"?"', number).encode()
    polled = Server(answer(200, body)).poll(HANDLE)
    assert polled.phase == "completed"
    assert polled.progress in (None, 100)


@pytest.mark.parametrize(
    ("error", "code", "retryable", "told"),
    cases(
        {
            "moderation": (FAILED["error"], "moderation", False, "safety system."),
            "policy": ({"code": "content_policy", "message": "m"}, "moderation", False, "m"),
            "policy by type": ({"type": "safety_error"}, "moderation", False, "content."),
            "quota": ({"code": "insufficient_quota"}, "quota", False, "credit left."),
            "budget": ({"type": "budget_exceeded"}, "quota", False, "credit left."),
            "only a message": ({"message": "CUDA error"}, "provider_rejected", True, "CUDA error"),
            "a number": ({"code": 500, "message": "m"}, "provider_rejected", True, "m"),
            "nothing": (None, "provider_rejected", True, "could not make this video."),
            "a text": ("boom", "provider_rejected", True, "video."),
            "odd kinds": ({"code": [1], "message": {}}, "provider_rejected", True, "video."),
        }
    ),
)
def test_why_a_job_failed(error: Any, code: str, retryable: bool, told: str) -> None:
    failure = Server(answer(200, FAILED | {"error": error})).poll(HANDLE).failure
    assert failure is not None
    assert (failure.code, failure.retryable) == (code, retryable)
    assert failure.message.endswith(told)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("expired", "expired"),
        ("Expired", "expired"),
        ("cancelled", "cancelled"),
        ("deleted", "cancelled"),
    ],
)
def test_other_endings_have_their_own_code(status: str, code: str) -> None:
    failure = Server(answer(200, VIDEO | {"status": status})).poll(HANDLE).failure
    assert failure is not None
    assert failure.code == code


def test_a_reason_can_always_be_written_down() -> None:
    body = FAILED | {"error": {"code": "server_error", "message": "half of \ud83d"}}
    failure = Server(answer(200, body)).poll(HANDLE).failure
    assert failure is not None
    failure.message.encode()


@pytest.mark.parametrize(
    ("cost", "price"),
    [
        (0, "0"),
        (0.4, "0.4"),
        ("1.25", "1.25"),
        (None, None),
        (True, None),
        ("free", None),
        ("NaN", None),
        ("-Infinity", None),
        ([1], None),
    ],
)
def test_the_price(cost: Any, price: str | None) -> None:
    polled = Server(answer(200, COMPLETED | {"usage": {"cost": cost}})).poll(HANDLE)
    assert polled.cost_usd == (None if price is None else Decimal(price))


@pytest.mark.parametrize("times", [(None, 9), (0, 9), (9, 8), ("1", "9"), (True, 9), (9, None)])
def test_times_that_tell_nothing(times: tuple[Any, Any]) -> None:
    body = COMPLETED | {"created_at": times[0], "completed_at": times[1], "usage": [1]}
    assert Server(answer(200, body)).poll(HANDLE).took_seconds is None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    cases(
        {
            "404": (404, {"detail": "gone"}, JobNotFoundError),
            "404 page": (404, b"<html>", JobNotFoundError),
            "429": (429, LIMIT, ProviderThrottledError),
            "401": (401, error_body(f"bad {KEY}"), ProviderRejectedError),
            "403": (403, b"", ProviderRejectedError),
            **{
                str(status): (status, COMPLETED, ProviderUnavailableError)
                for status in (302, 400, 408, 500, 502, 503)
            },
            "page": (200, b"<!doctype html>", ProviderError),
            "nothing": (200, b"", ProviderError),
            "list": (200, [COMPLETED], ProviderError),
            "no status": (200, {"id": "video_1"}, ProviderError),
            "status of another kind": (200, VIDEO | {"status": 5}, ProviderError),
            "too long": (200, VIDEO | {"prompt": "x" * 1024 * 1024}, ProviderError),
        }
    ),
)
def test_a_look_that_shows_nothing(status: int, body: Body, kind: type[ProviderError]) -> None:
    assert isinstance(raised(lambda: Server(answer(status, body)).poll(HANDLE)), kind)


TROUBLES = [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError]


@pytest.mark.parametrize("error", TROUBLES)
def test_a_look_that_fails(error: type[httpx.HTTPError]) -> None:
    raised_error = raised(lambda: Server(trouble(error)).poll(HANDLE))
    assert isinstance(raised_error, ProviderUnavailableError)


# The file


def read(server: Server) -> bytes:
    with server.open_video(HANDLE) as asset:
        return b"".join(asset.chunks)


def test_the_file_is_streamed() -> None:
    server = Server(answer(200, b"a film", content_type="video/mp4"))
    with server.open_video({"id": "a/b="}) as asset:
        assert b"".join(asset.chunks) == b"a film"
    assert server.requests[0].url.raw_path == b"/v1/videos/a%2Fb%3D/content"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_the_poster_is_the_thumbnail() -> None:
    server = Server(answer(200, b"a still"))
    with server.open_poster(HANDLE) as asset:
        assert b"".join(asset.chunks) == b"a still"
    assert server.requests[0].url.raw_path.endswith(b"/content?variant=thumbnail")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(status, AssetUnavailableError) for status in (302, 400, 401, 403, 404, 410)]
    + [(status, AssetIncompleteError) for status in (429, 500, 502, 503)],
)
def test_a_file_that_is_not_given_out(status: int, kind: type[AssetError]) -> None:
    server = Server(answer(status, error_body(f"no: {KEY}")))
    assert isinstance(raised(lambda: read(server)), kind)
    assert isinstance(raised(lambda: server.open_poster(HANDLE).__enter__()), kind)


def test_a_compressed_file_is_refused() -> None:
    server = Server(answer(200, b"\x1f\x8b", content_encoding="gzip"))
    assert isinstance(raised(lambda: read(server)), AssetUnusableError)


@pytest.mark.parametrize("error", TROUBLES)
def test_a_file_that_breaks_off_is_incomplete(error: type[httpx.HTTPError]) -> None:
    def cut() -> Iterator[bytes]:
        yield b"half"
        raise error("cut")

    assert isinstance(raised(lambda: read(Server(trouble(error)))), AssetIncompleteError)
    broken = Server(lambda _: httpx.Response(200, content=cut()))
    assert isinstance(raised(lambda: read(broken)), AssetIncompleteError)


# All of them


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 422, 429, 500])
@pytest.mark.parametrize("shape", ["error", "detail"])
def test_the_key_is_in_no_message(status: int, shape: str) -> None:
    said = f"The key {KEY} is not good enough."
    body = error_body(said) if shape == "error" else {"detail": said}
    raised(lambda: Server(answer(status, body)).create(REQUEST))
    raised(lambda: Server(answer(status, body)).poll(HANDLE))


@pytest.mark.parametrize("key", ["1", "x", "null", "EMPTY", "message", '"', ","])
def test_a_key_that_stands_for_none_hides_nothing(key: str) -> None:
    """Servers without a key are given one that anything may contain."""
    refused = Server(answer(400, error_body("An example, 101.", None, 101)), key=lambda: key)
    assert str(raised(lambda: refused.create(REQUEST))).endswith("An example, 101.")


@pytest.mark.parametrize("depth", [*range(100, 900, 100), *range(900, 1000, 10), 5000, 100_000])
def test_an_answer_of_any_depth_is_an_answer(depth: int) -> None:
    body = f'{{"error": {"[" * depth}{"]" * depth}, "id": "video_1"}}'.encode()
    assert isinstance(raised(lambda: Server(answer(500, body)).create(REQUEST)), ProviderError)
    raised(lambda: Server(answer(200, body)).poll(HANDLE))


def test_the_key_is_not_in_the_reason_of_a_job() -> None:
    body = FAILED | {"error": {"message": f"Upstream refused {KEY}."}}
    assert KEY not in str(Server(answer(200, body)).poll(HANDLE))


@pytest.mark.parametrize("base", ["http://[::1/v1", "ftp://e.x/v1", "e.x/v1", "https://", "%"])
def test_an_address_that_is_none_is_trouble_of_ours(base: str) -> None:
    unreachable = OpenAIVideos(base, lambda: KEY)
    assert isinstance(raised(lambda: unreachable.create(REQUEST)), ProviderUnavailableError)
    assert isinstance(raised(lambda: unreachable.poll(HANDLE)), ProviderError)
    raised(lambda: unreachable.open_video(HANDLE).__enter__())


def test_a_key_that_cannot_be_had_sends_nothing() -> None:
    def none() -> str:
        raise ProviderRejectedError("The provider's key could not be read.")

    server = Server(answer(200, VIDEO), key=none)
    for call in (lambda: server.create(REQUEST), lambda: server.poll(HANDLE), lambda: read(server)):
        assert isinstance(raised(call), ProviderRejectedError)
    assert server.requests == []


def test_every_exchange_ends_before_its_function_does(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds: list[float] = []
    monkeypatch.setattr(transport, "within", seconds.append)
    server = Server(answer(200, COMPLETED))
    limits = {name: f["Timeout"] for name, f in Template({}).functions().items()}

    def spent(*calls: Callable[[], Any]) -> float:
        seconds.clear()
        for call in calls:
            call()
        return sum(seconds)

    assert 0 < spent(lambda: server.create(REQUEST)) < limits["CreateVideoFunction"]
    assert 0 < spent(lambda: server.poll(HANDLE)) < limits["PollVideoFunction"]
    poster = server.open_poster(HANDLE)
    assert 0 < spent(lambda: read(server), poster.__enter__) < limits["StoreVideoFunction"]
