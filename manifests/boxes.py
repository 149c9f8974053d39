"""The boxes of a movie fragment, one pull/push pair each (ISO/IEC 14496-12, 8.8)."""

from dataclasses import dataclass
from struct import Struct, error
from typing import NamedTuple

from manifests.errors import MediaError, Unsupported
from manifests.isobmff import Reader, push_full_box

DEFAULT_BASE_IS_MOOF = 0x020000


@dataclass(frozen=True, slots=True)
class Mfhd:
    """Movie fragment header (8.8.5)."""

    sequence_number: int


def pull_mfhd(box: Reader) -> Mfhd:
    box.pull_version()
    return Mfhd(box.pull_uint(4))


def push_mfhd(out: bytearray, mfhd: Mfhd) -> None:
    with push_full_box(out, b"mfhd"):
        out += mfhd.sequence_number.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class SampleDefaults:
    """What samples have unless their run says otherwise; None: the level above says it."""

    duration_ticks: int | None = None
    size_bytes: int | None = None
    flags: int | None = None


@dataclass(frozen=True, slots=True)
class Tfhd:
    """Track fragment header (8.8.7), its data addressed from the start of the moof."""

    track_id: int
    defaults: SampleDefaults = SampleDefaults()


def pull_tfhd(box: Reader) -> Tfhd:
    _version, flags = box.pull_version()
    track_id = box.pull_uint(4)
    if flags & 0x000001:
        raise Unsupported("fragment is addressed from the start of its file, not from its moof")
    if flags & 0x000002:
        box.pull_uint(4)  # sample description index: we read tracks of a single description
    duration, size, sample_flags = (box.pull_uint(4) if flags & bit else None for bit in (0x8, 0x10, 0x20))
    return Tfhd(track_id, SampleDefaults(duration, size, sample_flags))


def push_tfhd(out: bytearray, tfhd: Tfhd) -> None:
    defaults = tfhd.defaults
    fields = {0x8: defaults.duration_ticks, 0x10: defaults.size_bytes, 0x20: defaults.flags}
    present = {bit: value for bit, value in fields.items() if value is not None}
    with push_full_box(out, b"tfhd", flags=DEFAULT_BASE_IS_MOOF | sum(present)):
        out += tfhd.track_id.to_bytes(4, "big")
        for value in present.values():
            out += value.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Tfdt:
    """Track fragment decode time (8.8.12)."""

    base_media_decode_time: int
    "Decode time of the fragment's first sample, in ticks of the track's timescale."


def pull_tfdt(box: Reader) -> Tfdt:
    version, _flags = box.pull_version()
    return Tfdt(box.pull_uint(8 if version == 1 else 4))


def push_tfdt(out: bytearray, tfdt: Tfdt) -> None:
    # Always the 64-bit version: the size of a moof must not depend on when in the title it stands.
    with push_full_box(out, b"tfdt", version=1):
        out += tfdt.base_media_decode_time.to_bytes(8, "big")


class TrunSample(NamedTuple):
    """One sample of a run; what is None in all samples is not written."""

    duration_ticks: int | None = None
    size_bytes: int | None = None
    flags: int | None = None
    composition_offset_ticks: int | None = None


@dataclass(frozen=True, slots=True)
class Trun:
    """Track fragment run (8.8.8)."""

    samples: tuple[TrunSample, ...]
    data_offset_bytes: int | None = None
    "Where the first sample's data begins, counted from the moof; None: where the run before ended."
    first_sample_flags: int | None = None


SAMPLE_BITS = (0x100, 0x200, 0x400, 0x800)
"Presence of a sample's duration, size, flags and composition offset, in the order of TrunSample."


def pull_trun(box: Reader) -> Trun:
    version, flags = box.pull_version()
    count = box.pull_uint(4)
    data_offset = box.pull_int(4) if flags & 0x1 else None
    first_flags = box.pull_uint(4) if flags & 0x4 else None
    present = [bool(flags & bit) for bit in SAMPLE_BITS]
    entry = _entry(present, signed=version > 0)
    if not entry.size:
        # A count with nothing behind it costs its sender nothing, so it must not cost us memory.
        if count > 1 << 16:
            raise MediaError(f"run claims {count} samples but describes none")
        return Trun((TrunSample(),) * count, data_offset, first_flags)
    table = entry.iter_unpack(box.pull_view(count * entry.size))
    if all(present):
        samples = tuple(map(TrunSample._make, table))
    else:
        names = [name for name, there in zip(TrunSample._fields, present, strict=True) if there]
        samples = tuple(TrunSample(**dict(zip(names, values, strict=True))) for values in table)
    return Trun(samples, data_offset, first_flags)


def push_trun(out: bytearray, trun: Trun) -> None:
    """Written as version 1, with signed composition offsets."""
    present = [value is not None for value in trun.samples[0]] if trun.samples else [False] * 4
    entry = _entry(present, signed=True)
    flags = sum(bit for bit, there in zip(SAMPLE_BITS, present, strict=True) if there)
    flags |= 0x1 * (trun.data_offset_bytes is not None) | 0x4 * (trun.first_sample_flags is not None)
    with push_full_box(out, b"trun", version=1, flags=flags):
        out += len(trun.samples).to_bytes(4, "big")
        if trun.data_offset_bytes is not None:
            out += trun.data_offset_bytes.to_bytes(4, "big", signed=True)
        if trun.first_sample_flags is not None:
            out += trun.first_sample_flags.to_bytes(4, "big")
        try:
            for sample in trun.samples:
                out += entry.pack(*(value for value in sample if value is not None))
        except error as problem:
            raise MediaError(f"sample does not fit its run: {problem}") from problem


def _entry(present: list[bool], *, signed: bool) -> Struct:
    formats = "III" + ("i" if signed else "I")
    return Struct(">" + "".join(form for form, there in zip(formats, present, strict=True) if there))


@dataclass(frozen=True, slots=True)
class Trex:
    """Defaults of a track's fragments (8.8.3)."""

    track_id: int
    defaults: SampleDefaults


def pull_trex(box: Reader) -> Trex:
    box.pull_version()
    track_id, _description = box.pull_uint(4), box.pull_uint(4)
    return Trex(track_id, SampleDefaults(box.pull_uint(4), box.pull_uint(4), box.pull_uint(4)))


def push_trex(out: bytearray, trex: Trex) -> None:
    defaults = trex.defaults
    with push_full_box(out, b"trex"):
        for value in (trex.track_id, 1, defaults.duration_ticks, defaults.size_bytes, defaults.flags):
            out += (value or 0).to_bytes(4, "big")
