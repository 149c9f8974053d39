"""The title index: everything that origins and manifests must know of one version of a title.

Written once by the encode, read by every output. Segment boundaries come from here alone, so a manifest and its
segments cannot disagree. It is kept small: sizes are listed, offsets and times follow from them.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from itertools import accumulate, islice
from typing import Annotated, Any, NamedTuple

import msgspec

from manifests.errors import MediaError, NoSuchSegment, Unsupported
from manifests.packing import pack_numbers, unpack_numbers

FORMAT = 1
"Of the JSON; readers refuse a higher one, and ignore members they do not know."

NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
"What may stand in an object's key."


class Kind(StrEnum):
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"


class Run(NamedTuple):
    """So many segments of one duration, like `S@d` and `S@r` of an MPD."""

    duration_ticks: int
    segment_count: int


class Rate(NamedTuple):
    """Pictures per second, as a fraction: 24000/1001."""

    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """One stored object of a track: a sequence of segments without gaps."""

    digest: str
    "Names the object: `titles/{title_id}/{version}/{track}/{digest}.m4s` (text: `.../text/{digest}.vtt`)."
    etag: str
    "Start of the SHA-256 of the object's bytes, 16 hexadecimal digits."
    sizes_bytes: tuple[int, ...]
    "Sizes of its segments in order; the first begins at offset 0. A text object has one size, of all its segments."


@dataclass(frozen=True, slots=True)
class Segment:
    """Where one segment stands in store and time."""

    object_key: str
    etag: str
    offset_bytes: int
    size_bytes: int
    start_ticks: int
    duration_ticks: int


# Tracks and titles have no slots: cached_property keeps its value in the instance's dictionary.
@dataclass(frozen=True, kw_only=True)
class Track:
    """One CMAF track, or one language of WebVTT. Raises MediaError where its parts do not agree."""

    id: str
    "Unique in its version, `[a-z0-9-]`, for example `v1080`, `a-en-1`, `t-de-1`."
    kind: Kind
    codec: str
    "RFC 6381: `avc1.640028`, `mp4a.40.2`; `wvtt` for WebVTT."
    language: str = "und"
    "BCP 47."
    role: str = "main"
    "As in DASH (ISO/IEC 23009-1, 5.8.5.5): main, alternate, commentary, description, caption, forced-subtitle, ..."
    name: str = ""
    """What a person reads in the menu; empty where the language says enough.

    Two sound tracks with the same role, language and name are rungs of one and the same sound."""
    timescale: int
    init: bytes = b""
    "The init segment; empty for text."
    width: int = 0
    height: int = 0
    frame_rate: Rate | None = None
    sample_rate: int = 0
    channels: int = 0
    average_bps: int
    "Measured: all bytes over the whole duration."
    peak_bps: int
    "Measured: the most bits per second of any neighbouring segments of 0.5 to 1.5 target durations (RFC 8216, 4.1)."
    timeline: tuple[Run, ...]
    "Durations of the segments as presented: what an edit list cuts is not counted. The first begins at time 0."
    chunks: tuple[Chunk, ...]

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z0-9-]{1,64}", self.id):
            raise MediaError(f"track id {self.id!r} is not of a-z, 0-9 and -")
        if not re.fullmatch("[A-Za-z0-9-]{1,64}", self.language):
            raise MediaError(f"track {self.id}: {self.language!r} is no language tag")
        if not all(NAME.fullmatch(chunk.digest) for chunk in self.chunks):
            raise MediaError(f"track {self.id}: a digest cannot stand in an object's key")
        sizes = [size for chunk in self.chunks for size in chunk.sizes_bytes]
        counts = [number for run in self.timeline for number in run]
        if not sizes or not counts or min(self.timescale, *sizes, *counts) < 1:
            raise MediaError(f"track {self.id}: timescale, durations, counts and sizes must all be there and positive")
        described = 1 if self.kind is Kind.TEXT else self.segment_count
        if len(sizes) != described:
            raise MediaError(f"track {self.id}: {len(sizes)} sizes for {described} segments")

    @cached_property
    def segment_count(self) -> int:
        return sum(run.segment_count for run in self.timeline)

    @cached_property
    def duration_ticks(self) -> int:
        return sum(run.duration_ticks * run.segment_count for run in self.timeline)

    @property
    def duration_s(self) -> float:
        return self.duration_ticks / self.timescale

    def span(self, number: int) -> tuple[int, int]:
        """Start and duration, in ticks, of a segment as presented; numbers begin with 1. Raises NoSuchSegment."""
        if not 1 <= number <= self.segment_count:
            raise NoSuchSegment(f"track {self.id} has segments 1 to {self.segment_count}, and no {number}")
        position = bisect_right(self._run_numbers, number) - 1
        duration = self.timeline[position].duration_ticks
        return self._run_starts[position] + duration * (number - self._run_numbers[position]), duration

    def location(self, number: int) -> tuple[Chunk, int, int]:
        """The object that holds a segment, and the offset and size of the segment in it. Raises NoSuchSegment.

        Text segments are cut from the whole object when they are asked for.
        """
        self.span(number)
        if self.kind is Kind.TEXT:
            return self.chunks[0], 0, self.chunks[0].sizes_bytes[0]
        position = bisect_right(self._chunk_numbers, number) - 1
        chunk, place = self.chunks[position], number - self._chunk_numbers[position]
        return chunk, sum(chunk.sizes_bytes[:place]), chunk.sizes_bytes[place]

    @cached_property
    def _run_numbers(self) -> list[int]:
        return list(accumulate((run.segment_count for run in self.timeline), initial=1))

    @cached_property
    def _run_starts(self) -> list[int]:
        return list(accumulate((run.duration_ticks * run.segment_count for run in self.timeline), initial=0))

    @cached_property
    def _chunk_numbers(self) -> list[int]:
        return list(accumulate((len(chunk.sizes_bytes) for chunk in self.chunks), initial=1))


def media_key(title_id: str, version: str, track_id: str, digest: str) -> str:
    return f"titles/{title_id}/{version}/{track_id}/{digest}.m4s"


def text_key(title_id: str, version: str, digest: str) -> str:
    return f"titles/{title_id}/{version}/text/{digest}.vtt"


@dataclass(frozen=True, kw_only=True)
class TitleIndex:
    """One version of a title."""

    title_id: str
    version: str
    "For example `v7`, without a packaging revision."
    tracks: tuple[Track, ...]

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.title_id) or not NAME.fullmatch(self.version):
            raise MediaError(f"title {self.title_id!r} and version {self.version!r} cannot stand in an object's key")
        if len(self._tracks_by_id) != len(self.tracks):
            raise MediaError("two tracks have the same id")

    @cached_property
    def _tracks_by_id(self) -> dict[str, Track]:
        return {track.id: track for track in self.tracks}

    @property
    def duration_s(self) -> float:
        """Of the longest track with picture or sound."""
        return max((track.duration_s for track in self.tracks if track.kind is not Kind.TEXT), default=0.0)

    def track(self, track_id: str) -> Track:
        """Raises NoSuchSegment."""
        try:
            return self._tracks_by_id[track_id]
        except KeyError:
            raise NoSuchSegment(f"title {self.title_id} has no track {track_id!r}") from None

    def segment(self, track_id: str, number: int) -> Segment:
        """number: from 1. Raises NoSuchSegment. A text segment names the whole object that it is cut from."""
        track = self.track(track_id)
        start_ticks, duration_ticks = track.span(number)
        chunk, offset_bytes, size_bytes = track.location(number)
        if track.kind is Kind.TEXT:
            key = text_key(self.title_id, self.version, chunk.digest)
        else:
            key = media_key(self.title_id, self.version, track_id, chunk.digest)
        return Segment(key, chunk.etag, offset_bytes, size_bytes, start_ticks, duration_ticks)

    def to_json(self) -> bytes:
        """The same index always gives the same bytes."""
        timelines = list(dict.fromkeys(track.timeline for track in self.tracks))
        tracks = [_record(track, timelines.index(track.timeline)) for track in self.tracks]
        return msgspec.json.encode(_Document(FORMAT, self.title_id, self.version, timelines, tracks))

    @classmethod
    def from_json(cls, data: bytes) -> "TitleIndex":
        """Raises MediaError if this is no index, Unsupported if it is of a later format."""
        try:
            if (found := msgspec.json.decode(data, type=_Format).format) > FORMAT:
                raise Unsupported(f"title index has format {found}; this program reads up to {FORMAT}")
            document = msgspec.json.decode(data, type=_Document)
            tracks = tuple(_track(record, document.timelines) for record in document.tracks)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise MediaError(f"title index: {problem}") from problem
        return cls(title_id=document.title_id, version=document.version, tracks=tracks)


class _Format(msgspec.Struct):
    format: int


class _TrackRecord(msgspec.Struct):
    """A track as it stands in the JSON: timelines are shared, sizes packed."""

    facts: dict[str, Any]
    timeline: int
    chunks: list[tuple[str, str, Annotated[int, msgspec.Meta(ge=1)]]]
    "Digest, ETag and number of sizes of each."
    sizes: str


class _Document(msgspec.Struct):
    format: int
    title_id: str
    version: str
    timelines: list[tuple[Run, ...]]
    tracks: list[_TrackRecord]


def _record(track: Track, timeline: int) -> _TrackRecord:
    facts = {field.name: getattr(track, field.name) for field in fields(track)}
    chunks: tuple[Chunk, ...] = facts.pop("chunks")
    del facts["timeline"]
    return _TrackRecord(
        facts,
        timeline,
        [(chunk.digest, chunk.etag, len(chunk.sizes_bytes)) for chunk in chunks],
        pack_numbers(size for chunk in chunks for size in chunk.sizes_bytes),
    )


def _track(record: _TrackRecord, timelines: list[tuple[Run, ...]]) -> Track:
    if not 0 <= record.timeline < len(timelines):
        raise MediaError(f"title index: no timeline {record.timeline}")
    numbers = unpack_numbers(record.sizes)
    if sum(count for _, _, count in record.chunks) != len(numbers):
        raise MediaError(f"title index: {len(numbers)} sizes are not what its chunks count")
    sizes = iter(numbers)
    chunks = [(digest, etag, tuple(islice(sizes, count))) for digest, etag, count in record.chunks]
    parts = {"timeline": timelines[record.timeline], "chunks": [Chunk(*chunk) for chunk in chunks]}
    return msgspec.convert(record.facts | parts, Track)
