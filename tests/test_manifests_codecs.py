import io

import av
import pytest

from manifests.codecs import EntryFacts, codec_string, entry_facts
from manifests.errors import MediaError, Truncated, Unsupported
from manifests.isobmff import push_box, push_full_box
from tests.manifests_helpers import ffmpeg_file, read_fragments

SHORT_PICTURES = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=0.2")
SHORT_SOUND = ("-f", "lavfi", "-i", "sine=sample_rate=48000:duration=0.2")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:pools=1", "-tag:v")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((*SHORT_PICTURES, "-c:v", "libx264"), EntryFacts("avc1.64000b", 160, 90)),
        ((*SHORT_PICTURES, "-c:v", "libx264", "-profile:v", "baseline"), EntryFacts("avc1.42c00b", 160, 90)),
        ((*SHORT_PICTURES, *X265, "hvc1"), EntryFacts("hvc1.1.6.L30.90", 160, 90)),
        ((*SHORT_PICTURES, "-pix_fmt", "yuv420p10le", *X265, "hev1"), EntryFacts("hev1.2.4.L30.90", 160, 90)),
        ((*SHORT_PICTURES, "-c:v", "libvpx-vp9", "-deadline", "realtime"), EntryFacts("vp09.00.10.08", 160, 90)),
        ((*SHORT_SOUND, "-ac", "2", "-c:a", "aac"), EntryFacts("mp4a.40.2", sample_rate=48_000, channels=2)),
        ((*SHORT_SOUND, "-ac", "6", "-c:a", "aac"), EntryFacts("mp4a.40.2", sample_rate=48_000, channels=6)),
        ((*SHORT_SOUND, "-ar", "44100", "-c:a", "aac"), EntryFacts("mp4a.40.2", sample_rate=44_100, channels=1)),
        ((*SHORT_SOUND, "-c:a", "libmp3lame"), EntryFacts("mp4a.6b", sample_rate=48_000, channels=1)),
        ((*SHORT_SOUND, "-c:a", "libopus"), EntryFacts("Opus", sample_rate=48_000, channels=1)),
        ((*SHORT_SOUND, "-ar", "96000", "-c:a", "flac"), EntryFacts("fLaC", sample_rate=96_000, channels=1)),
        ((*SHORT_SOUND, "-ac", "6", "-c:a", "ac3"), EntryFacts("ac-3", sample_rate=48_000, channels=6)),
        ((*SHORT_SOUND, "-c:a", "eac3"), EntryFacts("ec-3", sample_rate=48_000, channels=1)),
    ],
)
def test_codecs_are_spelled_from_what_encoders_write(arguments: tuple[str, ...], expected: EntryFacts) -> None:
    header, _ = read_fragments(ffmpeg_file(*arguments))
    assert entry_facts(header.sample_entry) == expected
    assert codec_string(header.sample_entry) == expected.codec


def test_av1_agrees_with_the_decoders_view() -> None:
    file = ffmpeg_file(*SHORT_PICTURES, "-c:v", "libsvtav1", "-preset", "13", "-svtav1-params", "lp=1")
    header, _ = read_fragments(file)
    assert codec_string(header.sample_entry) == "av01.0.00M.08"
    with av.open(io.BytesIO(file)) as container:
        assert container.streams.video[0].profile == "Main"


def visual(entry_type: bytes, configuration_type: bytes, configuration: str) -> bytes:
    out = bytearray()
    with push_box(out, entry_type):
        out += bytes(24) + (1920).to_bytes(2, "big") + (1080).to_bytes(2, "big") + bytes(50)
        with push_box(out, configuration_type):
            out += bytes.fromhex(configuration)
    return bytes(out)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (visual(b"avc3", b"avcC", "01640028 ff"), "avc3.640028"),
        # ISO/IEC 14496-15, annex E.3: the examples given there.
        (visual(b"hev1", b"hvcC", "01 01 60000000 b00000000000 5d"), "hev1.1.6.L93.B0"),
        (visual(b"hvc1", b"hvcC", "01 a4 10000000 b02300000000 78"), "hvc1.B4.8.H120.B0.23"),
        # AV1 in ISOBMFF, 5: main, level 3.0, main tier, 10 bits; professional, high tier, 12 bits.
        (visual(b"av01", b"av1C", "81 04 4c"), "av01.0.04M.10"),
        (visual(b"av01", b"av1C", "81 53 e0"), "av01.2.19H.12"),
        (visual(b"vp09", b"vpcC", "01000000 02 1f a2"), "vp09.02.31.10"),
    ],
)
def test_examples_of_the_codec_bindings(entry: bytes, expected: str) -> None:
    assert entry_facts(entry) == EntryFacts(expected, 1920, 1080)


def mp4a(descriptor: bytes, channels: int = 2) -> bytes:
    out = bytearray()
    with push_box(out, b"mp4a"):
        out += bytes(16) + channels.to_bytes(2, "big") + bytes(6) + (44_100 << 16).to_bytes(4, "big")
        with push_full_box(out, b"esds"):
            out += descriptor
    return bytes(out)


def elementary(object_type: int, config: str = "", fields: str = "00") -> bytes:
    """An elementary stream descriptor; fields: its flags and what follows from them."""
    specific = descriptor(0x05, bytes.fromhex(config)) if config else b""
    return descriptor(
        0x03, bytes(2) + bytes.fromhex(fields) + descriptor(0x04, bytes([object_type]) + bytes(12) + specific)
    )


def descriptor(tag: int, body: bytes) -> bytes:
    return bytes([tag, 0x80, len(body)]) + body


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        # High efficiency signalled in front: the core runs at half of the rate that comes out.
        (mp4a(elementary(0x40, "2b0988")), ("mp4a.40.5", 48_000, 1)),
        # An escaped object type: layer 3.
        (mp4a(elementary(0x40, "f84640")), ("mp4a.40.34", 48_000, 2)),
        # A rate in full, and channels that the stream itself describes.
        (mp4a(elementary(0x40, "17802bf200"), 3), ("mp4a.40.2", 22_500, 3)),
        # Optional fields of the elementary stream descriptor are passed over.
        (mp4a(elementary(0x40, "1190", "e0 0001 02 6162 0002")), ("mp4a.40.2", 48_000, 2)),
        (mp4a(elementary(0x69)), ("mp4a.69", 44_100, 2)),
    ],
)
def test_kinds_of_mpeg_audio_are_told_apart(entry: bytes, expected: tuple[str, int, int]) -> None:
    facts = entry_facts(entry)
    assert (facts.codec, facts.sample_rate, facts.channels) == expected


@pytest.mark.parametrize(
    ("entry", "error", "message"),
    [
        (b"", MediaError, "empty"),
        (bytes.fromhex("00000008 64766831"), Unsupported, "'dvh1' is of no codec"),
        (bytes.fromhex("00000008 61766331"), Truncated, "bytes early"),
        (visual(b"avc1", b"pasp", ""), MediaError, "'avcC' is missing"),
        (mp4a(b"\x04\0"), MediaError, "descriptor 4 where 3 belongs"),
        (mp4a(b"\x03\x7f"), Truncated, "bytes early"),
    ],
)
def test_a_bad_sample_entry_is_refused_in_words(entry: bytes, error: type[MediaError], message: str) -> None:
    with pytest.raises(error, match=message):
        entry_facts(entry)
