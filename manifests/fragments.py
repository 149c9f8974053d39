"""Samples out of the fragmented MP4 that ffmpeg writes, read as it comes, never more than one fragment in memory."""

from dataclasses import dataclass
from typing import NamedTuple

from manifests.boxes import (
    SampleDefaults,
    Tfhd,
    Trun,
    TrunSample,
    pull_tfdt,
    pull_tfhd,
    pull_trex,
    pull_trun,
)
from manifests.errors import MediaError, Truncated, Unsupported
from manifests.isobmff import Box, Reader, printable
from manifests.movie_boxes import pull_elst, pull_hdlr, pull_mdhd, pull_stsd, pull_tkhd

NON_SYNC = 0x00010000
"`sample_is_non_sync_sample` among the sample flags (ISO/IEC 14496-12, 8.8.3.1)."

MAX_HEADER_BYTES = 16 * 2**20
"A moov or moof larger than this is taken for damage."
MAX_DATA_BYTES = 512 * 2**20
"So is an mdat: four seconds at a gigabit per second."


class Sample(NamedTuple):
    """One coded frame, without its bytes."""

    duration_ticks: int
    size_bytes: int
    composition_offset_ticks: int
    "Presentation time minus decode time; may be negative."
    is_sync: bool


@dataclass(frozen=True, slots=True)
class Fragment:
    """One moof and its mdat, taken apart."""

    decode_time_ticks: int
    "Of the first sample."
    samples: tuple[Sample, ...]
    data: bytes
    "The samples' bytes, one after the other, without gaps."


@dataclass(frozen=True, slots=True)
class SourceHeader:
    """What a movie header says of its one track."""

    timescale: int
    handler_type: bytes
    "`vide` or `soun`."
    sample_entry: bytes
    "The whole box, `avc1` or another."
    media_time_ticks: int
    "Where presentation begins in the media, from the edit list; 0 without one."
    width: int
    height: int
    defaults: SampleDefaults
    "From `trex`."


class FragmentReader:
    """Takes bytes as they come, gives fragments as they become whole.

    Expects a file of one track whose fragments are addressed from their moof (`-movflags +cmaf`), and for sound
    `+delay_moov`: without it ffmpeg writes the moov before it knows the priming, and no edit list.
    """

    def __init__(self) -> None:
        self.header: SourceHeader | None = None
        "None until the moov was read."
        self._pending = bytearray()
        self._skip_bytes = 0
        self._moof: bytes | None = None

    def feed(self, data: bytes) -> list[Fragment]:
        """Raises MediaError; after that the reader is of no more use."""
        self._pending += data
        fragments = []
        while (box := self._next_box()) is not None:
            box_type, whole = box
            if box_type == b"moov":
                self.header = pull_source_header(_body(whole))
            elif box_type == b"moof":
                self._moof = whole
            elif box_type == b"mdat":
                fragments.append(self._fragment(whole))
        return fragments

    def close(self) -> None:
        """Raises Truncated if the file ended inside a box or between a moof and its mdat, or had no moov."""
        if self._pending or self._skip_bytes:
            raise Truncated(f"file ends inside a box, {len(self._pending) or self._skip_bytes} bytes astray")
        if self._moof is not None:
            raise Truncated("file ends after a moof, before its mdat")
        if self.header is None:
            raise Truncated("file ends before its moov")

    def _next_box(self) -> tuple[bytes, bytes] | None:
        """Type and bytes of the next box that matters, if it is whole; others are let go as they pass."""
        while True:
            passed = min(self._skip_bytes, len(self._pending))
            del self._pending[:passed]
            self._skip_bytes -= passed
            head = _box_head(self._pending)
            if self._skip_bytes or head is None:
                return None
            size, box_type = head
            if box_type in LIMITS:
                break
            self._skip_bytes = size
        if size > LIMITS[box_type]:
            raise MediaError(f"box {printable(box_type)} claims {size} bytes, more than {LIMITS[box_type]}")
        if len(self._pending) < size:
            return None
        whole = bytes(memoryview(self._pending)[:size])
        del self._pending[:size]
        return box_type, whole

    def _fragment(self, mdat: bytes) -> Fragment:
        if self.header is None or self._moof is None:
            raise MediaError("media data come before their moov or moof")
        fragment = read_fragment(self._moof, mdat, self.header.defaults)
        self._moof = None
        return fragment


NO_DEFAULTS = SampleDefaults()
LIMITS = {b"moov": MAX_HEADER_BYTES, b"moof": MAX_HEADER_BYTES, b"mdat": MAX_DATA_BYTES}


def pull_source_header(moov: Reader) -> SourceHeader:
    """moov: the body of that box. Raises Unsupported unless it describes one track."""
    boxes = list(moov.boxes())
    tracks = [box.body for box in boxes if box.type == b"trak"]
    if len(tracks) != 1:
        raise Unsupported(f"file has {len(tracks)} tracks, not one")
    (track,) = tracks
    tkhd, media = pull_tkhd(track.child(b"tkhd")), track.child(b"mdia")
    return SourceHeader(
        timescale=pull_mdhd(media.child(b"mdhd")).timescale,
        handler_type=pull_hdlr(media.child(b"hdlr")).handler_type,
        sample_entry=pull_stsd(media.child(b"minf", b"stbl", b"stsd")).sample_entry,
        media_time_ticks=_media_time(track),
        width=tkhd.width,
        height=tkhd.height,
        defaults=_track_defaults(boxes, tkhd.track_id),
    )


def _box_head(data: bytearray) -> tuple[int, bytes] | None:
    """Size and type of the box that `data` begins with; None while its head is not whole."""
    if len(data) < 8:
        return None
    size, box_type = int.from_bytes(data[:4], "big"), bytes(data[4:8])
    if size == 1:
        if len(data) < 16:
            return None
        size = int.from_bytes(data[8:16], "big")
    if size < 8:
        raise MediaError(f"box {printable(box_type)} claims a size of {size} bytes")
    return size, box_type


def _body(whole: bytes | memoryview) -> Reader:
    return next(Reader(whole).boxes()).body


def _media_time(track: Reader) -> int:
    elst = track.find(b"edts", b"elst")
    edits = pull_elst(elst).edits if elst is not None else ()
    if len(edits) > 1 or any(edit.media_time_ticks < 0 for edit in edits):
        raise Unsupported("edit list does more than cut the start")
    return edits[0].media_time_ticks if edits else 0


def _track_defaults(moov_boxes: list[Box], track_id: int) -> SampleDefaults:
    for box in moov_boxes:
        if box.type == b"mvex":
            extends = [pull_trex(child.body) for child in box.body.boxes() if child.type == b"trex"]
            return next((trex.defaults for trex in extends if trex.track_id == track_id), SampleDefaults())
    raise Unsupported("file is not fragmented")


def read_fragment(
    moof: bytes | memoryview, mdat: bytes | memoryview, track_defaults: SampleDefaults = NO_DEFAULTS
) -> Fragment:
    """moof, mdat: the whole boxes. Raises Truncated if samples lie outside of the mdat, and other MediaError."""
    traf = _only_traf(moof)
    tfhd = pull_tfhd(traf.child(b"tfhd"))
    decode_time = pull_tfdt(traf.child(b"tfdt")).base_media_decode_time
    defaults = _merged(tfhd, track_defaults)
    payload_offset = len(mdat) - _body(mdat).remaining
    position = payload_offset
    samples: list[Sample] = []
    pieces: list[bytes | memoryview] = []
    for box in traf.boxes():
        if box.type != b"trun":
            continue
        trun = pull_trun(box.body)
        if trun.data_offset_bytes is not None:
            position = trun.data_offset_bytes - len(moof)
        run = _samples(trun, defaults)
        end = position + sum(sample.size_bytes for sample in run)
        if position < payload_offset or end > len(mdat):
            raise Truncated(f"samples lie at {position} to {end} of a media data box of {len(mdat)} bytes")
        samples += run
        pieces.append(mdat[position:end])
        position = end
    return Fragment(decode_time, tuple(samples), b"".join(pieces))


def _only_traf(moof: bytes | memoryview) -> Reader:
    trafs = [box.body for box in _body(moof).boxes() if box.type == b"traf"]
    if len(trafs) != 1:
        raise Unsupported(f"fragment has {len(trafs)} tracks, not one")
    return trafs[0]


def _merged(tfhd: Tfhd, track: SampleDefaults) -> SampleDefaults:
    own = tfhd.defaults
    return SampleDefaults(
        track.duration_ticks if own.duration_ticks is None else own.duration_ticks,
        track.size_bytes if own.size_bytes is None else own.size_bytes,
        track.flags if own.flags is None else own.flags,
    )


def _samples(trun: Trun, defaults: SampleDefaults) -> list[Sample]:
    samples = [_sample(entry, defaults) for entry in trun.samples]
    if trun.first_sample_flags is not None and samples:
        samples[0] = samples[0]._replace(is_sync=not trun.first_sample_flags & NON_SYNC)
    return samples


def _sample(entry: TrunSample, defaults: SampleDefaults) -> Sample:
    duration = defaults.duration_ticks if entry.duration_ticks is None else entry.duration_ticks
    size = defaults.size_bytes if entry.size_bytes is None else entry.size_bytes
    flags = defaults.flags if entry.flags is None else entry.flags
    if duration is None or size is None or flags is None:
        raise MediaError("samples have no duration, size or flags, and nothing says their defaults")
    return Sample(duration, size, entry.composition_offset_ticks or 0, not flags & NON_SYNC)
