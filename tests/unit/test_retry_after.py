"""When a provider that refuses for now wants to be asked again, and when it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionreel.errors import ProviderThrottledError
from actionreel.providers.answers import retry_after
from actionreel.schedule import wait_to_ask_again
from tests.fakes import cases, steady
from tests.openai_server import LIMIT, ORDER, Server, answer, raised


def a_date(**later: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(**later), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    cases(
        {
            "seconds": ({"retry_after": "20"}, 20, 20),
            "parts of a second": ({"retry_after": "1.5"}, 1.5, 1.5),
            "milliseconds": ({"retry_after_ms": "1500"}, 1.5, 1.5),
            "both": ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5, 1.5),
            "milliseconds that are none": ({"retry_after_ms": "x", "retry_after": "9"}, 9, 9),
            "negative": ({"retry_after": "-9"}, -9, -9),
            "absurd": ({"retry_after": "1e300"}, 1e300, 1e300),
            "a date": ({"retry_after": a_date(hours=9)}, 3600, 9 * 3600),
            "a past date": ({"retry_after": a_date(days=-1)}, -100_000, -80_000),
            "a date without a zone": ({"retry_after": "Fri, 01 Jan 2100 00:00:00"}, 1e8, 1e10),
        }
    ),
)
def test_when_to_come_back(headers: dict[str, str], least: float, most: float) -> None:
    server = Server(answer(429, LIMIT, **headers))
    error = raised(lambda: server.create(ORDER))
    assert isinstance(error, ProviderThrottledError)
    assert error.retry_after is not None
    assert least <= error.retry_after <= most


@pytest.mark.parametrize(
    "said",
    [
        "",
        "soon",
        "Thu, 99 Foo 2026 25:00:00 GMT",
        "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
        "Sun, 06 Nov 2026 08:49:37 +99999999999999",
        "船",
    ],
)
def test_no_word_of_when_to_come_back(said: str) -> None:
    headers = [(b"retry-after", said.encode())] if said else []
    content = httpx.ByteStream(b"")
    server = Server(lambda _: httpx.Response(429, stream=content, headers=headers))
    error = raised(lambda: server.create(ORDER))
    assert isinstance(error, ProviderThrottledError)
    assert error.retry_after is None


@steady
@given(st.text() | st.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ [+-]\d+"))
def test_whatever_it_says_of_when_to_come_back_it_has_refused(said: str) -> None:
    waits = wait_to_ask_again(1, retry_after({"retry-after": said}))
    assert 1 <= waits <= 300
    waits = wait_to_ask_again(1, retry_after({"retry-after-ms": said}))
    assert 1 <= waits <= 300


@pytest.mark.parametrize(
    ("said", "waits"),
    [(0, 1), (-5, 1), (0.1, 1), (1, 1), (7, 7), (7.2, 8), (300, 300), (301, 300), (1e300, 300)],
)
def test_what_it_says_is_kept_within_bounds(said: float, waits: int) -> None:
    assert wait_to_ask_again(1, said) == waits


@pytest.mark.parametrize("said", [None, float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(("refusals", "most"), [(1, 6), (2, 12), (4, 48), (5, 60), (50, 60)])
def test_what_says_nothing_is_asked_again_at_random_and_ever_later(
    said: float | None, refusals: int, most: int
) -> None:
    waits = {wait_to_ask_again(refusals, said) for _ in range(300)}
    assert 1 <= min(waits) <= max(waits) <= most
    assert len(waits) > most / 3, "those who were refused together must not come back together"
