"""Signatures of webhooks: what a provider signed is believed, and nothing else is."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionreel import signatures
from tests.fakes import cases, steady
from tests.signed import EVERY, FAL, NOW, OPENROUTER, SENT_AT, STANDARD, Signed, key_set


@pytest.mark.parametrize("signed", cases(EVERY))
def test_what_a_provider_signed_is_believed(signed: Signed) -> None:
    assert signed.accepted()


@pytest.mark.parametrize("signed", cases(EVERY))
def test_one_bit_that_is_changed_anywhere_is_noticed(signed: Signed) -> None:
    spoiled = [*signed.spoiled()]
    assert len(spoiled) > 8 * len(signed.body)
    assert [changed for changed in spoiled if changed.accepted()] == []


@pytest.mark.parametrize("signed", cases(EVERY))
@pytest.mark.parametrize(
    ("seconds", "believed"), [(300, True), (-300, True), (301, False), (-301, False)]
)
def test_a_signature_is_worth_something_for_five_minutes(
    signed: Signed, seconds: int, believed: bool
) -> None:
    assert signed.accepted(NOW + timedelta(seconds=seconds)) is believed


@pytest.mark.parametrize("signed", cases(EVERY))
def test_every_header_is_needed(signed: Signed) -> None:
    for name in signed.headers:
        for odd in ("", " ", "\u0661", "x" * 10_000, f"{signed.headers[name]}\n"):
            assert not replace(signed, headers={**signed.headers, name: odd}).accepted()
        left = {other: value for other, value in signed.headers.items() if other != name}
        assert not replace(signed, headers=left).accepted()


def test_of_several_signatures_one_is_enough() -> None:
    """Both secrets sign while one takes the other's place; a v2 is of a scheme that is not ours."""
    right = STANDARD.headers["webhook-signature"]
    other = "v1," + base64.b64encode(bytes(32)).decode()
    for together, believed in {
        f"{other} {right}": True,
        f"{right} {other}": True,
        f"v2,abc {right}": True,
        f"{other} {other}": False,
        f"{right},{other}": False,
        right.replace("v1,", "v2,"): False,
    }.items():
        headers = {**STANDARD.headers, "webhook-signature": together}
        assert replace(STANDARD, headers=headers).accepted() is believed, together
    several = {"x-openrouter-signature": OPENROUTER.headers["x-openrouter-signature"] + ",v1=00"}
    assert replace(OPENROUTER, headers=several).accepted()


def test_a_secret_may_come_without_its_prefix() -> None:
    assert replace(STANDARD, secret=STANDARD.secret.removeprefix("whsec_")).accepted()


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_*", "whsec_é", "whsec_a"])
def test_a_secret_that_is_none_believes_nothing(secret: str) -> None:
    assert not replace(STANDARD, secret=secret).accepted()
    assert not replace(OPENROUTER, secret="").accepted()


def test_a_key_set_without_the_key_believes_nothing() -> None:
    no_keys: list[object] = [None, {}, {"x": 1}, {"x": "AAAA"}]
    for odd in (None, no_keys, {}, {"keys": None}, {"keys": no_keys}):
        assert not signatures.fal(odd, FAL.headers, FAL.body, NOW)
    far_down = {"keys": key_set(FAL.secret)["keys"][:1] * 100 + key_set(FAL.secret)["keys"]}
    assert not signatures.fal(far_down, FAL.headers, FAL.body, NOW)


texts = st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9+/=_, ]*", fullmatch=True))
times = st.one_of(texts, st.integers().map(str), st.just(str(SENT_AT)))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(
        st.lists(inner), st.dictionaries(st.sampled_from(["keys", "x", "kty"]), inner)
    ),
)


@steady
@given(st.data())
def test_nothing_that_a_stranger_sends_raises(data: st.DataObject) -> None:
    signed = data.draw(st.sampled_from([*EVERY.values()]))
    headers = {
        name: data.draw(st.one_of(times if "time" in name else texts, st.just(value)))
        for name, value in signed.headers.items()
        if data.draw(st.booleans())
    }
    body = data.draw(st.one_of(st.binary(), st.just(signed.body)))
    secret = data.draw(st.one_of(texts, st.just(signed.secret)))
    believed = signed.verify(secret, headers, body, NOW)
    assert believed is (
        headers == signed.headers and body == signed.body and secret == signed.secret
    )


@steady
@given(json_values)
def test_no_key_set_raises(keys: object) -> None:
    assert signatures.fal(keys, FAL.headers, FAL.body, NOW) is False
    assert signatures.fal({"keys": keys}, FAL.headers, FAL.body, NOW) is False
