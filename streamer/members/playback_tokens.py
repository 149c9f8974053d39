"""Playback tokens: which tracks of which version one session may fetch, as URI Signing has it (RFC 9246).

`cdniuc` is a regular expression that Apache Traffic Server's plugin runs (POSIX extended) over the URL without the
token's segment. We never run it: we read it back by its grammar, and authorise what it names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from config.settings import PlaybackSettings
from drm.scheme import Scheme
from streamer.errors import TokenRefused
from streamer.identifiers import ID_PATTERN
from streamer.members.signing_keys import SigningKey, VerifyingKey
from streamer.members.tokens import Claims, TokenProfile, mint, verify

MAX_BYTES = 6144  # aiohttp, like most servers, takes request lines of about 8,000
TRACK_PATTERN = "[a-z0-9-]{1,64}"
VERSION_PATTERN = "v[1-9][0-9]{0,8}-p[1-9][0-9]{0,3}"

_BEFORE = "regex:^https?://[^/]+/m/"
_AFTER = r"/(init\.mp4|all\.vtt|[1-9][0-9]*\.(m4s|vtt)))$"
_CONTAINER = re.compile(
    f"{re.escape(_BEFORE)}({ID_PATTERN})/({VERSION_PATTERN})/"
    rf"\(hls/\([^()]*\)\\\.m3u8\|dash/manifest\\\.mpd\|(clear|cenc|cbcs)/\(([a-z0-9|-]+)\){re.escape(_AFTER)}"
)
_TRACK = re.compile(TRACK_PATTERN)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a playback token allows."""

    title_id: str
    version: str
    "As in URLs, with the packaging revision: `v7-p1`."
    scheme: Scheme
    track_ids: tuple[str, ...]
    session_id: str
    player: str
    "Which dialect the manifests speak: shaka, hls.js, dash.js or native."
    expires_s: int = 0


def playback_profile(settings: PlaybackSettings) -> TokenProfile:
    return TokenProfile(
        typ="playback+jwt",
        issuer=settings.issuer,
        audience=settings.audience,
        claims={"cdniv": int, "cdniuc": str, "mq_sid": str, "mq_player": str},
        longest_s=settings.longest_s,
        max_bytes=MAX_BYTES,
    )


def uri_container(grant: Grant) -> str:
    """The value of `cdniuc`: every URL of the grant's tracks, and no other."""
    tracks = "|".join(grant.track_ids)
    return (
        f"{_BEFORE}{grant.title_id}/{grant.version}/"
        rf"(hls/(multivariant|{tracks})\.m3u8|dash/manifest\.mpd|{grant.scheme}/({tracks}){_AFTER}"
    )


def mint_playback_token(profile: TokenProfile, key: SigningKey, grant: Grant, now_s: int) -> str:
    """grant: with `expires_s`, which the profile's longest life bounds."""
    claims: Claims = {"cdniv": 1, "cdniuc": uri_container(grant), "mq_sid": grant.session_id, "mq_player": grant.player}
    return mint(profile, key, claims, now_s, grant.expires_s)


def read_playback_token(profile: TokenProfile, keys: Mapping[str, VerifyingKey], token: str, now_s: float) -> Grant:
    """Raises TokenRefused."""
    claims = verify(profile, keys, token, now_s)
    if claims["cdniv"] != 1:
        raise TokenRefused("the token is of another version of URI Signing")
    match = _CONTAINER.fullmatch(claims["cdniuc"])
    if match is None:
        raise TokenRefused("the token's URI container is not of our grammar")
    title_id, version, scheme, tracks = match.groups()
    track_ids = tuple(tracks.split("|"))
    session_id, player = claims["mq_sid"], claims["mq_player"]
    grant = Grant(title_id, version, Scheme(scheme), track_ids, session_id, player, claims["exp"])
    # The grammar above is loose where tracks stand twice; writing the container again is the exact check.
    if not all(map(_TRACK.fullmatch, track_ids)) or uri_container(grant) != claims["cdniuc"]:
        raise TokenRefused("the token's URI container is not of our grammar")
    return grant
