"""The links of videos: for whom, for how long, and that nobody can make one."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actionreel.errors import KeyUnavailableError
from actionreel.links import GRID_DAYS, Grant, Links, last_day, open_token, token
from tests.fakes import LINK_KEY, NOON, VIDEO_ID, a_video, steady
from tests.linked import BASE, CONTENT, LINKS, POSTER, TOKEN

END = last_day(NOON, 365)
TIMES = st.integers(0, 70 * 365 * 86400).map(lambda seconds: NOON + timedelta(seconds=seconds))
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~ %+/=\né\uff10"


def opened(given: str | None, video_id: str = VIDEO_ID, now: datetime = NOON) -> Grant | None:
    return open_token(lambda: LINK_KEY, given, video_id, now)


def test_file_and_still_image_have_an_address_without_a_key() -> None:
    assert LINKS.content(a_video()) == CONTENT
    assert LINKS.poster(a_video()) == POSTER
    assert opened(TOKEN) == Grant("default", 0)


def test_a_link_is_short_and_safe_in_an_address() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", TOKEN)
    assert len(TOKEN) < 50
    assert len(base64.urlsafe_b64decode(TOKEN.rpartition(".")[2] + "==")) * 8 >= 128


@steady
@given(
    st.text(min_size=1, max_size=40),
    st.text(max_size=100),
    st.integers(0, 10**9 - 1),
    TIMES,
    st.integers(1, 3650),
)
@example("\ud800", VIDEO_ID, 0, NOON, 365)
def test_what_it_says_comes_back(
    tenant: str, video_id: str, revision: int, now: datetime, days: int
) -> None:
    made = token(LINK_KEY, tenant, video_id, last_day(now, days), revision)
    assert opened(made, video_id, now) == Grant(tenant, revision)
    assert opened(made, video_id + "x", now) is None
    assert opened(made, video_id, now + timedelta(days=days) - timedelta(seconds=1))
    assert opened(made, video_id, now + timedelta(days=days + min(days, GRID_DAYS))) is None


@pytest.mark.parametrize("place", range(len(TOKEN)))
def test_a_token_with_another_character_is_refused(place: int) -> None:
    for character in CHARACTERS:
        changed = f"{TOKEN[:place]}{character}{TOKEN[place + 1 :]}"
        assert (opened(changed) is None) == (changed != TOKEN)
        assert opened(f"{TOKEN[:place]}{character}{TOKEN[place:]}") is None
    assert opened(TOKEN[:place] + TOKEN[place + 1 :]) is None
    assert opened(TOKEN[:place]) is None


@steady
@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]+[.][0-9]+[.][0-9]+[.][A-Za-z0-9_-]+"))
@example("")
@example("...")
@example(".1.0." + "A" * 22)
@example("A.1.0." + "A" * 22)
@example("____.99999.0." + "A" * 22)
@example(f"ZGVmYXVsdA.{'9' * 5000}.0." + "A" * 22)
@example(f"{TOKEN}\n")
@example(f" {TOKEN}")
@example(f"{TOKEN}=")
def test_no_other_text_opens_anything(text: str) -> None:
    assert opened(text) is None


def test_a_link_says_nothing_of_another_tenant_or_video_or_deployment() -> None:
    mac = TOKEN.rpartition(".")[2]
    theirs = token(LINK_KEY, "other", VIDEO_ID, END, 0)
    assert opened(f"{theirs.rpartition('.')[0]}.{mac}") is None
    assert opened(TOKEN, VIDEO_ID.replace("1", "2")) is None
    assert opened(token("another deployment", "default", VIDEO_ID, END, 0)) is None
    assert opened(None) is None
    with pytest.raises(ValueError, match="secret"):
        token("", "default", VIDEO_ID, END, 0)


def test_nobody_makes_it_last_longer_or_survive_a_revocation() -> None:
    tenant, end, revision, mac = TOKEN.split(".")
    assert opened(f"{tenant}.{int(end) + GRID_DAYS}.{revision}.{mac}") is None
    assert opened(f"{tenant}.{end}.{int(revision) + 1}.{mac}") is None
    assert opened(f"{tenant}.0{end}.{revision}.{mac}") is None
    assert opened(f"{tenant}.{end}.0{revision}.{mac}") is None


@steady
@given(TIMES, st.integers(1, 3650))
def test_a_link_stays_the_same_for_a_day_at_least(now: datetime, days: int) -> None:
    """But where it may work for less than a month: there it changes as often as it ends."""
    grid = min(days, GRID_DAYS)
    ends = [last_day(now + timedelta(hours=hour), days) for hour in range(24 * grid)]
    assert len(set(ends)) <= 2
    assert all(end % grid == 0 for end in ends)
    assert days <= ends[0] - (now - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(days=1)


def test_a_link_is_the_same_at_each_poll_for_weeks() -> None:
    made = {
        Links(BASE, lambda: LINK_KEY, 365, NOON + timedelta(minutes=minute)).content(a_video())
        for minute in range(24 * 60)
    }
    assert made == {CONTENT}


def test_the_key_is_asked_for_once_and_only_when_it_is_needed() -> None:
    asked: list[int] = []

    def key() -> str:
        asked.append(1)
        raise KeyUnavailableError("Not now.")

    links = Links(BASE, key, 365, NOON)
    assert asked == []
    for _ in range(3):
        with pytest.raises(KeyUnavailableError, match="Not now"):
            links.content(a_video())
    assert len(asked) == 1
    assert open_token(key, "no token", VIDEO_ID, NOON) is None
    assert len(asked) == 1
