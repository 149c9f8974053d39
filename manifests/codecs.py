"""What a sample entry says: the codec as RFC 6381 spells it, and the shape of picture or sound."""

from collections.abc import Callable
from typing import NamedTuple

from manifests.errors import MediaError, Unsupported
from manifests.isobmff import Reader, printable


class EntryFacts(NamedTuple):
    """One sample entry, as far as manifests care; what does not apply is 0."""

    codec: str
    "For example `avc1.640028`."
    width: int = 0
    height: int = 0
    sample_rate: int = 0
    channels: int = 0


def codec_string(sample_entry: bytes) -> str:
    """The `codecs` parameter of RFC 6381. Raises Unsupported for codecs that we do not package."""
    return entry_facts(sample_entry).codec


def entry_facts(sample_entry: bytes) -> EntryFacts:
    """sample_entry: the whole box. Raises MediaError, or Unsupported for codecs that we do not package."""
    entry = next(Reader(sample_entry).boxes(), None)
    if entry is None:
        raise MediaError("sample entry is empty")
    if entry.type in VISUAL:
        return _visual_facts(entry.type, entry.body)
    if entry.type in AUDIO:
        return _audio_facts(entry.type, entry.body)
    raise Unsupported(f"sample entry {printable(entry.type)} is of no codec that we package")


VISUAL_HEAD_BYTES = 78
"Fields of a VisualSampleEntry before its boxes (ISO/IEC 14496-12, 12.1.3)."
AUDIO_HEAD_BYTES = 28
"Fields of an AudioSampleEntry before its boxes (ISO/IEC 14496-12, 12.2.3)."


def _visual_facts(entry_type: bytes, body: Reader) -> EntryFacts:
    body.pull_view(24)
    width, height = body.pull_uint(2), body.pull_uint(2)
    body.pull_view(VISUAL_HEAD_BYTES - 28)
    configuration, spell = VISUAL[entry_type]
    return EntryFacts(f"{entry_type.decode()}.{spell(body.child(configuration))}", width, height)


def _audio_facts(entry_type: bytes, body: Reader) -> EntryFacts:
    body.pull_view(16)
    channels = body.pull_uint(2)
    body.pull_view(AUDIO_HEAD_BYTES - 22)
    facts = EntryFacts(entry_type.decode(), sample_rate=body.pull_uint(4) >> 16, channels=channels)
    return AUDIO[entry_type](facts, body)


def _avc(box: Reader) -> str:
    """AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3): profile, compatibility, level in hexadecimal."""
    box.pull_uint(1)
    return box.pull_bytes(3).hex()


def _hevc(box: Reader) -> str:
    """HEVCDecoderConfigurationRecord, spelled as ISO/IEC 14496-15, annex E.3 has it."""
    box.pull_uint(1)
    head, compatibility, constraints, level = box.pull_uint(1), box.pull_uint(4), box.pull_bytes(6), box.pull_uint(1)
    space, tier, profile = "\0ABC"[head >> 6].strip("\0"), "LH"[head >> 5 & 1], head & 0x1F
    reversed_compatibility = int(f"{compatibility:032b}"[::-1], 2)
    parts = [f"{space}{profile}", f"{reversed_compatibility:X}", f"{tier}{level}"]
    return ".".join(parts + [f"{byte:X}" for byte in constraints.rstrip(b"\0")])


def _av1(box: Reader) -> str:
    """AV1CodecConfigurationRecord (AV1 in ISOBMFF 1.2, 2.3.3 and 5), without the optional colour fields."""
    box.pull_uint(1)
    profile_level, depths = box.pull_uint(1), box.pull_uint(1)
    profile, level, tier = profile_level >> 5, profile_level & 0x1F, "MH"[depths >> 7]
    high, twelve = depths >> 6 & 1, depths >> 5 & 1
    bit_depth = 12 if profile == 2 and twelve else 10 if high else 8
    return f"{profile}.{level:02d}{tier}.{bit_depth:02d}"


def _vp9(box: Reader) -> str:
    """VPCodecConfigurationRecord (VP Codec ISO Media File Format Binding 1.0), without the optional colour fields."""
    box.pull_version()
    profile, level, depth = box.pull_uint(1), box.pull_uint(1), box.pull_uint(1) >> 4
    return f"{profile:02d}.{level:02d}.{depth:02d}"


def _mpeg4_audio(facts: EntryFacts, body: Reader) -> EntryFacts:
    """`mp4a` by its elementary stream descriptor (ISO/IEC 14496-1, 7.2.6.5)."""
    esds = body.child(b"esds")
    esds.pull_version()
    elementary = _descriptor(esds, 0x03)
    elementary.pull_uint(2)
    flags = elementary.pull_uint(1)
    elementary.pull_view(2 * bool(flags & 0x80))
    elementary.pull_view(elementary.pull_uint(1) if flags & 0x40 else 0)
    elementary.pull_view(2 * bool(flags & 0x20))
    decoder = _descriptor(elementary, 0x04)
    object_type = decoder.pull_uint(1)
    if object_type != AAC:
        return facts._replace(codec=f"mp4a.{object_type:02x}")  # 6b and 69 are MP3
    decoder.pull_view(12)
    return _aac_facts(facts, _descriptor(decoder, 0x05))


AAC = 0x40
"Object type indication of ISO/IEC 14496-3."
SAMPLE_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 14: 8}
"Channels of a channel configuration (ISO/IEC 14496-3, table 1.19)."


def _aac_facts(facts: EntryFacts, config: Reader) -> EntryFacts:
    """AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1): right about channels and rate where the entry is not."""
    bits = int.from_bytes(config.pull_bytes(config.remaining).ljust(9, b"\0")[:9], "big")
    left = 72

    def pull(width: int) -> int:
        nonlocal left
        left -= width
        return bits >> left & (1 << width) - 1

    def pull_rate() -> int:
        index = pull(4)
        return pull(24) if index == 15 else SAMPLE_RATES[index] if index < len(SAMPLE_RATES) else 0

    object_type = pull(5)
    if object_type == 31:
        object_type = 32 + pull(6)
    rate, configuration = pull_rate(), pull(4)
    if object_type in (5, 29):  # SBR and PS, signalled in front: the rate that comes out follows
        rate = pull_rate()
    channels = CHANNELS.get(configuration, facts.channels)
    return facts._replace(codec=f"mp4a.40.{object_type}", sample_rate=rate or facts.sample_rate, channels=channels)


def _descriptor(reader: Reader, tag: int) -> Reader:
    """The body of the next descriptor, which must be of this tag (ISO/IEC 14496-1, 8.3.3)."""
    found = reader.pull_uint(1)
    if found != tag:
        raise MediaError(f"esds has descriptor {found} where {tag} belongs")
    size = 0
    for _ in range(4):
        byte = reader.pull_uint(1)
        size = size << 7 | byte & 0x7F
        if not byte & 0x80:
            break
    return Reader(reader.pull_view(size))


def _flac(facts: EntryFacts, body: Reader) -> EntryFacts:
    """`fLaC` by its STREAMINFO (RFC 9639, 8.2): the sample entry has no room for rates above 65535 Hz."""
    metadata = body.child(b"dfLa")
    metadata.pull_version()
    metadata.pull_view(4 + 10)  # block header, block and frame sizes
    packed = metadata.pull_uint(4)
    return facts._replace(sample_rate=packed >> 12, channels=(packed >> 9 & 0x7) + 1)


def _as_it_stands(facts: EntryFacts, _body: Reader) -> EntryFacts:
    return facts


VISUAL: dict[bytes, tuple[bytes, Callable[[Reader], str]]] = {
    b"avc1": (b"avcC", _avc),
    b"avc3": (b"avcC", _avc),
    b"hvc1": (b"hvcC", _hevc),
    b"hev1": (b"hvcC", _hevc),
    b"av01": (b"av1C", _av1),
    b"vp09": (b"vpcC", _vp9),
}
AUDIO: dict[bytes, Callable[[EntryFacts, Reader], EntryFacts]] = {
    b"mp4a": _mpeg4_audio,
    b"fLaC": _flac,
    b"Opus": _as_it_stands,
    b"ac-3": _as_it_stands,
    b"ec-3": _as_it_stands,
}
