"""Downloads over real sockets: where they go, what they tell whom, and when they stop."""

from __future__ import annotations

import gzip
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from actionreel import mp4, public_network, transport
from actionreel.errors import (
    AssetError,
    AssetIncompleteError,
    AssetUnavailableError,
    AssetUnusableError,
)
from actionreel.mp4 import whole_mp4
from actionreel.providers.downloads import download
from actionreel.providers.openai_videos import OpenAIVideos
from tests.fakes import MP4, cases
from tests.hostile_urls import ANSWERS, IPV4, MADE_PLAIN, PUBLIC, URLS
from tests.network import (
    Answer,
    Network,
    Site,
    certificate,
    headers_of,
    redirects,
    sends,
    site,
)
from tests.openai_server import given

CDN, OTHER_CDN = "cdn.example.com", "other-cdn.example.com"
KEY = {"Authorization": "Bearer sk-key", "X-Api-Key": "sk-key"}
SIGNATURE = "X-Amz-Signature=secret"


@dataclass
class World:
    """The operator's own server, a public one under two names, and the network between them."""

    home: Site
    public: Site
    network: Network

    def fetch(self, path: str = "/file", seconds: float = 30.0) -> bytes:
        url = f"{self.home.url}{path}"
        with (
            transport.client() as client,
            download(client, url, KEY, seconds, trusted=self.home.url) as chunks,
        ):
            return b"".join(chunks)

    def refusal(self, path: str = "/file", seconds: float = 30.0) -> AssetError:
        with pytest.raises(AssetError) as refused:
            self.fetch(path, seconds)
        assert "secret" not in str(refused.value)
        return refused.value


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"), CDN, OTHER_CDN, PUBLIC)


@pytest.fixture
def world(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    server, client = tls
    with site() as home, site(server) as public:
        network = Network(monkeypatch)
        names = (CDN, OTHER_CDN, "public.example.com")
        network.dns = {name: [[PUBLIC]] for name in names}
        network.routes = {home.address: home.address, (PUBLIC, 443): public.address}
        monkeypatch.setattr(transport, "_trust", lambda: client)
        yield World(home, public, network)


def whole(body: bytes = MP4) -> Answer:
    return sends(body, f"Content-Length: {len(body)}")


# Who is told what


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"]
)
def test_the_key_goes_along_within_the_origin(status: str, world: World) -> None:
    world.home.answers = {"/file": redirects("/moved?a=1", status), "/moved?a=1": whole()}
    assert world.fetch() == MP4
    assert len(world.home.requests) == 2
    for request in world.home.requests:
        assert headers_of(request)["authorization"] == KEY["Authorization"]
        assert headers_of(request)["x-api-key"] == KEY["X-Api-Key"]


def test_another_origin_is_told_nothing(world: World) -> None:
    set_cookie = "Set-Cookie: session=secret; Domain=example.com"
    target = f"Location: https://{CDN}/v.mp4?{SIGNATURE}"
    world.home.answers["/file"] = sends(b"", target, set_cookie, status="302 Found")
    world.public.answers[f"/v.mp4?{SIGNATURE}"] = whole()
    assert world.fetch() == MP4
    [request] = world.public.requests
    assert headers_of(request) == {
        "host": CDN,
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "keep-alive",
        "user-agent": "actionreel",
    }
    assert world.network.lookups == [CDN]
    assert world.network.connects == [world.home.address, (PUBLIC, 443)]


def test_a_file_that_lies_elsewhere_from_the_start(world: World) -> None:
    """As with a provider whose answer gives the address of the file."""
    world.public.answers["/v.mp4"] = whole()
    with (
        transport.client() as client,
        download(client, f"https://{CDN}/v.mp4", KEY, 30, trusted=world.home.url) as chunks,
    ):
        assert b"".join(chunks) == MP4
    assert "sk-key" not in str(world.public.requests)


def test_another_port_is_another_origin(world: World) -> None:
    with site() as neighbour:
        world.network.routes[neighbour.address] = neighbour.address
        world.home.answers["/file"] = redirects(f"{neighbour.url}/file")
        neighbour.answers["/file"] = whole()
        assert isinstance(world.refusal(), AssetUnusableError)
        assert neighbour.requests == []


def test_another_scheme_is_another_origin(world: World) -> None:
    """Or a key that is meant for https could be read on its way."""
    world.home.answers["/file"] = redirects(world.home.url.replace("http:", "https:"))
    assert isinstance(world.refusal(), AssetUnusableError)
    assert world.network.connects == [world.home.address]


def test_strangers_lead_on_to_strangers(world: World) -> None:
    world.home.answers["/file"] = redirects(f"https://{CDN}/a")
    world.public.answers = {
        "/a": redirects(f"//{OTHER_CDN}:443/b"),
        "/b": redirects("c"),
        "/c": whole(),
    }
    assert world.fetch() == MP4
    assert world.network.lookups == [CDN, OTHER_CDN, OTHER_CDN]
    hosts = [headers_of(request)["host"] for request in world.public.requests]
    assert hosts == [CDN, OTHER_CDN, OTHER_CDN]


def test_strangers_do_not_lead_back_home(world: World) -> None:
    world.home.answers = {"/file": redirects(f"https://{CDN}/a"), "/admin": whole()}
    world.public.answers["/a"] = redirects(f"{world.home.url}/admin")
    assert isinstance(world.refusal(), AssetUnusableError)
    assert len(world.home.requests) == 1


def test_https_does_not_lead_to_http(world: World) -> None:
    world.home.answers["/file"] = redirects(f"https://{CDN}/a")
    world.public.answers["/a"] = redirects(f"http://{CDN}/a")
    assert isinstance(world.refusal(), AssetUnusableError)
    assert len(world.public.requests) == 1


def test_a_certificate_is_for_the_name_and_not_the_address(world: World) -> None:
    world.network.dns["impostor.example.com"] = [[PUBLIC]]
    world.home.answers["/file"] = redirects("https://impostor.example.com/a")
    world.public.answers["/a"] = whole()
    assert isinstance(world.refusal(), AssetIncompleteError)
    assert world.public.requests == []


def test_links_are_not_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    test_another_origin_is_told_nothing(world)
    assert SIGNATURE not in caplog.text
    assert "sk-key" not in caplog.text


# Where it connects to


# Relative addresses lead to the origin itself, and line ends cannot stand in a header.
TARGETS = [
    url
    for url in URLS
    if (":" in url or url.startswith("//"))
    and not {"\r", "\n", "\0"} & set(url)
    and url not in MADE_PLAIN
]


@pytest.mark.parametrize("target", TARGETS)
def test_a_redirect_to_a_hostile_url(target: str, world: World) -> None:
    world.home.answers["/file"] = redirects(target)
    world.refusal()
    assert world.network.connects == [world.home.address]
    assert world.network.lookups == []


@pytest.mark.parametrize(
    "target",
    [*IPV4, "http://public.example.com/", "//127.0.0.1/", "https://a:b@public.example.com/"],
)
def test_a_file_behind_a_hostile_url_is_not_asked_for_again(target: str, world: World) -> None:
    world.home.answers["/file"] = redirects(target)
    assert isinstance(world.refusal(), AssetUnusableError)


@pytest.mark.parametrize("answers", cases(ANSWERS))
def test_a_redirect_to_a_name_that_leads_inside(answers: list[str], world: World) -> None:
    world.network.dns["hostile.example.com"] = [answers]
    world.home.answers["/file"] = redirects(f"https://hostile.example.com/?{SIGNATURE}")
    assert isinstance(world.refusal(), AssetUnusableError)
    assert world.network.connects == [world.home.address]


def test_a_name_that_changes_its_mind_is_asked_once(world: World) -> None:
    """Rebinding: the address that was checked is the one that is connected to."""
    world.network.dns["hostile.example.com"] = [[PUBLIC], ["127.0.0.1"]]
    world.home.answers["/file"] = redirects("https://hostile.example.com/a")
    world.refusal()  # its certificate is for other names
    assert world.network.lookups == ["hostile.example.com"]
    assert world.network.connects == [world.home.address, (PUBLIC, 443)]


def test_an_address_that_does_not_answer_is_not_the_last(world: World) -> None:
    world.network.dns[CDN] = [["93.184.216.99", PUBLIC]]
    world.home.answers["/file"] = redirects(f"https://{CDN}/a")
    world.public.answers["/a"] = whole()
    assert world.fetch() == MP4


def test_a_name_with_many_addresses_does_not_hold_us(world: World) -> None:
    world.network.dns[CDN] = [[f"93.184.216.{last}" for last in range(100, 200)]]
    world.home.answers["/file"] = redirects(f"https://{CDN}/a")
    assert isinstance(world.refusal(), AssetIncompleteError)
    assert len(world.network.connects) == 1 + public_network.MAX_ATTEMPTS


def test_a_name_that_is_not_found_may_be_found_later(world: World) -> None:
    world.home.answers["/file"] = redirects("https://gone.example.com/a")
    assert isinstance(world.refusal(), AssetIncompleteError)


# When it stops


@pytest.mark.parametrize("steps", [3, 4])
def test_three_redirects_are_followed(steps: int, world: World) -> None:
    for step in range(steps):
        world.home.answers[f"/{step}"] = redirects(f"/{step + 1}")
    world.home.answers[f"/{steps}"] = whole()
    if steps == 3:
        assert world.fetch("/0") == MP4
    else:
        assert isinstance(world.refusal("/0"), AssetUnusableError)
        assert len(world.home.requests) == 4


def test_a_loop(world: World) -> None:
    world.home.answers["/file"] = redirects("/file")
    assert isinstance(world.refusal(), AssetUnusableError)
    assert len(world.home.requests) == 4


def test_a_drip_ends_at_the_deadline(world: World) -> None:
    def drips(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n")
        for _byte in range(200):  # it would be whole after ten seconds
            connection.sendall(b"x")
            time.sleep(0.05)

    world.home.answers["/file"] = drips
    assert isinstance(world.refusal(seconds=0.5), AssetIncompleteError)


def test_the_deadline_is_for_all_redirects_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(transport, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def slow(answer: Answer) -> Answer:
        def answers(connection: socket.socket, request: bytes) -> None:
            clock[0] += 300
            answer(connection, request)

        return answers

    world.home.answers = {"/file": slow(redirects("/next")), "/next": slow(redirects("/last"))}
    world.home.answers["/last"] = slow(whole())
    assert world.fetch(seconds=1000) == MP4
    assert isinstance(world.refusal(seconds=400), AssetIncompleteError)
    assert len(world.home.requests) == 3 + 2


HALF = MP4[:-10]


@pytest.mark.parametrize(
    "answer",
    cases(
        {
            "content-length": sends(HALF, f"Content-Length: {len(MP4)}"),
            "chunked": sends(b"%x\r\n%s\r\n" % (len(HALF), HALF), "Transfer-Encoding: chunked"),
            "until it closes": sends(HALF),
        }
    ),
)
def test_half_a_file(answer: Answer, world: World) -> None:
    """As it is stored: the last framing hides the loss, and the boxes of the MP4 show it."""
    world.home.answers["/v1/videos/x/content"] = answer
    provider = OpenAIVideos(f"{world.home.url}/v1", given("key"))
    with pytest.raises(AssetIncompleteError), provider.open_video({"id": "x"}) as asset:
        for _ in whole_mp4(asset.chunks):
            pass


@pytest.mark.parametrize("encoding", ["gzip", "GZip", "deflate", "br", "identity, gzip"])
def test_a_compressed_file(encoding: str, world: World) -> None:
    body = gzip.compress(bytes(10_000_000))
    world.home.answers["/file"] = sends(
        body, f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}"
    )
    assert isinstance(world.refusal(), AssetUnusableError)


def test_a_file_that_says_it_is_too_large(world: World) -> None:
    """Not a byte of it comes, so only what it says can be the reason."""
    world.home.answers["/file"] = sends(b"", f"Content-Length: {mp4.MAX_BYTES + 1}")
    assert isinstance(world.refusal(), AssetUnusableError)


def test_a_file_that_is_too_large(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp4, "MAX_BYTES", 1_000_000)
    world.home.answers["/file"] = sends(bytes(1_000_000))
    assert len(world.fetch()) == 1_000_000

    def endless(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:  # until the other side hangs up
            connection.sendall(bytes(65_536))

    world.home.answers["/file"] = endless
    assert isinstance(world.refusal(), AssetUnusableError)


@pytest.mark.parametrize("status", ["204 No Content", "206 Partial Content", "304 Not Modified"])
def test_what_is_not_the_file(status: str, world: World) -> None:
    world.home.answers["/file"] = sends(b"", "Content-Length: 0", status=status)
    assert isinstance(world.refusal(), AssetUnavailableError)


def test_the_poster_goes_the_same_way(world: World) -> None:
    world.home.answers["/v1/videos/x/content?variant=thumbnail"] = redirects(f"https://{CDN}/p")
    world.public.answers["/p"] = whole(b"a still")
    provider = OpenAIVideos(f"{world.home.url}/v1", given("sk-key"))
    with provider.open_poster({"id": "x"}) as asset:
        assert b"".join(asset.chunks) == b"a still"
    assert "sk-key" in str(world.home.requests)
    assert "sk-key" not in str(world.public.requests)
