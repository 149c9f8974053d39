"""The facts of one stored chunk object, made by scanning the very bytes that are stored."""

import hashlib
from dataclasses import dataclass

import msgspec

from manifests.codecs import entry_facts
from manifests.errors import MediaError
from manifests.fragments import SourceHeader, pull_source_header
from manifests.index import Kind
from manifests.init_segments import HANDLERS
from manifests.isobmff import Reader
from manifests.segments import ScannedSegment, scan_segments


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkFacts:
    """What stands in `{digest}.json` beside a chunk."""

    kind: Kind
    codec: str
    timescale: int
    init: bytes
    "The init segment that belongs to it; the same in all chunks of a track."
    first_number: int
    "Of its first segment, counted over the whole track from 1."
    start_ticks: int
    "Decode time of its first sample."
    durations_ticks: tuple[int, ...]
    "Of its segments, in decode time: priming of sound is counted."
    sizes_bytes: tuple[int, ...]
    sample_count: int
    sha256: str
    "Of the object, in hexadecimal."
    edit_media_time_ticks: int = 0
    "Where presentation begins in the media: what is cut of sound, the delay of pictures."
    width: int = 0
    height: int = 0
    sample_rate: int = 0
    channels: int = 0

    @property
    def end_ticks(self) -> int:
        return self.start_ticks + sum(self.durations_ticks)

    def to_json(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> "ChunkFacts":
        """Raises MediaError if these are no facts."""
        try:
            facts = msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise MediaError(f"chunk facts: {problem}") from problem
        counted = facts.timescale, facts.first_number, *facts.durations_ticks, *facts.sizes_bytes
        if min(counted) < 1 or not facts.sizes_bytes or len(facts.sizes_bytes) != len(facts.durations_ticks):
            raise MediaError("chunk facts: segments must have positive numbers, durations and sizes, one of each")
        return facts


def scan_chunk(init: bytes, data: bytes | memoryview) -> ChunkFacts:
    """Facts from the bytes of a stored object and of the init segment that belongs to it.

    Raises MediaError unless all is as players are promised: our layout, times without a gap, every segment a place
    to begin, and in video the first picture of each presented, after the edit list, at the segment's own time.
    """
    header = pull_source_header(Reader(init).child(b"moov"))
    kinds = {handler: kind for kind, handler in HANDLERS.items()}
    if header.handler_type not in kinds:
        raise MediaError(f"handler {header.handler_type!r} is neither picture nor sound")
    kind = kinds[header.handler_type]
    segments = scan_segments(data)
    for segment in segments:
        _check_start(kind, segment, header.media_time_ticks)
    return _facts(kind, init, header, segments, hashlib.sha256(data).hexdigest())


def _facts(
    kind: Kind, init: bytes, header: SourceHeader, segments: tuple[ScannedSegment, ...], sha256: str
) -> ChunkFacts:
    entry = entry_facts(header.sample_entry)
    return ChunkFacts(
        kind=kind,
        codec=entry.codec,
        timescale=header.timescale,
        init=init,
        first_number=segments[0].sequence_number,
        start_ticks=segments[0].decode_time_ticks,
        durations_ticks=tuple(segment.duration_ticks for segment in segments),
        sizes_bytes=tuple(segment.size_bytes for segment in segments),
        sample_count=sum(segment.sample_count for segment in segments),
        sha256=sha256,
        edit_media_time_ticks=header.media_time_ticks,
        width=header.width,
        height=header.height,
        sample_rate=entry.sample_rate,
        channels=entry.channels,
    )


def _check_start(kind: Kind, segment: ScannedSegment, edit_media_time_ticks: int) -> None:
    number = segment.sequence_number
    if not segment.duration_ticks:
        raise MediaError(f"segment {number} has no duration")
    if not segment.first_is_sync:
        raise MediaError(f"segment {number} does not begin with a sync sample")
    presented = segment.presentation_start_ticks - edit_media_time_ticks
    if kind is Kind.VIDEO and presented != segment.decode_time_ticks:
        raise MediaError(f"segment {number} begins at {segment.decode_time_ticks}, its first picture at {presented}")
