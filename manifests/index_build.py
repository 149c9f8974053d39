"""From the facts of stored chunks to the tracks of a title index."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, pairwise

from manifests.errors import MediaError
from manifests.facts import ChunkFacts
from manifests.index import Chunk, Kind, Rate, Run, Track
from manifests.timing import bits_per_second, target_duration_s
from manifests.webvtt import parse_webvtt, segment_document, segment_durations_ms

ETAG_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackLabel:
    """What no stored byte says of a track; the fields are those of Track."""

    id: str
    language: str = "und"
    role: str = "main"
    name: str = ""
    frame_rate: Rate | None = None


def join_facts(label: TrackLabel, chunks: Sequence[tuple[str, ChunkFacts]]) -> Track:
    """One track of picture or sound from its chunks.

    chunks: digest and facts of each, in order, from the start of the title.

    Raises MediaError unless they are of one kind and init segment, and follow one another to the tick.
    """
    if not chunks:
        raise MediaError(f"track {label.id} has no chunks")
    first = chunks[0][1]
    if first.start_ticks or first.first_number != 1:
        raise MediaError(
            f"track {label.id} begins with segment {first.first_number} at {first.start_ticks}, not 1 at 0"
        )
    for (_, before), (digest, facts) in pairwise(chunks):
        _check_follows(f"track {label.id}, chunk {digest}", before, facts)
    sizes = [size for _, facts in chunks for size in facts.sizes_bytes]
    durations = _presented(label, chunks)
    return Track(
        **asdict(label),
        kind=first.kind,
        codec=first.codec,
        timescale=first.timescale,
        init=first.init,
        width=first.width,
        height=first.height,
        sample_rate=first.sample_rate,
        channels=first.channels,
        average_bps=bits_per_second(sum(sizes), sum(durations), first.timescale),
        peak_bps=peak_bps(sizes, durations, first.timescale),
        timeline=runs(durations),
        chunks=tuple(Chunk(digest, facts.sha256[:ETAG_DIGITS], facts.sizes_bytes) for digest, facts in chunks),
    )


def join_text(label: TrackLabel, digest: str, document: bytes, duration_ms: int) -> Track:
    """One track of text.

    document: the stored WebVTT object.
    duration_ms: of the title; the track has segments that long, with or without cues in them.
    """
    parsed, durations, start_ms = parse_webvtt(document), segment_durations_ms(duration_ms), 0
    sizes = []
    for duration in durations:
        sizes.append(len(segment_document(parsed, start_ms, start_ms + duration).encode()))
        start_ms += duration
    if not sizes:
        raise MediaError(f"track {label.id} has no duration")
    return Track(
        **asdict(label),
        kind=Kind.TEXT,
        codec="wvtt",
        timescale=1000,
        average_bps=bits_per_second(sum(sizes), duration_ms, 1000),
        peak_bps=peak_bps(sizes, durations, 1000),
        timeline=runs(durations),
        chunks=(Chunk(digest, hashlib.sha256(document).hexdigest()[:ETAG_DIGITS], (len(document),)),),
    )


def runs(durations: Sequence[int]) -> tuple[Run, ...]:
    return tuple(Run(duration, len(list(group))) for duration, group in groupby(durations))


def peak_bps(sizes_bytes: Sequence[int], durations_ticks: Sequence[int], timescale: int) -> int:
    """The peak segment bit rate of RFC 8216, 4.1.

    The most of any neighbouring segments that last between 0.5 and 1.5 target durations together. A short last
    segment, all of it one sync sample, so counts with the one before it and not as a rate of its own.
    """
    target_ticks = target_duration_s(max(durations_ticks), timescale) * timescale
    peak = 0
    for first in range(len(sizes_bytes)):
        size = duration = 0
        for position in range(first, len(sizes_bytes)):
            size += sizes_bytes[position]
            duration += durations_ticks[position]
            if 2 * duration > 3 * target_ticks:
                break
            if 2 * duration >= target_ticks:
                peak = max(peak, bits_per_second(size, duration, timescale))
    return peak or bits_per_second(sum(sizes_bytes), sum(durations_ticks), timescale)


def _check_follows(place: str, before: ChunkFacts, facts: ChunkFacts) -> None:
    if facts.init != before.init:
        raise MediaError(f"{place}: its init segment is not that of the chunk before")
    number, ticks = before.first_number + len(before.sizes_bytes), before.end_ticks
    if (facts.first_number, facts.start_ticks) != (number, ticks):
        raise MediaError(
            f"{place}: begins with segment {facts.first_number} at {facts.start_ticks}, not {number} at {ticks}"
        )


def _presented(label: TrackLabel, chunks: Sequence[tuple[str, ChunkFacts]]) -> list[int]:
    """Durations as presented. An edit list cuts sound; pictures it only brings forward, all by the same delay."""
    durations = [ticks for _, facts in chunks for ticks in facts.durations_ticks]
    if chunks[0][1].kind is Kind.AUDIO:
        durations[0] -= chunks[0][1].edit_media_time_ticks
    if durations[0] < 1:
        raise MediaError(f"track {label.id}: its edit list cuts the whole first segment")
    return durations
