"""The init segment of a CMAF track, in the one layout that we store (ISO/IEC 23000-19, 7.3.1)."""

from dataclasses import dataclass

from manifests.boxes import SampleDefaults, Trex, push_trex
from manifests.codecs import AUDIO, AUDIO_HEAD_BYTES, VISUAL, VISUAL_HEAD_BYTES
from manifests.errors import MediaError, Unsupported
from manifests.index import Kind
from manifests.isobmff import Reader, printable, push_box, push_full_box
from manifests.languages import UNDETERMINED, iso639_2
from manifests.movie_boxes import (
    Edit,
    Elst,
    Hdlr,
    Mdhd,
    Mvhd,
    Stsd,
    Tkhd,
    push_elst,
    push_hdlr,
    push_mdhd,
    push_mvhd,
    push_stsd,
    push_tkhd,
)

TRACK_ID = 1
"Of the one track in every init segment and fragment."

HANDLERS = {Kind.VIDEO: b"vide", Kind.AUDIO: b"soun"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InitHeader:
    """What an init segment says."""

    kind: Kind
    timescale: int
    sample_entry: bytes
    "The whole box, as the encoder's file has it."
    width: int = 0
    "Of the picture as shown; 0 for sound."
    height: int = 0
    language: str = UNDETERMINED
    "BCP 47."
    edit_media_time_ticks: int = 0
    "Where presentation begins in the media: after the priming of sound, or the delay that B-frames need."


def init_segment(header: InitHeader) -> bytes:
    """The CMAF header (ISO/IEC 23000-19, 7.3.1)."""
    if header.kind not in HANDLERS:
        raise Unsupported(f"{header.kind} has no init segment")
    out = bytearray()
    with push_box(out, b"ftyp"):
        # Not `cmf2`: that allows video no edit list.
        out += b"iso6" + bytes(4) + b"iso6" + b"cmfc" + b"dash"
    with push_box(out, b"moov"):
        push_mvhd(out, Mvhd(header.timescale, next_track_id=TRACK_ID + 1))
        _push_trak(out, header)
        with push_box(out, b"mvex"):
            push_trex(out, Trex(TRACK_ID, SampleDefaults()))
    return bytes(out)


def _push_trak(out: bytearray, header: InitHeader) -> None:
    with push_box(out, b"trak"):
        volume = 0x100 if header.kind is Kind.AUDIO else 0
        push_tkhd(out, Tkhd(TRACK_ID, header.width, header.height, volume))
        if header.edit_media_time_ticks:
            with push_box(out, b"edts"):
                push_elst(out, Elst((Edit(0, header.edit_media_time_ticks),)))
        with push_box(out, b"mdia"):
            push_mdhd(out, Mdhd(header.timescale, iso639_2(header.language)))
            push_hdlr(out, Hdlr(HANDLERS[header.kind]))
            if header.language != UNDETERMINED:
                with push_full_box(out, b"elng"):
                    out += header.language.encode("ascii") + b"\0"
            _push_minf(out, header)


def _push_minf(out: bytearray, header: InitHeader) -> None:
    with push_box(out, b"minf"):
        if header.kind is Kind.VIDEO:
            with push_full_box(out, b"vmhd", flags=1):
                out += bytes(8)
        else:
            with push_full_box(out, b"smhd"):
                out += bytes(4)
        with push_box(out, b"dinf"), push_full_box(out, b"dref"):
            out += (1).to_bytes(4, "big")
            with push_full_box(out, b"url ", flags=1):  # the data are in this file
                pass
        with push_box(out, b"stbl"):
            push_stsd(out, Stsd(plain_sample_entry(header.sample_entry)))
            for box_type, empty in ((b"stts", 4), (b"stsc", 4), (b"stsz", 8), (b"stco", 4)):
                with push_full_box(out, box_type):
                    out += bytes(empty)


def plain_sample_entry(sample_entry: bytes) -> bytes:
    """The entry without what varies between encodes of one kind: `btrt`, and the encoder's name."""
    entry = next(Reader(sample_entry).boxes(), None)
    if entry is None:
        raise MediaError("sample entry is empty")
    if entry.type in VISUAL:
        head = bytearray(entry.body.pull_bytes(VISUAL_HEAD_BYTES))
        head[42:74] = bytes(32)  # compressorname
    elif entry.type in AUDIO:
        head = bytearray(entry.body.pull_bytes(AUDIO_HEAD_BYTES))
    else:
        raise Unsupported(f"sample entry {printable(entry.type)} is of no codec that we package")
    out = bytearray()
    with push_box(out, entry.type):
        out += head
        for box in entry.body.boxes():
            if box.type != b"btrt":
                with push_box(out, box.type):
                    out += box.body.pull_view(box.body.remaining)
    return bytes(out)
