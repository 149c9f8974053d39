"""Access tokens: who calls the API (RFC 9068's `typ`; our own claims)."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.settings import AuthSettings
from streamer.errors import NotSignedIn, TokenRefused
from streamer.members.signing_keys import SigningKey, VerifyingKey
from streamer.members.tokens import TokenProfile, mint, verify

AUDIENCE = "marquee-api"


@dataclass(frozen=True, slots=True)
class Caller:
    """What an access token says."""

    member_id: str
    sign_in: str
    "The family of refresh tokens it came with: it ends with them."


def access_profile(issuer: str, settings: AuthSettings) -> TokenProfile:
    return TokenProfile(
        typ="at+jwt",
        issuer=issuer,
        audience=AUDIENCE,
        claims={"sub": str, "sid": str},
        longest_s=settings.access_token_s,
        max_bytes=1024,
    )


def mint_access_token(profile: TokenProfile, key: SigningKey, caller: Caller, now_s: int) -> str:
    claims = {"sub": caller.member_id, "sid": caller.sign_in}
    return mint(profile, key, claims, now_s, now_s + profile.longest_s)


def read_access_token(profile: TokenProfile, keys: Mapping[str, VerifyingKey], token: str, now_s: float) -> Caller:
    """Raises NotSignedIn."""
    try:
        claims = verify(profile, keys, token, now_s)
    except TokenRefused as error:
        raise NotSignedIn(str(error)) from error
    return Caller(claims["sub"], claims["sid"])
