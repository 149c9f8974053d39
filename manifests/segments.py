"""Media segments in the one layout that we store, and stored segments read back.

CMAF (ISO/IEC 23000-19): a track is one init segment and a sequence of segments, each one `moof` and its `mdat`.
The layout is canonical: the same samples give the same bytes, and bytes in any other layout are refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from manifests.boxes import (
    Mfhd,
    SampleDefaults,
    Tfdt,
    Tfhd,
    Trun,
    TrunSample,
    pull_mfhd,
    push_mfhd,
    push_tfdt,
    push_tfhd,
    push_trun,
)
from manifests.errors import MediaError, Unsupported
from manifests.fragments import Sample, read_fragment
from manifests.init_segments import TRACK_ID
from manifests.isobmff import Box, Reader, push_box

SYNC_FLAGS = 0x02000000
"Depends on no other sample (ISO/IEC 14496-12, 8.8.3.1)."
NON_SYNC_FLAGS = 0x01010000
"Depends on others, and is no place to begin."


def media_segment(sequence_number: int, decode_time_ticks: int, samples: Sequence[Sample], data: bytes) -> bytes:
    """One fragment.

    sequence_number: the segment's number in its track, from 1.
    decode_time_ticks: of the first sample.
    data: the samples' bytes, one after the other.

    Raises MediaError if the samples' sizes do not add up to the data.
    """
    described = sum(sample.size_bytes for sample in samples)
    if not samples or described != len(data):
        raise MediaError(f"{len(samples)} samples describe {described} bytes, and there are {len(data)}")
    out = _moof(sequence_number, decode_time_ticks, samples)
    with push_box(out, b"mdat"):
        out += data
    return bytes(out)


def aligned(samples: Sequence[Sample], delay_ticks: int) -> tuple[Sample, ...]:
    """The samples of one closed group of pictures, shifted so that the first is presented `delay_ticks` after decoding.

    delay_ticks: the same in the whole track, enough for its B-frames, and taken back by the init segment's edit list.
        Signed offsets without an edit list (brand `cmf2`) would say the same, but FFmpeg's demuxer adds the most
        negative offset to all times of a fragmented file: pictures would come that much after the sound.

    Raises Unsupported if the group does not begin with a sync sample that is also its first picture, or reorders
    further than the delay allows.
    """
    if not samples or not samples[0].is_sync:
        raise Unsupported("segment does not begin with a sync sample")
    shift = delay_ticks - samples[0].composition_offset_ticks
    decode_time, shifted = 0, []
    for sample in samples:
        offset = sample.composition_offset_ticks + shift
        if decode_time + offset < delay_ticks:
            raise Unsupported("a picture is shown before the sync sample that it follows: the group is not closed")
        if offset < 0:
            raise Unsupported(f"pictures are reordered {-offset} ticks further than the delay of {delay_ticks} ticks")
        shifted.append(sample._replace(composition_offset_ticks=offset))
        decode_time += sample.duration_ticks
    return tuple(shifted)


@dataclass(frozen=True, slots=True)
class ScannedSegment:
    """One stored segment, as its own bytes describe it."""

    sequence_number: int
    offset_bytes: int
    size_bytes: int
    decode_time_ticks: int
    duration_ticks: int
    sample_count: int
    first_is_sync: bool
    presentation_start_ticks: int
    "Of its earliest sample, before any edit list."


def scan_segments(data: bytes | memoryview) -> tuple[ScannedSegment, ...]:
    """The segments of a stored object. Raises MediaError unless they follow one another in the canonical layout."""
    view, boxes = memoryview(data), Reader(data).boxes()
    segments: list[ScannedSegment] = []
    for moof, mdat in _pairs(boxes):
        segment = _scan_segment(view, moof, mdat)
        if segments:
            _check_follows(segments[-1], segment)
        segments.append(segment)
    if not segments:
        raise MediaError("no segment is there")
    return tuple(segments)


def _moof(sequence_number: int, decode_time_ticks: int, samples: Sequence[Sample]) -> bytearray:
    defaults, run = _compact(samples)
    size = 0
    while True:  # once to learn the size, which does not depend on the offset's value; once with the right offset
        out = bytearray()
        with push_box(out, b"moof"):
            push_mfhd(out, Mfhd(sequence_number))
            with push_box(out, b"traf"):
                push_tfhd(out, Tfhd(TRACK_ID, defaults))
                push_tfdt(out, Tfdt(decode_time_ticks))
                push_trun(out, Trun(run.samples, size + 8, run.first_sample_flags))
        if len(out) == size:
            return out
        size = len(out)


def _compact(samples: Sequence[Sample]) -> tuple[SampleDefaults, Trun]:
    """What all samples share as defaults, the rest in the run."""
    durations, sizes, offsets, syncs = (tuple(column) for column in zip(*samples, strict=True))
    flags = [SYNC_FLAGS if sync else NON_SYNC_FLAGS for sync in syncs]
    rest_agrees = len(set(flags[1:])) <= 1
    defaults = SampleDefaults(
        durations[0] if len(set(durations)) == 1 else None,
        sizes[0] if len(set(sizes)) == 1 else None,
        flags[-1] if rest_agrees else None,
    )
    run = tuple(
        TrunSample(
            None if defaults.duration_ticks is not None else duration,
            None if defaults.size_bytes is not None else size,
            None if rest_agrees else flag,
            offset if any(offsets) else None,
        )
        for duration, size, offset, flag in zip(durations, sizes, offsets, flags, strict=True)
    )
    return defaults, Trun(run, first_sample_flags=flags[0] if rest_agrees and flags[0] != flags[-1] else None)


def _pairs(boxes: Iterator[Box]) -> Iterator[tuple[Box, Box]]:
    for moof in boxes:
        mdat = next(boxes, None)
        if moof.type != b"moof" or mdat is None or mdat.type != b"mdat":
            raise MediaError(f"no segment begins at byte {moof.offset_bytes}: that is one moof and its mdat")
        yield moof, mdat


def _scan_segment(view: memoryview, moof: Box, mdat: Box) -> ScannedSegment:
    end = mdat.offset_bytes + mdat.size_bytes
    fragment = read_fragment(view[moof.offset_bytes : mdat.offset_bytes], view[mdat.offset_bytes : end])
    number = pull_mfhd(moof.body.child(b"mfhd")).sequence_number
    canonical = _moof(number, fragment.decode_time_ticks, fragment.samples)
    stored = view[moof.offset_bytes : mdat.offset_bytes].tobytes()
    if stored != canonical or mdat.size_bytes != 8 + len(fragment.data):
        raise MediaError(f"segment {number} is not in the layout that we write")
    decode_time, presented = fragment.decode_time_ticks, []
    for sample in fragment.samples:
        presented.append(decode_time + sample.composition_offset_ticks)
        decode_time += sample.duration_ticks
    return ScannedSegment(
        sequence_number=number,
        offset_bytes=moof.offset_bytes,
        size_bytes=end - moof.offset_bytes,
        decode_time_ticks=fragment.decode_time_ticks,
        duration_ticks=decode_time - fragment.decode_time_ticks,
        sample_count=len(fragment.samples),
        first_is_sync=fragment.samples[0].is_sync,
        presentation_start_ticks=min(presented),
    )


def _check_follows(before: ScannedSegment, segment: ScannedSegment) -> None:
    if segment.sequence_number != before.sequence_number + 1:
        raise MediaError(f"segment {segment.sequence_number} comes after segment {before.sequence_number}")
    expected = before.decode_time_ticks + before.duration_ticks
    if segment.decode_time_ticks != expected:
        raise MediaError(f"segment {segment.sequence_number} begins at {segment.decode_time_ticks}, not at {expected}")
