"""Whether a stranger's URL may be connected to: public https addresses, and nothing else.

A URL that a model wrote or that a provider answered can name a machine in our own network. Two
questions keep it out. `check_url` reads the URL alone; `public_addresses` asks DNS, once, and the
caller connects to those very addresses, for a name asked twice may answer twice differently.

Source: the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890), all rows, also
those that IANA calls globally reachable: a file of a provider is at none of them. The table is
explicit because `ipaddress.is_global` answers otherwise, and differently in each Python.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from ipaddress import IPv4Address, ip_address, ip_network

from actionreel.errors import InvalidActionError, UnsafeUrlError

RESOLVE_SECONDS = 5.0
MAX_HOST_CHARACTERS = 253

# The whole URL in one pattern, because parsers disagree: every one of them finds this host in it.
# No user name, no other port, no zone, and a slash after it; in the host no percent sign, nothing
# beyond ASCII (an international name comes as xn--), no single word, no last label that could be
# read as a number; nowhere a backslash.
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?"
_URL = re.compile(
    rf"https://(?:(?P<name>{_NAME})|(?P<v4>[0-9.]+)|\[(?P<v6>[0-9a-f:.]+)\])(?::443)?(?:/[^\\]*)?",
    re.IGNORECASE | re.ASCII,
)
# RFC 6761, RFC 6762, RFC 8375, and ICANN's reservation of .internal
_PRIVATE_NAMES = (".localhost", ".localdomain", ".local", ".internal", ".home.arpa")

_IPV4 = ip_network("0.0.0.0/0")
_IPV6 = ip_network("2000::/3")  # all that is given out: mapped, site-local and the like are outside
_NAT64 = ip_network("64:ff9b::/96")  # the packet goes to the IPv4 address in the last 32 bits
_SPECIAL = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by the customers of a carrier
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local: the metadata of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112: answered by whoever is near
        "192.52.193.0/24",  # automatic multicast tunneling
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


def check_url(url: str) -> str:
    """The host of a plain https URL. Asks no DNS.

    Raises UnsafeUrlError for every other URL, and for one that names a private host by itself.
    """
    match = _URL.fullmatch(url)
    if match is None or not url.isprintable() or " " in url:
        raise UnsafeUrlError(
            "is not a plain https address: a host with a full name in ASCII, without a user name "
            "or another port"
        )
    name, literal = match["name"], match["v4"] or match["v6"]
    if literal is not None:
        if not is_public(literal):
            raise UnsafeUrlError("does not lead to a public address")
        return str(literal)
    if len(name) > MAX_HOST_CHARACTERS:
        raise UnsafeUrlError("has a longer host name than there can be")
    if name.lower().endswith(_PRIVATE_NAMES):
        raise UnsafeUrlError("does not lead to a public address")
    return str(name)


def is_at(url: str, origins: Collection[str]) -> bool:
    """Whether the URL is at one of these origins, such as `https://hooks.internal:8443`."""
    plain = url.isascii() and url.isprintable() and " " not in url
    return plain and any(url.startswith(f"{origin}/") for origin in origins)


def check_public_url(url: str, field: str = "input_reference_url") -> None:
    """Refuses, with InvalidActionError, a URL that a provider should not be given to fetch.

    Looks its host up, for at most RESOLVE_SECONDS, and connects to nothing. A host that cannot be
    found from here is the provider's to judge: this machine may have no DNS at all. `field` is how
    the reader of the chat knows the URL.
    """
    try:
        public_addresses(check_url(url), RESOLVE_SECONDS)
    except UnsafeUrlError as unsafe:
        raise InvalidActionError(f"{field} {unsafe.reason}.") from None
    except OSError:
        return


def public_addresses(host: str, seconds: float) -> list[str]:
    """The addresses of a host, from one look-up of at most that long. Connect to these only.

    Raises UnsafeUrlError if any one of them is not public: a name that answers both ways is a
    trick. Raises OSError if the host cannot be found, TimeoutError (an OSError) if not in time.
    """
    addresses = list(dict.fromkeys(_lookup(host, seconds)))
    if not all(is_public(address) for address in addresses):
        raise UnsafeUrlError("does not lead to a public address")
    if not addresses:
        raise OSError("the host has no address")
    return addresses


def is_public(address: str) -> bool:
    """Whether that is an IP address, spelt as usual, that anybody on the Internet could have."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if ip in _NAT64:
        ip = IPv4Address(int(ip) & 0xFFFFFFFF)
    return (ip in _IPV4 or ip in _IPV6) and not any(ip in network for network in _SPECIAL)


def _lookup(host: str, seconds: float) -> list[str]:
    """getaddrinfo in a thread, because it knows no time limit and a hostile server can stall it."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(max_workers=1)
    try:
        answers = pool.submit(socket.getaddrinfo, host, 443, type=socket.SOCK_STREAM)
        return [str(address[0]) for *_, address in answers.result(seconds)]
    except UnicodeError:
        raise OSError("the host is no name") from None
    finally:
        pool.shutdown(wait=False)
