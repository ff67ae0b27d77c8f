"""What the provider answers, as it goes over the socket, and the troubles of all its routes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.faults import Fault

KEY = "sk-simulated-0123456789"  # ours, at the provider


@dataclass
class Reply:
    """An answer as it goes over the socket. `ending`: whole, reset, hang or cut (closed early)."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    ending: str = "whole"
    framing: str = "length"  # length, chunked or close
    keep: int | None = None  # how many bytes of the body are sent


def trouble(fault: Fault) -> Reply | None:
    """The answers of which every exchange may get one; None for a fault of another sort."""
    kind, _, word = fault.kind.partition(" ")
    match kind:
        case "status":
            return error(int(word), "trouble")
        case "429":
            headers = {"Retry-After": word} if word else {}
            return Reply(429, error(429, "rate_limit_exceeded").body, headers)
        case "hang" | "reset":
            return Reply(ending=kind)
        case "empty":
            return Reply(body=b"")
        case "html":
            return Reply(body=b"<html>Sorry</html>", headers={"Content-Type": "text/html"})
        case "malformed":
            return Reply(body=b'{"id": ')
    return None


def error(status: int, code: str) -> Reply:
    message = f"The simulated provider does not like {KEY}."  # as some do: they repeat the key
    body = {"error": {"code": code, "message": message}}
    return Reply(status, json.dumps(body).encode())


def document(document: dict[str, Any]) -> Reply:
    return Reply(body=json.dumps(document).encode())
