"""Whose request it is: API keys, JSON Web Tokens, and everything else that a header can hold."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from actionreel import bootstrap
from actionreel.api_keys import ApiKey, key_hash
from actionreel.authorization import authorize
from actionreel.json_web_tokens import OpenIdTokens
from functions.authorizer import app
from tests.fakes import NOON, FakeServices, cases

KEY = "ar_dTnCgf0tMiA3xMpVdtLZ3wNyGb4SxJmHkqWvQ2eRz-I"


@pytest.fixture
def services() -> FakeServices:
    made = FakeServices()
    made.keys.add(ApiKey(tenant="acme", key_hash=key_hash(KEY), name="ci", created_at=NOON))
    return made


@pytest.mark.parametrize(
    "header", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER   {KEY}", f"Bearer {KEY} "]
)
def test_a_key_names_its_tenant(services: FakeServices, header: str) -> None:
    caller = authorize(header, services)
    assert caller is not None
    assert caller.tenant == "acme"
    assert caller.key_id == key_hash(KEY)[:12]


@pytest.mark.parametrize(
    "header",
    cases(
        {
            "nothing": "",
            "a key without its scheme": KEY,
            "another scheme": f"Basic {KEY}",
            "no key": "Bearer ",
            "somebody else's key": f"Bearer {KEY[::-1]}",
            "one letter less": f"Bearer {KEY[:-1]}",
            "one letter more": f"Bearer {KEY}A",
            "other capitals": f"Bearer {KEY.swapcase()}",
            "two keys": f"Bearer {KEY} {KEY}",
            "two headers in one": f"Bearer {KEY},Bearer {KEY}",
            "what is kept of it": f"Bearer {key_hash(KEY)}",
            "letters of another alphabet": f"Bearer ar_\u043a\u043b\u044e\u0447{KEY}",
            "half a surrogate pair": "Bearer ar_\ud800",
            "a line's end": f"Bearer {KEY}\n",
            "8 KB": "Bearer ar_" + "a" * 8192,
            "a token where keys are taken": "Bearer eyJhbGciOiJub25lIn0.e30.",
        }
    ),
)
def test_everything_else_is_nobody_s(services: FakeServices, header: str) -> None:
    assert authorize(header, services) is None


def test_a_revoked_key_is_nobody_s(services: FakeServices) -> None:
    services.keys.revoke(services.keys.of("acme")[0], NOON)
    assert authorize(f"Bearer {KEY}", services) is None


def test_nothing_that_is_kept_is_the_key(services: FakeServices) -> None:
    assert KEY not in repr(services.keys.held)
    assert KEY[3:] not in repr(services.keys.held)


def test_the_function_answers_api_gateway(services: FakeServices) -> None:
    bootstrap.use(services)
    event = json.loads(Path("tests/events/authorizer.json").read_text())
    assert event["headers"]["authorization"] == "Bearer ar_home"
    assert app.lambda_handler(event, None) == {"isAuthorized": False}
    admitted = app.lambda_handler({"headers": {"authorization": f"Bearer {KEY}"}}, None)
    known = {"tenant": "acme", "key_id": key_hash(KEY)[:12]}
    assert admitted == {"isAuthorized": True, "context": known}
    assert app.lambda_handler({}, None) == {"isAuthorized": False}


# ---- JSON Web Tokens

ISSUER, AUDIENCE = "https://issuer.test/", "actionreel"
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


def jwk(key: Any, kid: str) -> dict[str, Any]:
    kind: Any = jwt.algorithms.RSAAlgorithm if key is not CURVE else jwt.algorithms.ECAlgorithm
    found: dict[str, Any] = json.loads(kind.to_jwk(key.public_key()))
    return {**found, "kid": kid, "use": "sig"}


class Issuer:
    """An OpenID Connect provider, as its addresses show it."""

    def __init__(self) -> None:
        self.keys = [jwk(PRIVATE, "one"), jwk(CURVE, "two")]
        self.configuration = {"issuer": ISSUER, "jwks_uri": "https://issuer.test/keys"}
        self.read: list[str] = []
        self.gone = False

    def fetch(self, address: str) -> bytes:
        self.read.append(address)
        if self.gone:
            raise OSError("gone")
        if address == "https://issuer.test/.well-known/openid-configuration":
            return json.dumps(self.configuration).encode()
        assert address == "https://issuer.test/keys"
        return json.dumps({"keys": self.keys}).encode()


def token(
    key: Any = PRIVATE, algorithm: str = "RS256", kid: str | None = "one", **claims: Any
) -> str:
    now = datetime.now(UTC)
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "acme", "exp": now + timedelta(hours=1)}
    asked = {name: claim for name, claim in {**good, **claims}.items() if claim is not None}
    return jwt.encode(asked, key, algorithm, headers={"kid": kid} if kid else {})


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


def public_pem() -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def forged_hmac() -> str:
    """Signed with the public key as if it were a shared secret."""
    import hashlib
    import hmac

    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    head = part({"alg": "HS256", "kid": "one"})
    body = part({"iss": ISSUER, "aud": AUDIENCE, "sub": "acme", "exp": 4_000_000_000})
    digest = hmac.new(public_pem(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def unsigned() -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "acme", "exp": 4_000_000_000}
    nothing: Any = None
    return jwt.encode(claims, nothing, "none", headers={"kid": "one"})


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


def test_where_tokens_are_taken_keys_are_not(services: FakeServices, tokens: OpenIdTokens) -> None:
    services.tokens = tokens
    assert authorize(f"Bearer {KEY}", services) is None
    caller = authorize(f"Bearer {token()}", services)
    assert caller is not None
    assert caller == ("acme", None)
    for odd in ("Acme", "acme/../default", "", "a" * 41, 7, ["acme"]):
        assert authorize(f"Bearer {token(sub=odd)}", services) is None


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
