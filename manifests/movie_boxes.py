"""The boxes of a movie header that say something about our tracks, one pull/push pair each (ISO/IEC 14496-12, 8)."""

from dataclasses import dataclass

from manifests.errors import MediaError
from manifests.isobmff import Reader, push_full_box

UNITY_MATRIX = b"".join(value.to_bytes(4, "big") for value in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))


@dataclass(frozen=True, slots=True)
class Mvhd:
    """Movie header (8.2.2); a fragmented movie has no duration of its own."""

    timescale: int
    next_track_id: int


def pull_mvhd(box: Reader) -> Mvhd:
    version, _flags = box.pull_version()
    box.pull_view(16 if version == 1 else 8)  # times of creation and modification
    timescale = box.pull_uint(4)
    box.pull_view((8 if version == 1 else 4) + 76)
    return Mvhd(timescale, box.pull_uint(4))


def push_mvhd(out: bytearray, mvhd: Mvhd) -> None:
    with push_full_box(out, b"mvhd"):
        out += bytes(8) + mvhd.timescale.to_bytes(4, "big") + bytes(4)
        out += (1 << 16).to_bytes(4, "big") + (1 << 8).to_bytes(2, "big") + bytes(10)  # rate 1, volume 1
        out += UNITY_MATRIX + bytes(24) + mvhd.next_track_id.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Tkhd:
    """Track header (8.3.2)."""

    track_id: int
    width: int = 0
    "Of the picture as shown, in whole pixels; 0 for sound."
    height: int = 0
    volume: int = 0
    "In 1/256; sound has 256."


def pull_tkhd(box: Reader) -> Tkhd:
    version, _flags = box.pull_version()
    box.pull_view(16 if version == 1 else 8)
    track_id = box.pull_uint(4)
    box.pull_view((8 if version == 1 else 4) + 16)  # reserved, duration, reserved, layer, alternate group
    volume = box.pull_uint(2)
    box.pull_view(2 + len(UNITY_MATRIX))
    return Tkhd(track_id, box.pull_uint(4) >> 16, box.pull_uint(4) >> 16, volume)


def push_tkhd(out: bytearray, tkhd: Tkhd) -> None:
    # Flags: enabled, in the movie, in its preview (ISO/IEC 23000-19, 7.5.4).
    with push_full_box(out, b"tkhd", flags=0x7):
        out += bytes(8) + tkhd.track_id.to_bytes(4, "big") + bytes(20)
        out += tkhd.volume.to_bytes(2, "big") + bytes(2) + UNITY_MATRIX
        out += (tkhd.width << 16).to_bytes(4, "big") + (tkhd.height << 16).to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Mdhd:
    """Media header (8.4.2)."""

    timescale: int
    language: str
    "ISO 639-2/T, three small letters."


def pull_mdhd(box: Reader) -> Mdhd:
    version, _flags = box.pull_version()
    box.pull_view(16 if version == 1 else 8)
    timescale = box.pull_uint(4)
    if not timescale:
        raise MediaError("timescale is 0")
    box.pull_view(8 if version == 1 else 4)
    packed = box.pull_uint(2)
    return Mdhd(timescale, "".join(chr(0x60 + (packed >> shift & 0x1F)) for shift in (10, 5, 0)))


def push_mdhd(out: bytearray, mdhd: Mdhd) -> None:
    first, second, third = (ord(letter) - 0x60 for letter in mdhd.language)
    with push_full_box(out, b"mdhd"):
        out += bytes(8) + mdhd.timescale.to_bytes(4, "big") + bytes(4)
        out += (first << 10 | second << 5 | third).to_bytes(2, "big") + bytes(2)


@dataclass(frozen=True, slots=True)
class Hdlr:
    """Handler (8.4.3): what kind of media this is."""

    handler_type: bytes
    "`vide`, `soun`."


def pull_hdlr(box: Reader) -> Hdlr:
    box.pull_version()
    box.pull_uint(4)
    return Hdlr(box.pull_bytes(4))


def push_hdlr(out: bytearray, hdlr: Hdlr) -> None:
    with push_full_box(out, b"hdlr"):
        out += bytes(4) + hdlr.handler_type + bytes(12) + b"\0"  # an empty name


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry of an edit list."""

    segment_duration: int
    "In ticks of the movie; 0 in a fragmented file: to the end."
    media_time_ticks: int
    "Where in the media it begins; -1: nothing is shown."


@dataclass(frozen=True, slots=True)
class Elst:
    """Edit list (8.6.6)."""

    edits: tuple[Edit, ...]


def pull_elst(box: Reader) -> Elst:
    version, _flags = box.pull_version()
    width = 8 if version == 1 else 4
    edits = []
    for _ in range(box.pull_uint(4)):
        edits.append(Edit(box.pull_uint(width), box.pull_int(width)))
        if box.pull_uint(4) != 1 << 16:
            raise MediaError("edit list changes the playing rate")
    return Elst(tuple(edits))


def push_elst(out: bytearray, elst: Elst) -> None:
    version = int(any(max(edit.segment_duration, edit.media_time_ticks) >= 1 << 31 for edit in elst.edits))
    width = 8 if version else 4
    with push_full_box(out, b"elst", version):
        out += len(elst.edits).to_bytes(4, "big")
        for edit in elst.edits:
            out += edit.segment_duration.to_bytes(width, "big") + edit.media_time_ticks.to_bytes(
                width, "big", signed=True
            )
            out += (1 << 16).to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Stsd:
    """Sample descriptions (8.5.2); our tracks have one."""

    sample_entry: bytes
    "The whole box."


def pull_stsd(box: Reader) -> Stsd:
    box.pull_version()
    count = box.pull_uint(4)
    if count != 1:
        raise MediaError(f"track has {count} sample descriptions, not one")
    return Stsd(box.pull_bytes(box.remaining))


def push_stsd(out: bytearray, stsd: Stsd) -> None:
    with push_full_box(out, b"stsd"):
        out += (1).to_bytes(4, "big") + stsd.sample_entry
