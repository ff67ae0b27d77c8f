"""The Internet of the tests: DNS that answers what a test says, and connects that are counted.

Names are looked up in a table; a connect to a public address arrives at a server on loopback, and
one to any other place fails. So the guard and the sockets are the real ones, and no test leaves
this machine.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Answer = Callable[[socket.socket, bytes], None]


class Network:
    """`dns` gives each name its answers, one list per look-up, the last one again and again."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.dns: dict[str, Sequence[Sequence[str]]] = {}
        self.routes: dict[tuple[str, int], tuple[str, int]] = {}
        self.lookups: list[str] = []
        self.connects: list[Any] = []
        self._getaddrinfo, self._connect = socket.getaddrinfo, socket.socket.connect
        network = self

        def connect(self: socket.socket, address: Any) -> None:
            network.connects.append(address[:2])
            if address[:2] not in network.routes:
                raise ConnectionRefusedError(f"nobody listens at {address}")
            network._connect(self, network.routes[address[:2]])

        def connect_ex(self: socket.socket, address: Any) -> int:
            raise AssertionError("a connect that would not be counted")

        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect_ex)
        patch.setattr(socket, "getaddrinfo", self._look_up)

    def _look_up(
        self, host: str, port: int, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Any]:
        if host in self.dns:
            answers = self.dns[host][min(self.lookups.count(host), len(self.dns[host]) - 1)]
            self.lookups.append(host)
            return [
                (socket.AF_INET6 if ":" in answer else socket.AF_INET, 1, 6, "", (answer, port))
                for answer in answers
            ]
        # Every spelling of an address, as this machine reads it, and no DNS.
        numeric = flags | socket.AI_NUMERICHOST
        return self._getaddrinfo(host, port, family, type, proto, numeric)


class Site:
    """A server on loopback: an answer for each path, and what it was sent."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[bytes] = []
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listening.getsockname()
        self.url = f"http://127.0.0.1:{self.address[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            try:
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                with connection:
                    request = connection.recv(65_536)
                    self.requests.append(request)
                    self.answers[request.split()[1].decode()](connection, request)
            except OSError:
                connection.close()  # the client had enough

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.thread.join()


@contextmanager
def site(tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """A running server; https with `tls`."""
    running = Site(tls)
    try:
        yield running
    finally:
        running.close()


def sends(body: bytes, *headers: str, status: str = "200 OK") -> Answer:
    """An answer with exactly these headers."""
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *headers))
    return lambda connection, _: connection.sendall(f"{head}\r\n".encode() + body)


def redirects(target: str, status: str = "302 Found") -> Answer:
    """An answer that leads there."""
    return sends(b"", f"Location: {target}", "Content-Length: 0", status=status)


def headers_of(request: bytes) -> dict[str, str]:
    """The headers of a request, by their names in small letters."""
    lines = request.decode().split("\r\n\r\n")[0].split("\r\n")[1:]
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


def certificate(directory: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server of these names needs, and a client that trusts this server alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Actionreel's tests")])
    now = datetime.datetime.now(datetime.UTC)
    subjects = [
        x509.IPAddress(ipaddress.ip_address(n)) if n[0].isdigit() else x509.DNSName(n)
        for n in names
    ]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(subjects), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = signed.public_bytes(serialization.Encoding.PEM)
    file = directory / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + pem
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=pem.decode())
