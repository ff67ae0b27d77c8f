"""What a stranger's URL may name. The same URLs, connected to: integration/test_downloads.py."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionreel import url_guard
from actionreel.errors import ActionreelError, InvalidActionError, UnsafeUrlError
from actionreel.url_guard import check_public_url, check_url, is_public, public_addresses
from tests.fakes import cases, steady
from tests.hostile_urls import ANSWERS, PUBLIC, PUBLIC_6, URLS
from tests.network import Network

NAME = "public.example.com"


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network(monkeypatch)
    network.dns[NAME] = [[PUBLIC, PUBLIC_6]]
    return network


@pytest.mark.parametrize("url", URLS)
def test_a_hostile_url_is_refused_unasked(url: str, network: Network) -> None:
    with pytest.raises(UnsafeUrlError) as refused:
        check_url(url)
    assert len(url) < 12 or url not in str(refused.value)
    with pytest.raises(InvalidActionError):
        check_public_url(url)
    assert (network.lookups, network.connects) == ([], [])


@pytest.mark.parametrize("answers", cases(ANSWERS))
def test_a_name_that_leads_inside_is_refused(answers: list[str], network: Network) -> None:
    network.dns["hostile.example.com"] = [answers]
    with pytest.raises(InvalidActionError, match=r"^input_reference_url does not lead to a public"):
        check_public_url("https://hostile.example.com/a.png")
    assert (network.lookups, network.connects) == (["hostile.example.com"], [])


@pytest.mark.parametrize(
    "url",
    [
        f"https://{NAME}",
        f"https://{NAME}:443/a.png?width=1#top",
        "HTTPS://PUBLIC.Example.com/a.png",
        f"https://{NAME}/?a=b@c:d/../",
        f"https://{NAME}/b\u00fccher/@127.0.0.1",
        "https://my_bucket.s3-eu-west-1.example.com/a.png",
        "https://a--b.xn--bcher-kva.xn--p1ai/a.png",
        f"https://{'a.' * 125}com/",
        f"https://{'a' * 63}.com/",
        f"https://{PUBLIC}/a.png",
        f"https://[{PUBLIC_6}]:443/a.png",
        "https://[64:ff9b::93.184.216.34]/a.png",
        "https://127.0.0.1.example.com/",
    ],
)
def test_an_honest_url_passes(url: str, network: Network) -> None:
    host = check_url(url)
    network.dns.setdefault(host, [[PUBLIC]])
    check_public_url(url)
    assert network.connects == []


def test_a_name_is_looked_up_once(network: Network) -> None:
    assert public_addresses(NAME, 5) == [PUBLIC, PUBLIC_6]
    assert network.lookups == [NAME]


@pytest.mark.parametrize("answers", [None, []])
def test_a_name_that_is_not_found(answers: list[str] | None, network: Network) -> None:
    """Here perhaps, and not where the provider is: only connecting to it is out of the question."""
    if answers is not None:
        network.dns["gone.example.com"] = [answers]
    check_public_url("https://gone.example.com/", field="image_url")
    with pytest.raises(OSError):
        public_addresses("gone.example.com", 5)


def test_a_host_that_dns_cannot_be_asked_for(network: Network) -> None:
    with pytest.raises(OSError, match="no name"):
        public_addresses(f"{'a' * 64}.example.com", 5)
    assert network.lookups == []


def test_a_resolver_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def stalls(*_: Any, **__: Any) -> list[Any]:
        answered.wait(30)
        return [(socket.AF_INET, 1, 6, "", (PUBLIC, 443))]

    monkeypatch.setattr(socket, "getaddrinfo", stalls)
    monkeypatch.setattr(url_guard, "RESOLVE_SECONDS", 0.05)
    try:
        with pytest.raises(TimeoutError):
            public_addresses(NAME, 0.05)
        check_public_url(f"https://{NAME}/")
    finally:
        answered.set()


@pytest.mark.parametrize("address", ["1.1.1.1", "223.255.255.255", "2600::1", "2a00:1450::1"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@steady
@given(st.ip_addresses())
def test_no_address_is_public_that_python_calls_private(address: IPv4Address | IPv6Address) -> None:
    if is_public(str(address)) and not str(address).startswith("64:ff9b::"):
        assert not (address.is_private or address.is_multicast or address.is_reserved)


@steady
@given(st.ip_addresses(v=4))
def test_an_address_inside_an_address_is_asked_too(address: IPv4Address) -> None:
    translated = ip_address((0x64FF9B << 96) | int(address))
    assert is_public(str(translated)) == is_public(str(address))
    for wrapped in (f"::{address}", f"::ffff:{address}", f"::ffff:0:{address}"):
        assert not is_public(wrapped)


@steady
@given(st.text(max_size=60))
def test_anything_is_answered(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{NAME}{text}", f"https://{text}.example.com/"):
        try:
            assert "." in check_url(url) or ":" in check_url(url)
        except ActionreelError as refused:
            assert isinstance(refused, UnsafeUrlError)


def test_reading_a_url_is_cheap_to_import() -> None:
    """It is for the API as well, whose cold start has no room for an HTTP client."""
    code = (
        "import sys; from actionreel.url_guard import check_url; check_url('https://e.example/')\n"
        "print(*{'httpx', 'httpcore', 'concurrent.futures', 'ssl'} & set(sys.modules))"
    )
    path = {"PYTHONPATH": str(Path(url_guard.__file__).parents[1])}
    ran = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, check=True)
    assert ran.stdout.split() == []
