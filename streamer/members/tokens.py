"""Signed tokens under a strict profile of JWT (RFC 7519, RFC 8725). Pure: keys and time are arguments.

A token is accepted if it is one that `mint` could have made, and nothing else is: one algorithm per key, exact `typ`
and `aud` per purpose, exactly the claims of the purpose, canonical base64url, no member twice, a bounded life, a
small size.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from streamer.errors import TokenRefused
from streamer.members.signing_keys import SigningKey, VerifyingKey

LEEWAY_S = 5  # clocks of hosts that keep time by NTP differ by less
LATEST_TIME = 2**40
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_JWS = jwt.PyJWS(algorithms=["EdDSA", "ES256"])

Claims = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenProfile:
    """What every token of one purpose has in common."""

    typ: str
    issuer: str
    audience: str
    claims: Mapping[str, type[str] | type[int]]
    "Names and types of the claims beside iss, aud, iat, nbf and exp."
    longest_s: int
    "Longest life, from `iat` to `exp`."
    max_bytes: int
    "Longest token."

    @property
    def all_claims(self) -> dict[str, type[str] | type[int]]:
        return {"iss": str, "aud": str, "iat": int, "nbf": int, "exp": int, **self.claims}


def mint(profile: TokenProfile, key: SigningKey, claims: Claims, issued_s: int, expires_s: int) -> str:
    """A signed token. claims: exactly those that the profile names."""
    payload = {
        "iss": profile.issuer,
        "aud": profile.audience,
        "iat": issued_s,
        "nbf": issued_s,
        "exp": min(expires_s, issued_s + profile.longest_s),
        **claims,
    }
    assert payload.keys() == profile.all_claims.keys()
    header = {"typ": profile.typ, "kid": key.kid}
    token = _JWS.encode(json.dumps(payload, separators=(",", ":")).encode(), key.private, key.algorithm, header)
    assert len(token) <= profile.max_bytes
    return token


def verify(profile: TokenProfile, keys: Mapping[str, VerifyingKey], token: str, now_s: float) -> dict[str, Any]:
    """The claims of a token, all of them checked. Raises TokenRefused."""
    if len(token) > profile.max_bytes:
        raise TokenRefused("the token is too long")
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenRefused("the token does not have three parts")
    header_bytes, payload_bytes, _ = map(_decoded, parts)
    key = _key_of(profile, keys, _object(header_bytes))
    try:
        _JWS.decode(token, key.public, algorithms=[key.algorithm])
    except jwt.InvalidTokenError as error:
        raise TokenRefused("the token's signature is not ours") from error
    claims = _object(payload_bytes)
    _check_claims(profile, claims, now_s)
    return claims


def _key_of(profile: TokenProfile, keys: Mapping[str, VerifyingKey], header: dict[str, Any]) -> VerifyingKey:
    # Also keeps out jku, jwk, x5u, crit, b64 and zip: nothing that a header may ask for is done.
    if header.keys() != {"alg", "kid", "typ"} or not all(isinstance(value, str) for value in header.values()):
        raise TokenRefused("the token's header is not alg, kid and typ")
    if header["typ"] != profile.typ:
        raise TokenRefused("the token is for another purpose")
    key = keys.get(header["kid"])
    if key is None or header["alg"] != key.algorithm:
        raise TokenRefused("the token's key is not known")
    return key


def _check_claims(profile: TokenProfile, claims: dict[str, Any], now_s: float) -> None:
    expected = profile.all_claims
    # `type` and not `isinstance`: true is an int too.
    if claims.keys() != expected.keys() or any(type(claims[name]) is not kind for name, kind in expected.items()):
        raise TokenRefused("the token's claims are not those of its purpose")
    if claims["iss"] != profile.issuer or claims["aud"] != profile.audience:
        raise TokenRefused("the token is from or for someone else")
    issued_s, begins_s, ends_s = claims["iat"], claims["nbf"], claims["exp"]
    if not 0 <= issued_s <= begins_s < ends_s <= min(issued_s + profile.longest_s, LATEST_TIME):
        raise TokenRefused("the token's times are out of bounds")
    if max(issued_s, begins_s) > now_s + LEEWAY_S:
        raise TokenRefused("the token is not valid yet")
    if ends_s <= now_s:
        raise TokenRefused("the token has expired")


def _decoded(segment: str) -> bytes:
    if not _SEGMENT.fullmatch(segment):
        raise TokenRefused("the token is not base64url")
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error as error:
        raise TokenRefused("the token is not base64url") from error
    # Spare bits of the last character could make a second spelling of the same token.
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != segment:
        raise TokenRefused("the token is not canonical base64url")
    return data


def _object(data: bytes) -> dict[str, Any]:
    """A flat JSON object of strings and whole numbers, no member twice."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_members_once, parse_float=_never, parse_constant=_never)
    except (ValueError, RecursionError) as error:
        raise TokenRefused("the token holds no plain JSON object") from error
    if not isinstance(value, dict) or not all(isinstance(member, str | int) for member in value.values()):
        raise TokenRefused("the token holds no plain JSON object")
    return value


def _members_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in members}) != len(members):
        raise ValueError("a member stands twice")
    return dict(members)


def _never(text: str) -> None:
    raise ValueError(f"{text} is not a whole number")
