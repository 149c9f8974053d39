"""Manifests and segments of stored titles, just in time. Knows no HTTP and no viewer.

Whatever a token says: what a version does not have, or must not give, is not found here.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from drm.scheme import Scheme
from manifests.dash import mpd
from manifests.errors import MediaError
from manifests.hls import media_playlist, multivariant_playlist
from manifests.index import Kind, Segment, TitleIndex, Track
from manifests.presentation import PACKAGING_REVISION, Presentation, select_tracks
from manifests.webvtt import WebVtt, parse_webvtt, segment_document
from storage.errors import ObjectNotFound
from storage.store import ObjectStore
from streamer.errors import NotFound
from streamer.origin.read_once import ReadOnce

INDEXES_KEPT = 256
TEXTS_KEPT = 64

HLS, DASH = "application/vnd.apple.mpegurl", "application/dash+xml"
TRACK_TYPES = {Kind.VIDEO: "video/mp4", Kind.AUDIO: "audio/mp4", Kind.TEXT: "text/vtt; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class StoredRange:
    """Bytes that stand in the store as they are sent."""

    object_key: str
    offset_bytes: int
    size_bytes: int
    etag: str
    "Strong, with its quotes."
    content_type: str


@dataclass(frozen=True, slots=True)
class Made:
    """Bytes that were made for the request."""

    body: bytes
    content_type: str

    @property
    def etag(self) -> str:
        """Strong, with its quotes."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


class Origin:
    """Every method raises NotFound for what the version does not have, and StoreUnavailable.

    Versions are as in URLs (`v7-p1`), track ids those that a viewer is allowed.
    """

    def __init__(self, store: ObjectStore, indexes_kept: int = INDEXES_KEPT) -> None:
        self._store = store
        self._indexes = ReadOnce(self._read_index, indexes_kept)
        self._texts = ReadOnce(self._read_text, TEXTS_KEPT)

    async def index(self, title_id: str, version: str) -> TitleIndex:
        stored_version, _, revision = version.partition("-p")
        if revision != str(PACKAGING_REVISION):
            raise NotFound(f"version {version} is not served")
        return await self._indexes.get(f"titles/{title_id}/{stored_version}/index.json")

    async def multivariant(self, title_id: str, version: str, track_ids: Collection[str], scheme: Scheme) -> Made:
        """The HLS playlist of all allowed tracks."""
        presentation = await self._presentation(title_id, version, track_ids, scheme)
        return Made(multivariant_playlist(presentation).encode(), HLS)

    async def playlist(
        self, title_id: str, version: str, track_ids: Collection[str], scheme: Scheme, track_id: str
    ) -> Made:
        """The HLS playlist of one of the allowed tracks."""
        presentation = await self._presentation(title_id, version, track_ids, scheme)
        try:
            return Made(media_playlist(presentation, track_id).encode(), HLS)
        except MediaError as error:
            raise NotFound(str(error)) from error

    async def mpd(self, title_id: str, version: str, track_ids: Collection[str], scheme: Scheme) -> Made:
        """The DASH manifest of all allowed tracks."""
        return Made(mpd(await self._presentation(title_id, version, track_ids, scheme)).encode(), DASH)

    async def init(self, title_id: str, version: str, scheme: Scheme, track_id: str) -> Made:
        _, track = await self._track(title_id, version, scheme, track_id, is_text=False)
        return Made(track.init, TRACK_TYPES[track.kind])

    async def segment(self, title_id: str, version: str, scheme: Scheme, track_id: str, number: int) -> StoredRange:
        index, _ = await self._track(title_id, version, scheme, track_id, is_text=False)
        return _range(index, track_id, number)

    async def text_segment(self, title_id: str, version: str, scheme: Scheme, track_id: str, number: int) -> Made:
        """One piece of a WebVTT track, for HLS."""
        index, _ = await self._track(title_id, version, scheme, track_id, is_text=True)
        segment = _segment(index, track_id, number)
        document = await self._texts.get(segment.object_key)
        end_ticks = segment.start_ticks + segment.duration_ticks
        return Made(segment_document(document, segment.start_ticks, end_ticks).encode(), TRACK_TYPES[Kind.TEXT])

    async def text_file(self, title_id: str, version: str, scheme: Scheme, track_id: str) -> StoredRange:
        """A whole WebVTT track, for DASH."""
        index, _ = await self._track(title_id, version, scheme, track_id, is_text=True)
        return _range(index, track_id, 1)

    async def _presentation(
        self, title_id: str, version: str, track_ids: Collection[str], scheme: Scheme
    ) -> Presentation:
        _check_scheme(scheme)
        index = await self.index(title_id, version)
        try:
            return select_tracks(index, track_ids, scheme)
        except MediaError as error:
            raise NotFound(str(error)) from error

    async def _track(
        self, title_id: str, version: str, scheme: Scheme, track_id: str, *, is_text: bool
    ) -> tuple[TitleIndex, Track]:
        _check_scheme(scheme)
        index = await self.index(title_id, version)
        try:
            track = index.track(track_id)
        except MediaError as error:
            raise NotFound(str(error)) from error
        if (track.kind is Kind.TEXT) is not is_text:
            raise NotFound(f"track {track_id} is {track.kind}")
        return index, track

    async def _read_index(self, key: str) -> TitleIndex:
        try:
            return TitleIndex.from_json(await self._store.get(key))
        except ObjectNotFound as error:
            raise NotFound("the title has no such version") from error

    async def _read_text(self, key: str) -> WebVtt:
        return parse_webvtt(await self._store.get(key))


def _check_scheme(scheme: Scheme) -> None:
    """All versions are clear in this release."""
    if scheme is not Scheme.CLEAR:
        raise NotFound(f"the version is not offered as {scheme}")


def _range(index: TitleIndex, track_id: str, number: int) -> StoredRange:
    segment = _segment(index, track_id, number)
    etag = f'"{segment.etag}-{segment.offset_bytes}-{segment.size_bytes}"'
    return StoredRange(
        segment.object_key, segment.offset_bytes, segment.size_bytes, etag, TRACK_TYPES[index.track(track_id).kind]
    )


def _segment(index: TitleIndex, track_id: str, number: int) -> Segment:
    try:
        return index.segment(track_id, number)
    except MediaError as error:
        raise NotFound(str(error)) from error
