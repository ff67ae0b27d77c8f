"""fal's key set: read once a day, from its one address, and never half."""

from __future__ import annotations

from types import SimpleNamespace

import httpx
import pytest

from actionreel.errors import ProviderUnavailableError
from actionreel.providers.fal_keys import ADDRESS, KEPT_SECONDS, FalKeySet
from tests.fakes import cases
from tests.openai_server import Answer, answer
from tests.signed import FAL, key_set

KEYS = key_set(FAL.secret)


def raising(error: type[httpx.HTTPError]) -> Answer:
    def fails(request: httpx.Request) -> httpx.Response:
        raise error("no")

    return fails


class Fal:
    """Answers with `answer`, and counts how often."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.keys = FalKeySet(httpx.Client(transport=httpx.MockTransport(self._said)))

    def _said(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        return self.answer(request)


def test_the_keys_are_read_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("actionreel.providers.fal_keys.time", clock)
    fal = Fal(answer(200, KEYS))
    assert fal.keys.read() == fal.keys.read() == KEYS
    assert fal.asked == [ADDRESS]
    now += KEPT_SECONDS
    fal.answer = answer(200, {"keys": [1]})
    assert fal.keys.read() == {"keys": [1]}
    assert len(fal.asked) == 2


@pytest.mark.parametrize(
    "said",
    cases(
        {
            "nobody there": raising(httpx.ConnectError),
            "slow": raising(httpx.ReadTimeout),
            "an error": answer(500, KEYS),
            "a redirect": answer(302, location="https://elsewhere.test"),
            "no JSON": answer(200, b"<html>"),
            "too deep": answer(200, b"[" * 100_000),
            "no keys": answer(200, {"keys": []}),
            "another document": answer(200, [1]),
            "too long": answer(200, b" " * 2_000_000),
        }
    ),
)
def test_what_is_no_key_set_is_not_kept(said: Answer) -> None:
    fal = Fal(said)
    for _ in range(2):
        with pytest.raises(ProviderUnavailableError):
            fal.keys.read()
    assert len(fal.asked) == 2
