import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import TokenRefused
from streamer.members.signing_keys import SigningKey
from streamer.members.tokens import TokenProfile, mint, verify

NOW_S = 1_800_000_000
PROFILE = TokenProfile(
    typ="at+jwt", issuer="marquee", audience="marquee-api", claims={"sub": str}, longest_s=900, max_bytes=1024
)
KEY = SigningKey("key-1", "EdDSA", ed25519.Ed25519PrivateKey.generate())
EC_KEY = SigningKey("key-2", "ES256", ec.generate_private_key(ec.SECP256R1()))
STRANGER = SigningKey("key-1", "EdDSA", ed25519.Ed25519PrivateKey.generate())
KEYS = {key.kid: key.verifying for key in (KEY, EC_KEY)}

HEADER = {"alg": "EdDSA", "kid": "key-1", "typ": "at+jwt"}
CLAIMS = {"iss": "marquee", "aud": "marquee-api", "iat": NOW_S, "nbf": NOW_S, "exp": NOW_S + 900, "sub": "anna"}
JWS = jwt.PyJWS()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: Mapping[str, Any] | str = HEADER, claims: Mapping[str, Any] | str = CLAIMS) -> str:
    """A token with a true signature over whatever it says."""
    texts = [part if isinstance(part, str) else json.dumps(part) for part in (header, claims)]
    return signed_raw(*(b64(text.encode()) for text in texts))


def signed_raw(header: str, payload: str) -> str:
    assert isinstance(KEY.private, ed25519.Ed25519PrivateKey)
    return f"{header}.{payload}.{b64(KEY.private.sign(f'{header}.{payload}'.encode()))}"


def with_hmac(secret: bytes) -> str:
    message = f"{b64(json.dumps({**HEADER, 'alg': 'HS256'}).encode())}.{b64(json.dumps(CLAIMS).encode())}"
    return f"{message}.{b64(hmac.digest(secret, message.encode(), hashlib.sha256))}"


def without_last_bits(token: str) -> str:
    """The same bytes, spelt with another last character."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


PEM = KEY.verifying.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
RAW = KEY.verifying.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
GOOD = signed()

HOSTILE: dict[str, str] = {
    "nothing": "",
    "dots": "..",
    "one part": GOOD.split(".")[0],
    "no signature": GOOD.rpartition(".")[0] + ".",
    "two parts": GOOD.rpartition(".")[0],
    "four parts": GOOD + ".AAAA",
    "five parts, as if encrypted": "a.b.c.d.e",
    "unsigned, alg none": f"{b64(json.dumps({**HEADER, 'alg': 'none'}).encode())}.{GOOD.split('.')[1]}.",
    "alg none with a signature": signed({**HEADER, "alg": "none"}),
    "alg None in other letters": signed({**HEADER, "alg": "nOnE"}),
    "HMAC with the public key as PEM": with_hmac(PEM),
    "HMAC with the public key as bytes": with_hmac(RAW),
    "HMAC with nothing": with_hmac(b""),
    "the other algorithm of the house": signed({**HEADER, "alg": "ES256"}),
    "the key of the other algorithm": signed({**HEADER, "kid": "key-2"}),
    "an algorithm's other name": signed({**HEADER, "alg": "Ed25519"}),
    "a stranger's signature": mint(PROFILE, STRANGER, {"sub": "anna"}, NOW_S, NOW_S + 900),
    "changed claims": ".".join(
        [GOOD.split(".")[0], b64(json.dumps({**CLAIMS, "sub": "eve"}).encode()), GOOD.split(".")[2]]
    ),
    "changed signature": GOOD[:-10] + ("A" if GOOD[-10] != "A" else "B") + GOOD[-9:],
    "no typ": signed({name: value for name, value in HEADER.items() if name != "typ"}),
    "typ JWT": signed({**HEADER, "typ": "JWT"}),
    "typ of a playback token": signed({**HEADER, "typ": "playback+jwt"}),
    "typ in other letters": signed({**HEADER, "typ": "AT+JWT"}),
    "typ with its full name": signed({**HEADER, "typ": "application/at+jwt"}),
    "no kid": signed({"alg": "EdDSA", "typ": "at+jwt"}),
    "kid that walks": signed({**HEADER, "kid": "../../../../dev/null"}),
    "kid that injects": signed({**HEADER, "kid": "' OR 1=1 --"}),
    "kid that is a number": signed({**HEADER, "kid": 1}),
    "kid that is a list": signed({**HEADER, "kid": ["key-1"]}),
    "crit": signed({**HEADER, "crit": ["exp"]}),
    "jku": signed({**HEADER, "jku": "https://evil.example/jwks.json"}),
    "jwk": signed({**HEADER, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": b64(RAW)}}),
    "x5u": signed({**HEADER, "x5u": "https://evil.example/cert.pem"}),
    "x5c": signed({**HEADER, "x5c": ["AAAA"]}),
    "unencoded payload": signed({**HEADER, "b64": False, "crit": ["b64"]}),
    "zipped": signed({**HEADER, "zip": "DEF"}),
    "nested": signed({**HEADER, "cty": "JWT"}, GOOD),
    "a token as the payload": signed(HEADER, GOOD),
    "header that is a list": signed("[]"),
    "header that is no JSON": signed("alg=EdDSA"),
    "header with a member twice": signed('{"alg":"none","alg":"EdDSA","kid":"key-1","typ":"at+jwt"}'),
    "header that is not UTF-8": signed_raw(b64(b'{"alg":"EdDSA","kid":"key-1","typ":"at\xffjwt"}'), GOOD.split(".")[1]),
    "claims with a member twice": signed(HEADER, json.dumps(CLAIMS)[:-1] + ',"sub":"eve"}'),
    "claims that are a list": signed(HEADER, "[1]"),
    "claims that are a string": signed(HEADER, '"anna"'),
    "claims that are no JSON": signed(HEADER, "sub=anna"),
    "claims that are nothing": signed_raw(GOOD.split(".")[0], ""),
    "claims nested deep": signed(HEADER, "[" * 300 + "]" * 300),
    "claims with bytes after them": signed(HEADER, json.dumps(CLAIMS) + "x"),
    "claims with a byte order mark": signed(HEADER, "\ufeff" + json.dumps(CLAIMS)),
    "another issuer": signed(HEADER, {**CLAIMS, "iss": "evil"}),
    "another audience": signed(HEADER, {**CLAIMS, "aud": "marquee-media"}),
    "two audiences": signed(HEADER, {**CLAIMS, "aud": ["marquee-api", "marquee-media"]}),
    "no audience": signed(HEADER, {name: value for name, value in CLAIMS.items() if name != "aud"}),
    "no exp": signed(HEADER, {name: value for name, value in CLAIMS.items() if name != "exp"}),
    "no iat": signed(HEADER, {name: value for name, value in CLAIMS.items() if name != "iat"}),
    "a claim too many": signed(HEADER, {**CLAIMS, "role": "admin"}),
    "a jti": signed(HEADER, {**CLAIMS, "jti": "1"}),
    "a subject that is a number": signed(HEADER, {**CLAIMS, "sub": 1}),
    "a subject that is nothing": signed(HEADER, {**CLAIMS, "sub": None}),
    "a subject that is an object": signed(HEADER, {**CLAIMS, "sub": {"$ne": ""}}),
    "expired": signed(HEADER, {**CLAIMS, "iat": NOW_S - 900, "nbf": NOW_S - 900, "exp": NOW_S}),
    "not valid yet": signed(HEADER, {**CLAIMS, "nbf": NOW_S + 60}),
    "issued in the future": signed(HEADER, {**CLAIMS, "iat": NOW_S + 60, "nbf": NOW_S + 60}),
    "valid for too long": signed(HEADER, {**CLAIMS, "exp": NOW_S + 901}),
    "valid for ever": signed(HEADER, {**CLAIMS, "exp": 2**62}),
    "valid beyond all numbers": signed(HEADER, json.dumps(CLAIMS).replace(str(NOW_S + 900), "1" + "0" * 500)),
    "expiry that is infinite": signed(HEADER, json.dumps(CLAIMS).replace(str(NOW_S + 900), "Infinity")),
    "expiry that is no number": signed(HEADER, json.dumps(CLAIMS).replace(str(NOW_S + 900), "NaN")),
    "expiry with a fraction": signed(HEADER, {**CLAIMS, "exp": NOW_S + 1.5}),
    "expiry as an exponent": signed(HEADER, json.dumps(CLAIMS).replace(str(NOW_S + 900), "1.8e9")),
    "expiry that is a string": signed(HEADER, {**CLAIMS, "exp": str(NOW_S + 900)}),
    "expiry that is true": signed(HEADER, {**CLAIMS, "exp": True}),
    "issued before all time": signed(HEADER, {**CLAIMS, "iat": -1}),
    "expiry before its issue": signed(HEADER, {**CLAIMS, "iat": NOW_S, "nbf": NOW_S, "exp": NOW_S - 1}),
    "padded": GOOD + "=",
    "padded in the middle": GOOD.replace(".", "=.", 1),
    "standard base64": GOOD.replace("-", "+").replace("_", "/") + "+/",
    "spare bits": without_last_bits(GOOD),
    "a space before it": " " + GOOD,
    "a line end after it": GOOD + "\n",
    "a line end within": GOOD[:20] + "\n" + GOOD[20:],
    "a NUL": GOOD + "\0",
    "letters that only look like ours": GOOD.replace("e", "е", 1),  # noqa: RUF001 that is the attack
    "huge": signed(HEADER, {**CLAIMS, "sub": "a" * 5000}),
    "huge and hollow": "A" * 10_000_000,
    "many dots": "." * 1000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_token_is_refused(name: str) -> None:
    token = HOSTILE[name]
    with pytest.raises(TokenRefused) as raised:
        verify(PROFILE, KEYS, token, NOW_S)
    assert "anna" not in str(raised.value)


def test_at_least_31_tokens_are_hostile() -> None:
    assert len(HOSTILE) >= 31


def test_the_good_one_among_them_is_accepted() -> None:
    assert verify(PROFILE, KEYS, GOOD, NOW_S) == CLAIMS


@pytest.mark.parametrize("key", [KEY, EC_KEY], ids=["EdDSA", "ES256"])
def test_what_is_minted_is_accepted_until_it_expires(key: SigningKey) -> None:
    token = mint(PROFILE, key, {"sub": "anna"}, NOW_S, NOW_S + 100)
    assert verify(PROFILE, KEYS, token, NOW_S)["sub"] == "anna"
    assert verify(PROFILE, KEYS, token, NOW_S + 99.9)["exp"] == NOW_S + 100
    for now_s in (NOW_S + 100, NOW_S - 10):
        with pytest.raises(TokenRefused):
            verify(PROFILE, KEYS, token, now_s)


def test_no_token_lives_longer_than_its_profile_allows() -> None:
    token = mint(PROFILE, KEY, {"sub": "anna"}, NOW_S, NOW_S + 10**6)
    assert verify(PROFILE, KEYS, token, NOW_S)["exp"] == NOW_S + 900


def test_a_key_that_is_gone_is_not_known() -> None:
    with pytest.raises(TokenRefused, match="key is not known"):
        verify(PROFILE, {}, GOOD, NOW_S)


@given(st.text(max_size=300))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(TokenRefused):
        verify(PROFILE, KEYS, text, NOW_S)


@given(st.integers(0, len(GOOD) - 1), st.characters())
def test_no_other_character_anywhere_is_accepted(position: int, character: str) -> None:
    changed = GOOD[:position] + character + GOOD[position + 1 :]
    if changed != GOOD:
        with pytest.raises(TokenRefused):
            verify(PROFILE, KEYS, changed, NOW_S)


def test_tokens_of_the_other_purpose_are_refused() -> None:
    other = TokenProfile(
        typ="playback+jwt", issuer="marquee", audience="m", claims={"sub": str}, longest_s=900, max_bytes=1024
    )
    token = mint(other, KEY, {"sub": "anna"}, NOW_S, NOW_S + 1)
    with pytest.raises(TokenRefused):
        verify(PROFILE, KEYS, token, NOW_S)
