"""What every adapter does, whatever its provider: each scene of each kit, over real sockets."""

from __future__ import annotations

import json
import logging
import re
import socket
import ssl
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from actionreel import transport
from actionreel.errors import (
    ActionreelError,
    AssetError,
    AssetIncompleteError,
    JobNotFoundError,
    OutcomeUnknownError,
    ProviderError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from actionreel.models import Asset, CancelOutcome, ErrorCode, Handle, StoredObject
from actionreel.orders import Order
from actionreel.ports import VideoProvider
from actionreel.providers.config import ProviderConfig
from tests.fakes import MP4
from tests.hostile_urls import PUBLIC
from tests.network import Network, Site, certificate, site
from tests.providers.kit import ANOTHER_KEY, KEY, Kit
from tests.providers.kits import KITS
from tests.providers.server import DROP, ProviderServer, Reply, Routes, Sent, provider_server

CDN = "cdn.example.com"
HANDLE_BYTES = 2048
METHODS = ("GET", "POST", "PUT", "DELETE")
DEEP = b'{"id": ' + b"[" * 5000 + b"]" * 5000 + b"}"

# Whether there is a job after these, nobody can tell.
IN_DOUBT = {
    **{str(status): Reply(status, {"error": "Try again."}) for status in (408, 500, 502, 503)},
    "a reset": DROP,
    "half an answer": Reply(200, {"id": "a-job", "status": "queued"}, cut=True),
    "nothing": Reply(200),
    "a page": Reply(200, b"<!doctype html><title>A proxy</title>"),
    "a list": Reply(200, [{"id": "a-job", "status": "queued"}]),
    "no id": Reply(200, {"status": "queued"}),
    "depths": Reply(200, DEEP),
}
# These say nothing of a job.
TROUBLES = {
    **{str(status): Reply(status, {"error": "Try again."}) for status in (401, 429, 500, 503)},
    "a reset": DROP,
    "half an answer": Reply(200, {"status": "failed"}, cut=True),
    "nothing": Reply(200),
    "a page": Reply(200, b"<!doctype html><title>A proxy</title>"),
    "a list": Reply(200, [{"status": "failed"}]),
    "depths": Reply(200, DEEP),
}

each_kit = pytest.mark.parametrize("kit", KITS, ids=[kit.name for kit in KITS])
with_key = [kit for kit in KITS if kit.has_key]
each_key = pytest.mark.parametrize("kit", with_key, ids=[kit.name for kit in with_key])


def each(scenes: str) -> pytest.MarkDecorator:
    """Every scene of that kind of every kit."""
    params = [
        pytest.param(kit, *(scene if isinstance(scene, tuple) else (scene,)), id=f"{kit.name}: {k}")
        for kit in KITS
        for k, scene in getattr(kit, scenes).items()
    ]
    names = {
        "failed": ("kit", "scene", "code"),
        "refused": ("kit", "reply", "category"),
        "throttled": ("kit", "reply", "seconds"),
        "cancels": ("kit", "scene", "outcome"),
    }
    return pytest.mark.parametrize(names.get(scenes, ("kit", "scene")), params)


class Keys:
    """The operator's key, and what is in its place for one who asks anew."""

    def __init__(self, afterwards: str = KEY) -> None:
        self.current, self.afterwards = KEY, afterwards
        self.times_anew = 0

    def __call__(self, *, fresh: bool = False) -> str:
        if fresh:
            self.times_anew += 1
            self.current = self.afterwards
        return self.current


@pytest.fixture(scope="module")
def running() -> Iterator[ProviderServer]:
    with provider_server() as running:
        yield running


@pytest.fixture
def server(
    running: ProviderServer, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> Iterator[ProviderServer]:
    """The provider; afterwards, no key may stand in the log."""
    caplog.set_level(logging.DEBUG)
    yield running
    logged = "\n".join(record.getMessage() for record in caplog.get_records("call"))
    assert KEY not in logged
    assert ANOTHER_KEY not in logged


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"), CDN)


@pytest.fixture
def network(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Network:
    """Where every connect is counted; only the provider can be reached."""
    network = Network(monkeypatch)
    network.routes = {_address(server): _address(server)}
    return network


@pytest.fixture
def cdn(
    network: Network,
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    """A public host that has the film at every path."""
    there, here = tls
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(MP4)}\r\n\r\n".encode()
    with site(there) as cdn:
        cdn.answers = defaultdict(lambda: lambda connection, _: connection.sendall(head + MP4))
        network.dns = {CDN: [[PUBLIC]]}
        network.routes[PUBLIC, 443] = cdn.address
        monkeypatch.setattr(transport, "_trust", lambda: here)
        yield cdn


def _address(server: ProviderServer) -> tuple[str, int]:
    host, _, port = server.url.removeprefix("http://").partition(":")
    return host, int(port)


def adapter(kit: Kit, url: str, keys: Keys | None = None) -> VideoProvider:
    return kit.adapter(ProviderConfig(keys or Keys(), {"base_url": url, **kit.options}))


def job(
    kit: Kit, server: ProviderServer, scene: Routes, keys: Keys | None = None
) -> tuple[VideoProvider, Handle]:
    """A job that was accepted, in that scene, by the handle that came out of a document."""
    provider = adapter(kit, server.url, keys)
    server.play(kit.accepted)
    handle: Handle = json.loads(json.dumps(provider.create(kit.order()).handle))
    server.play(scene)
    return provider, handle


def read(provider: VideoProvider, handle: Handle) -> bytes | StoredObject:
    with provider.open_video(handle) as asset:
        return b"".join(asset.chunks) if isinstance(asset, Asset) else asset


def raised(call: Callable[[], Any]) -> ActionreelError:
    """The error of ours that the call raises; nobody may find a key in it, or in its causes."""
    with pytest.raises(ActionreelError) as caught:
        call()
    shown = "".join(traceback.format_exception(caught.value))
    assert str(caught.value)
    assert KEY not in shown
    assert ANOTHER_KEY not in shown
    return caught.value


def creates(kit: Kit, server: ProviderServer) -> list[Sent]:
    """The creates that the provider was sent."""
    return [sent for sent in server.requests if _is_create(kit, sent)]


def _is_create(kit: Kit, sent: Sent) -> bool:
    return re.fullmatch(kit.create, f"{sent.method} {sent.path.partition('?')[0]}") is not None


def everywhere(reply: Reply) -> Routes:
    return {f"{method} .*": reply for method in METHODS}


def acceptance(kit: Kit) -> Reply:
    """The answer to the create that is accepted."""
    for route, replies in kit.accepted.items():
        method, _, path = route.partition(" ")
        wanted, _, at = kit.create.partition(" ")
        if method == wanted and re.fullmatch(path, at):
            return replies if isinstance(replies, Reply) else replies[0]
    raise AssertionError(f"{kit.name}: no answer to {kit.create} in `accepted`")


def changed(routes: Routes, change: Callable[[str, str], str]) -> Routes:
    """The scene with its texts changed; `change` is told the name of each text's field."""

    def walk(body: Any, field: str = "") -> Any:
        if isinstance(body, dict):
            return {name: walk(part, name) for name, part in body.items()}
        if isinstance(body, list):
            return [walk(part, field) for part in body]
        return change(field, body) if isinstance(body, str) else body

    def one(reply: Reply) -> Reply:
        return replace(reply, body=walk(reply.body), headers=walk(dict(reply.headers)))

    def some(replies: Reply | Sequence[Reply]) -> Reply | list[Reply]:
        return one(replies) if isinstance(replies, Reply) else [one(reply) for reply in replies]

    return {route: some(replies) for route, replies in routes.items()}


def telling(kit: Kit, routes: Routes) -> Routes:
    """The scene by a provider that tells the key, if it knows it, wherever it writes a sentence."""
    if not kit.has_key:
        return routes
    return changed(routes, lambda _, text: f"{text} Your key is {KEY}." if " " in text else text)


# Creates


@each_kit
def test_a_create_is_accepted(kit: Kit, server: ProviderServer) -> None:
    provider = adapter(kit, server.url)
    server.play(kit.accepted)
    answer = provider.create(kit.order())
    assert answer.phase in ("pending", "completed")
    assert answer.handle
    written = json.dumps(answer.handle)
    assert len(written.encode()) <= HANDLE_BYTES
    assert json.loads(written) == answer.handle
    [sent] = creates(kit, server)
    assert kit.read_body(sent) == kit.created_body
    for name, value in kit.create_headers.items():
        assert sent.headers.get(name.lower()) == value
    if kit.has_key:
        assert any(KEY in value for value in sent.headers.values())
        assert KEY not in sent.path
        assert KEY.encode() not in sent.body
        assert KEY not in answer.model_dump_json()


@pytest.mark.parametrize(
    ("kit", "order", "body"),
    [
        pytest.param(kit, order, body, id=f"{kit.name}: {number}")
        for kit in KITS
        for number, (order, body) in enumerate(kit.with_image)
    ],
)
def test_a_start_image_goes_along(
    kit: Kit, order: Order, body: Any, server: ProviderServer
) -> None:
    server.play(everywhere(acceptance(kit)))  # an image may have an endpoint of its own
    assert adapter(kit, server.url).create(order).handle
    [sent] = [sent for sent in server.requests if sent.method == kit.create.partition(" ")[0]]
    assert kit.read_body(sent) == body


@each("refused")
def test_a_refusal_is_certain_and_final(
    kit: Kit, reply: Reply, category: ErrorCode, server: ProviderServer
) -> None:
    provider = adapter(kit, server.url)
    server.play(telling(kit, {kit.create: reply}))
    error = raised(lambda: provider.create(kit.order()))
    assert isinstance(error, ProviderRejectedError), repr(error)
    assert error.category == category
    assert len(creates(kit, server)) == 1


@each("throttled")
def test_a_provider_that_is_busy_refuses_for_now(
    kit: Kit, reply: Reply, seconds: float | None, server: ProviderServer
) -> None:
    provider = adapter(kit, server.url)
    server.play(telling(kit, {kit.create: reply}))
    error = raised(lambda: provider.create(kit.order()))
    assert isinstance(error, ProviderThrottledError), repr(error)
    assert error.retry_after == seconds
    assert len(creates(kit, server)) == 1


@pytest.mark.parametrize(
    ("kit", "reply"),
    [
        pytest.param(kit, reply, id=f"{kit.name}: {name}")
        for kit in KITS
        for name, reply in {**IN_DOUBT, **kit.in_doubt}.items()
    ],
)
def test_what_may_have_been_accepted_is_asked_once(
    kit: Kit, reply: Reply, server: ProviderServer
) -> None:
    """A second create would be a second charge."""
    provider = adapter(kit, server.url)
    server.play(telling(kit, {kit.create: reply}))
    error = raised(lambda: provider.create(kit.order()))
    assert isinstance(error, OutcomeUnknownError), repr(error)
    assert len(creates(kit, server)) == 1


@each_kit
def test_a_job_that_cannot_be_named_may_have_been_accepted(
    kit: Kit, server: ProviderServer
) -> None:
    _, handle = job(kit, server, {})
    names = [name for name in handle.values() if isinstance(name, str)]
    endless = "x" * 5000

    def longer(_: str, text: str) -> str:
        for name in names:
            text = text.replace(name, name + endless)
        return text

    server.play(changed({kit.create: acceptance(kit)}, longer))
    error = raised(lambda: adapter(kit, server.url).create(kit.order()))
    assert isinstance(error, OutcomeUnknownError), repr(error)
    assert len(creates(kit, server)) == 1


@each_kit
def test_a_provider_that_cannot_be_reached_was_asked_nothing(kit: Kit) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = raised(lambda: adapter(kit, f"http://127.0.0.1:{port}").create(kit.order()))
    assert isinstance(error, ProviderUnavailableError), repr(error)


@each_kit
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_create_is_not_sent_after_a_redirect(
    kit: Kit, status: int, server: ProviderServer
) -> None:
    moved = {kit.create: Reply(status, headers={"Location": "{base}/elsewhere"})}
    elsewhere = {f"{method} /elsewhere": acceptance(kit) for method in METHODS}
    provider = adapter(kit, server.url)
    server.play(moved, elsewhere)
    error = raised(lambda: provider.create(kit.order()))
    assert isinstance(error, ProviderRejectedError | OutcomeUnknownError), repr(error)
    assert len(server.requests) == 1


@each_key
def test_a_key_that_was_changed_is_read_anew(kit: Kit, server: ProviderServer) -> None:
    keys = Keys(ANOTHER_KEY)
    provider = adapter(kit, server.url, keys)
    server.play({kit.create: [Reply(401, {"error": f"Not {KEY}."}), acceptance(kit)]})
    answer = provider.create(kit.order())
    assert answer.handle
    assert ANOTHER_KEY not in answer.model_dump_json()
    assert keys.times_anew == 1
    refused, accepted = creates(kit, server)
    assert any(KEY in value for value in refused.headers.values())
    assert any(ANOTHER_KEY in value for value in accepted.headers.values())
    assert KEY not in str(accepted.headers)
    assert accepted.body == refused.body or "multipart" in accepted.headers["content-type"]


@each_key
def test_two_keys_that_are_refused_are_enough(kit: Kit, server: ProviderServer) -> None:
    keys = Keys(ANOTHER_KEY)
    provider = adapter(kit, server.url, keys)
    server.play({kit.create: Reply(401, {"error": f"Neither {KEY} nor {ANOTHER_KEY}."})})
    assert isinstance(raised(lambda: provider.create(kit.order())), ProviderRejectedError)
    assert (len(creates(kit, server)), keys.times_anew) == (2, 1)


@each_key
def test_a_key_that_is_the_same_is_not_tried_again(kit: Kit, server: ProviderServer) -> None:
    keys = Keys()
    provider = adapter(kit, server.url, keys)
    server.play({kit.create: Reply(401, {"error": f"Not {KEY}."})})
    assert isinstance(raised(lambda: provider.create(kit.order())), ProviderRejectedError)
    assert (len(creates(kit, server)), keys.times_anew) == (1, 1)


# Polls


@each("pending")
def test_a_job_that_goes_on_is_pending(kit: Kit, scene: Routes, server: ProviderServer) -> None:
    provider, handle = job(kit, server, telling(kit, scene))
    answer = provider.poll(handle)
    assert (answer.phase, answer.failure) == ("pending", None)
    assert answer.handle in (None, handle)
    assert KEY not in answer.model_dump_json()
    assert creates(kit, server) == []


@each_kit
def test_a_word_of_tomorrow_is_pending(kit: Kit, server: ProviderServer) -> None:
    scenes = list(kit.pending.values())
    reworded = [changed(scene, _reworded) for scene in scenes]
    assert reworded != scenes, "no scene has a word for how the job stands"
    for scene in reworded:
        provider, handle = job(kit, server, scene)
        assert provider.poll(handle).phase == "pending"


def _reworded(field: str, text: str) -> str:
    return "ReTicuLating" if field == "status" else text


@each("completed")
def test_a_finished_job_is_completed(kit: Kit, scene: Routes, server: ProviderServer) -> None:
    provider, handle = job(kit, server, telling(kit, scene))
    answer = provider.poll(handle)
    assert (answer.phase, answer.failure) == ("completed", None)
    assert KEY not in answer.model_dump_json()
    assert creates(kit, server) == []


@each("failed")
def test_a_failed_job_tells_why(
    kit: Kit, scene: Routes, code: ErrorCode, server: ProviderServer
) -> None:
    provider, handle = job(kit, server, telling(kit, scene))
    answer = provider.poll(handle)
    assert answer.phase == ("cancelled" if code == "cancelled" else "failed")
    assert answer.failure is not None
    assert answer.failure.code == code
    assert answer.failure.message
    assert not (code == "moderation" and answer.failure.retryable)
    assert KEY not in answer.model_dump_json()


@each_kit
@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_with_a_look_says_nothing_of_the_job(
    kit: Kit, trouble: str, server: ProviderServer
) -> None:
    provider, handle = job(kit, server, telling(kit, everywhere(TROUBLES[trouble])))
    error = raised(lambda: provider.poll(handle))
    assert isinstance(error, ProviderError), repr(error)
    assert not isinstance(error, JobNotFoundError)


@each_kit
def test_a_job_that_is_gone_is_not_found(kit: Kit, server: ProviderServer) -> None:
    provider, handle = job(kit, server, telling(kit, kit.gone))
    assert isinstance(raised(lambda: provider.poll(handle)), JobNotFoundError)


# Films


@each("completed")
def test_the_film_is_what_the_provider_made(
    kit: Kit, scene: Routes, server: ProviderServer
) -> None:
    provider, handle = job(kit, server, scene)
    film = read(provider, handle)
    if isinstance(film, StoredObject):
        assert film.bucket
        assert film.key
    else:
        assert film == MP4
    assert creates(kit, server) == []


def _elsewhere(scene: Routes) -> Routes:
    """The scene with its film on another host."""
    return changed(scene, lambda _, text: text.replace("{base}/the-file", f"https://{CDN}/film"))


@pytest.mark.parametrize(
    ("kit", "scene"),
    [
        pytest.param(kit, _elsewhere(scene), id=f"{kit.name}: {name}")
        for kit in with_key
        for name, scene in kit.completed.items()
        if _elsewhere(scene) != scene
    ],
)
def test_another_host_that_has_the_film_is_not_told_the_key(
    kit: Kit, scene: Routes, server: ProviderServer, cdn: Site
) -> None:
    provider, handle = job(kit, server, scene)
    assert read(provider, handle) == MP4
    [request] = cdn.requests
    assert KEY.encode() not in request


@each("no_file")
def test_a_film_that_is_gone_is_an_error_of_the_file(
    kit: Kit, scene: Routes, server: ProviderServer
) -> None:
    provider, handle = job(kit, server, telling(kit, scene))
    assert isinstance(raised(lambda: read(provider, handle)), AssetError)


@each_key
def test_the_film_of_a_job_that_is_gone_is_gone(kit: Kit, server: ProviderServer) -> None:
    """Any other error would be tried again for long."""
    provider, handle = job(kit, server, telling(kit, kit.gone))
    assert isinstance(raised(lambda: read(provider, handle)), AssetError)


@each("stranger")
def test_no_film_is_fetched_from_a_private_host(
    kit: Kit, scene: Routes, server: ProviderServer, network: Network
) -> None:
    provider, handle = job(kit, server, scene)
    network.connects.clear()
    assert isinstance(raised(lambda: read(provider, handle)), AssetError)
    assert set(network.connects) <= {_address(server)}


@each_key
@pytest.mark.parametrize("trouble", ["429", "500", "503", "a reset"])
def test_trouble_with_the_film_may_pass(kit: Kit, trouble: str, server: ProviderServer) -> None:
    """What is fetched again for longest is what raises one of these."""
    provider, handle = job(kit, server, telling(kit, everywhere(TROUBLES[trouble])))
    error = raised(lambda: read(provider, handle))
    assert isinstance(error, AssetIncompleteError | ProviderError), repr(error)
    assert not isinstance(error, JobNotFoundError)


@each("completed")
def test_a_still_is_there_or_not(kit: Kit, scene: Routes, server: ProviderServer) -> None:
    provider, handle = job(kit, server, scene)
    try:
        with provider.open_poster(handle) as still:
            assert b"".join(still.chunks)
    except ActionreelError as error:
        assert isinstance(error, AssetError | ProviderError), repr(error)


@each_key
def test_looks_and_films_are_asked_for_with_the_changed_key(
    kit: Kit, server: ProviderServer
) -> None:
    """The film is paid for: a key of yesterday in a function's memory must not lose it."""
    for scene in kit.completed.values():
        for ask, expected in ((_phase, "completed"), (read, MP4)):
            provider, handle = job(kit, server, scene, Keys(ANOTHER_KEY))
            server.refuses = KEY
            assert ask(provider, handle) == expected


def _phase(provider: VideoProvider, handle: Handle) -> str:
    return provider.poll(handle).phase


# Cancellations


@each("cancels")
def test_a_cancellation(
    kit: Kit, scene: Routes, outcome: CancelOutcome, server: ProviderServer
) -> None:
    provider, handle = job(kit, server, telling(kit, scene))
    assert provider.cancel(handle) == outcome
    assert creates(kit, server) == []


@pytest.mark.parametrize(
    ("kit", "scene"),
    [
        pytest.param(kit, scene, id=f"{kit.name}: {name}")
        for kit in KITS
        if kit.cannot_cancel
        for name, scene in kit.pending.items()
    ],
)
def test_a_provider_that_cannot_cancel_is_at_most_looked_at(
    kit: Kit, scene: Routes, server: ProviderServer
) -> None:
    provider, handle = job(kit, server, scene)
    assert provider.cancel(handle) == "unsupported"
    assert all(sent.method == kit.poll for sent in server.requests)


@pytest.mark.parametrize(
    ("kit", "trouble"),
    [
        pytest.param(kit, TROUBLES[name], id=f"{kit.name}: {name}")
        for kit in KITS
        if not kit.cannot_cancel
        for name in ("401", "429", "500", "503", "a reset")
    ],
)
def test_trouble_with_a_cancellation_is_no_outcome(
    kit: Kit, trouble: Reply, server: ProviderServer
) -> None:
    running = next(iter(kit.pending.values()))
    stopping = {f"{method} .*": trouble for method in METHODS if method != kit.poll}
    for scene in ({**running, **stopping}, everywhere(trouble)):
        provider, handle = job(kit, server, telling(kit, scene))
        error = raised(partial(provider.cancel, handle))
        assert isinstance(error, ProviderError), repr(error)
        assert creates(kit, server) == []
