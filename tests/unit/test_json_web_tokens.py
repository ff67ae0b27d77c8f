"""JSON Web Tokens: which are believed, and when an issuer's keys are read."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.wrappers import Request, Response

from actionreel.json_web_tokens import OpenIdTokens, read
from actionreel.transport import MAX_ANSWER_BYTES
from local.loopback import HOST, serve
from tests.fakes import cases
from tests.issuer import (
    AUDIENCE,
    CURVE,
    ISSUER,
    OTHER,
    Issuer,
    forged_hmac,
    jwk,
    token,
    unsigned,
)

KEY = "ar_dTnCgf0tMiA3xMpVdtLZ3wNyGb4SxJmHkqWvQ2eRz-I"


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def tokens(issuer: Issuer) -> OpenIdTokens:
    return OpenIdTokens(ISSUER, AUDIENCE, "sub", issuer.fetch)


@pytest.mark.parametrize(
    "make",
    cases(
        {
            "RSA": lambda: token(),
            "a curve": lambda: token(CURVE, "ES256", "two"),
            "a little too old": lambda: token(exp=datetime.now(UTC) - timedelta(seconds=30)),
            "several audiences": lambda: token(aud=["other", AUDIENCE]),
        }
    ),
)
def test_a_good_token(tokens: OpenIdTokens, make: Callable[[], str]) -> None:
    assert tokens.tenant(make()) == "acme"


@pytest.mark.parametrize(
    "make",
    cases(
        {
            "too old": lambda: token(exp=datetime.now(UTC) - timedelta(minutes=5)),
            "not yet valid": lambda: token(nbf=datetime.now(UTC) + timedelta(minutes=5)),
            "for ever": lambda: token(exp=None),
            "for somebody else": lambda: token(aud="other"),
            "for nobody": lambda: token(aud=None),
            "of another issuer": lambda: token(iss="https://evil.test/"),
            "of no issuer": lambda: token(iss=None),
            "signed by another": lambda: token(OTHER),
            "an unknown key": lambda: token(OTHER, kid="three"),
            "no key named, of two": lambda: token(kid=None),
            "no tenant": lambda: token(sub=None),
            "no signature": unsigned,
            "the public key as a secret": forged_hmac,
            "changed": lambda: token()[:-4] + "AAAA",
            "no token": lambda: "a.b.c",
            "an API key": lambda: KEY,
        }
    ),
)
def test_a_bad_token(tokens: OpenIdTokens, make: Callable[[], str]) -> None:
    assert tokens.tenant(make()) is None


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_shared_secret_is_no_key(tokens: OpenIdTokens, issuer: Issuer) -> None:
    issuer.keys = [{"kty": "oct", "kid": "one", "k": "c2VjcmV0"}]
    assert tokens.tenant(token("secret", "HS256")) is None


def test_keys_are_read_once_and_a_new_one_is_found(
    tokens: OpenIdTokens, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("actionreel.json_web_tokens.time.monotonic", lambda: clock[0])
    for _ in range(5):
        assert tokens.tenant(token()) == "acme"
    assert len(issuer.read) == 2
    issuer.keys.append(jwk(OTHER, "three"))
    assert tokens.tenant(token(OTHER, kid="three")) is None  # has just been looked for
    clock[0] += 31
    assert tokens.tenant(token(OTHER, kid="three")) == "acme"
    for _ in range(50):
        assert tokens.tenant(token(OTHER, kid="four")) is None
    assert len(issuer.read) == 4  # a stranger's tokens do not make us ask again and again
    issuer.keys = [jwk(OTHER, "three")]
    clock[0] += 3601
    assert tokens.tenant(token()) is None  # the old key was taken back


def test_an_issuer_that_is_gone(
    tokens: OpenIdTokens, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("actionreel.json_web_tokens.time.monotonic", lambda: clock[0])
    issuer.gone = True
    with pytest.raises(OSError, match="cannot be read"):
        tokens.tenant(token())
    issuer.gone = False
    with pytest.raises(OSError, match="cannot be read"):
        tokens.tenant(token())  # it is not asked at every request
    assert len(issuer.read) == 1
    clock[0] += 6
    assert tokens.tenant(token()) == "acme"
    issuer.gone = True
    clock[0] += 3601
    assert tokens.tenant(token()) == "acme"  # with the keys that we know
    with pytest.raises(OSError, match="cannot be read"):
        tokens.tenant(token(OTHER, kid="three"))  # which may be a new one: nobody knows
    clock[0] += 24 * 3600
    with pytest.raises(OSError, match="cannot be read"):
        tokens.tenant(token())  # which may have been taken back long ago
    issuer.gone = False
    clock[0] += 31
    assert tokens.tenant(token()) == "acme"


@pytest.mark.parametrize(
    "document",
    cases(
        {
            "a list": b"[]",
            "no JSON": b"<html>",
            "without keys": b"{}",
            "keys that are none": b'{"keys": null}',
            "keys that are words": b'{"keys": ["one"]}',
            "nested without end": b"[" * 100_000,
        }
    ),
)
def test_a_key_set_that_is_none_is_trouble_and_not_asked_for_again(
    issuer: Issuer, document: bytes
) -> None:
    asked = []

    def fetch(address: str) -> bytes:
        asked.append(address)
        return issuer.fetch(address) if "well-known" in address else document

    tokens = OpenIdTokens(ISSUER, AUDIENCE, "sub", fetch)
    for _ in range(3):
        with pytest.raises(OSError, match="cannot be read"):
            tokens.tenant(token())
    assert len(asked) == 2
    assert tokens.tenant("no.token.atall") is None  # tells nothing of the trouble


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize(
    ("changes", "believed"),
    cases(
        {
            "as it is": ({}, True),
            "for its use": ({"use": "sig", "alg": "RS256"}, True),
            "for encryption": ({"use": "enc"}, False),
            "for another algorithm": ({"alg": "RS512"}, False),
            "for a shared secret": ({"alg": "HS256"}, False),
            "damaged": ({"n": "!"}, False),
            "of an odd type": ({"n": 5}, False),
            "of an unknown kind": ({"kty": "XX"}, False),
        }
    ),
)
def test_a_key_is_used_for_what_it_is_for(
    tokens: OpenIdTokens, issuer: Issuer, changes: dict[str, Any], believed: bool
) -> None:
    issuer.keys[0] = {**issuer.keys[0], **changes}
    assert (tokens.tenant(token()) == "acme") == believed
    assert tokens.tenant(token(CURVE, "ES256", "two")) == "acme"  # the others are as they were


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_short_key_is_none(tokens: OpenIdTokens, issuer: Issuer) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    issuer.keys[0] = jwk(short, "one")
    assert tokens.tenant(token(short)) is None


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "odd", [float("inf"), float("nan"), [], {}, "x", 10**30, -(10**30)], ids=str
)
def test_a_time_of_an_odd_type_is_no_exception(tokens: OpenIdTokens, claim: str, odd: Any) -> None:
    assert tokens.tenant(token(**{claim: odd})) in (None, "acme")


@pytest.mark.parametrize(
    "headers",
    cases(
        {
            "a key of its own": {"jwk": jwk(OTHER, "one")},
            "keys of its own": {"jku": "https://evil.test/keys", "x5u": "https://evil.test"},
            "a way out of the folder": {"kid": "../../dev/null"},
            "a query": {"kid": "one' OR '1'='1"},
        }
    ),
)
def test_a_token_does_not_say_how_it_is_checked(
    tokens: OpenIdTokens, issuer: Issuer, headers: dict[str, Any]
) -> None:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "acme", "exp": 4_000_000_000}
    forged = jwt.encode(claims, OTHER, "RS256", headers={"kid": "one", **headers})
    assert tokens.tenant(forged) is None
    assert not [address for address in issuer.read if not address.startswith(ISSUER)]


@pytest.mark.parametrize("kid", [1, None, ["one"], {"one": 1}, True])
def test_the_name_of_a_key_can_be_of_any_type(tokens: OpenIdTokens, kid: Any) -> None:
    _, body, signature = token().split(".")
    odd = base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": kid}).encode()).decode()
    assert tokens.tenant(f"{odd.rstrip('=')}.{body}.{signature}") is None


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": "https://evil.test/", "jwks_uri": "https://issuer.test/keys"},
        {"issuer": ISSUER, "jwks_uri": "http://issuer.test/keys"},
        {"issuer": ISSUER},
    ],
)
def test_a_configuration_that_is_another_s(
    tokens: OpenIdTokens, issuer: Issuer, configuration: dict[str, str]
) -> None:
    issuer.configuration = configuration
    with pytest.raises(OSError, match="cannot be read"):
        tokens.tenant(token())


def test_what_an_operator_got_wrong() -> None:
    with pytest.raises(ValueError, match="https"):
        OpenIdTokens("http://issuer.test", AUDIENCE, "sub")
    with pytest.raises(ValueError, match="JwtAudience is missing"):
        OpenIdTokens(ISSUER, "", "sub")


@contextmanager
def served(application: Callable[[Request], Response]) -> Iterator[str]:
    """A server on this machine, and its address."""
    server = serve(Request.application(application), 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{HOST}:{server.port}"
    server.shutdown()
    server.server_close()


def test_keys_come_over_a_socket(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what reads them in the cloud; but for the encryption, and the hurry."""
    monkeypatch.setattr("actionreel.json_web_tokens.READ_SECONDS", 60)

    def answer(request: Request) -> Response:
        return Response(issuer.fetch(ISSUER.rstrip("/") + request.path))

    with served(answer) as url:
        tokens = OpenIdTokens(
            ISSUER, AUDIENCE, "sub", lambda address: read(address.replace(ISSUER, f"{url}/"))
        )
        assert tokens.tenant(token()) == "acme"
        assert tokens.tenant(token(OTHER)) is None
    assert issuer.read == [f"{ISSUER}.well-known/openid-configuration", f"{ISSUER}keys"]


@pytest.mark.parametrize(
    "response",
    cases(
        {
            "an error": Response("{}", 500),
            "a redirect": Response("", 302, {"Location": "https://evil.test"}),
            "no end": Response(b"x" * (MAX_ANSWER_BYTES + 1)),
        }
    ),
)
def test_what_an_issuer_may_not_answer(response: Response) -> None:
    with served(lambda request: response) as url, pytest.raises(OSError, match="cannot be read"):
        read(url)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "https://[", "https://a b/", "nothing"])
def test_where_no_issuer_can_be(address: str) -> None:
    with pytest.raises(OSError, match="cannot be read"):
        read(address)
