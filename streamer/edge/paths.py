"""The grammar of media paths, over the raw bytes of the request line.

    /m/URISigningPackage={jwt}/{title}/v{version}-p{revision}/{resource}

    resource = "hls/multivariant.m3u8" / "hls/" track ".m3u8" / "dash/manifest.mpd"
             / scheme "/" track "/" ("init.mp4" / "all.vtt" / number (".m4s" / ".vtt"))

Nothing is decoded, normalised or forgiven: what is not of the grammar is refused before anything else looks at it. A
query is cut off and ignored; players put their reports (CMCD) there.
"""

import re
from dataclasses import dataclass

from drm.scheme import Scheme
from streamer.errors import BadMediaPath
from streamer.identifiers import ID_PATTERN
from streamer.members.playback_tokens import TRACK_PATTERN, VERSION_PATTERN

_JWT = r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"
_PATH = re.compile(rf"/m/URISigningPackage=({_JWT})/({ID_PATTERN})/({VERSION_PATTERN})/([a-z0-9./-]+)", re.ASCII)
_PLAYLIST = re.compile(rf"hls/({TRACK_PATTERN})\.m3u8", re.ASCII)
_MEDIA = re.compile(
    rf"(clear|cenc|cbcs)/({TRACK_PATTERN})/(?:(init\.mp4)|(all\.vtt)|([1-9][0-9]{{0,8}})\.(m4s|vtt))", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Multivariant:
    """HLS: the playlist of all tracks."""


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """HLS: the playlist of one track."""

    track_id: str


@dataclass(frozen=True, slots=True)
class Mpd:
    """DASH: the manifest."""


@dataclass(frozen=True, slots=True)
class InitSegment:
    scheme: Scheme
    track_id: str


@dataclass(frozen=True, slots=True)
class MediaSegment:
    scheme: Scheme
    track_id: str
    number: int
    "From 1."


@dataclass(frozen=True, slots=True)
class TextSegment:
    """HLS: a piece of a WebVTT track."""

    scheme: Scheme
    track_id: str
    number: int
    "From 1."


@dataclass(frozen=True, slots=True)
class TextFile:
    """DASH: a whole WebVTT track."""

    scheme: Scheme
    track_id: str


Resource = Multivariant | MediaPlaylist | Mpd | InitSegment | MediaSegment | TextSegment | TextFile


@dataclass(frozen=True, slots=True)
class MediaPath:
    """A media path, taken apart."""

    token: str
    title_id: str
    version: str
    "As in the path: `v7-p1`."
    resource: Resource

    def __repr__(self) -> str:
        return f"MediaPath(token=***, title_id={self.title_id!r}, version={self.version!r}, resource={self.resource!r})"


def parse_media_path(raw_target: str) -> MediaPath:
    """raw_target: the request target as it came. Raises BadMediaPath."""
    match = _PATH.fullmatch(raw_target.partition("?")[0])
    if match is None:
        raise BadMediaPath("this is not the path of a manifest or segment")
    token, title_id, version, rest = match.groups()
    return MediaPath(token, title_id, version, _resource(rest))


def _resource(rest: str) -> Resource:
    if rest == "hls/multivariant.m3u8":
        return Multivariant()
    if rest == "dash/manifest.mpd":
        return Mpd()
    if playlist := _PLAYLIST.fullmatch(rest):
        return MediaPlaylist(playlist[1])
    media = _MEDIA.fullmatch(rest)
    if media is None:
        raise BadMediaPath("this is not the path of a manifest or segment")
    scheme, track_id, init, text, number, suffix = media.groups()
    if init:
        return InitSegment(Scheme(scheme), track_id)
    if text:
        return TextFile(Scheme(scheme), track_id)
    kind = MediaSegment if suffix == "m4s" else TextSegment
    return kind(Scheme(scheme), track_id, int(number))


def hide_token(raw_target: str) -> str:
    """A request target fit for logs: no token, no query."""
    return re.sub(r"(?i)(URISigningPackage)[^/]*", r"\1=***", raw_target.partition("?")[0])


def media_base(token: str, title_id: str, version: str) -> str:
    """The beginning of all media paths of a session; `hls/...`, `dash/...` and so on follow it."""
    return f"/m/URISigningPackage={token}/{title_id}/{version}/"
