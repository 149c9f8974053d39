import io

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import MediaError, Truncated, Unsupported
from manifests.fragments import Fragment, FragmentReader, SourceHeader
from manifests.isobmff import Reader
from tests.manifests_helpers import PICTURES, SOUND, X264, audio_file, ffmpeg_file, read_fragments, video_file


def demuxed(file: bytes) -> list[tuple[int | None, int | None, bytes]]:
    with av.open(io.BytesIO(file), "r") as container:
        return [
            (packet.pts, packet.dts, bytes(packet)) for packet in container.demux(container.streams[0]) if packet.size
        ]


def listed(header: SourceHeader, fragments: list[Fragment]) -> list[tuple[int, int, bytes]]:
    packets = []
    for fragment in fragments:
        time, position = fragment.decode_time_ticks - header.media_time_ticks, 0
        for sample in fragment.samples:
            data = fragment.data[position : position + sample.size_bytes]
            packets.append((time + sample.composition_offset_ticks, time, data))
            time += sample.duration_ticks
            position += sample.size_bytes
    return packets


@pytest.mark.parametrize("file", [video_file(), audio_file()], ids=["video", "audio"])
def test_samples_have_the_times_and_bytes_that_ffmpegs_own_demuxer_finds(file: bytes) -> None:
    assert listed(*read_fragments(file)) == demuxed(file)


def test_a_fragment_may_have_several_runs() -> None:
    file = ffmpeg_file(*SOUND, "-c:a", "aac", "-frag_duration", "500000", "-max_interleave_delta", "0")
    joined = ffmpeg_file(*SOUND, "-c:a", "aac")
    assert listed(*read_fragments(file)) == listed(*read_fragments(joined))


def test_the_header_is_known_once_the_moov_was_read() -> None:
    file, reader = video_file(), FragmentReader()
    end_of_moov = sum(box.size_bytes for box in list(Reader(file).boxes())[:2])
    assert reader.feed(file[: end_of_moov - 1]) == []
    assert reader.header is None
    assert reader.feed(file[end_of_moov - 1 : end_of_moov]) == []
    header = reader.header
    assert header is not None
    assert (header.timescale, header.handler_type, header.width, header.height) == (90_000, b"vide", 160, 90)
    assert header.media_time_ticks == 7200  # two pictures, for B-frames that others refer to
    assert header.sample_entry[4:8] == b"avc1"


def test_priming_of_sound_is_read_from_the_edit_list() -> None:
    header, fragments = read_fragments(audio_file())
    assert (header.handler_type, header.timescale, header.media_time_ticks) == (b"soun", 48_000, 1024)
    ticks = sum(sample.duration_ticks for fragment in fragments for sample in fragment.samples)
    assert ticks - header.media_time_ticks == 96_000


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_it_does_not_matter_how_the_bytes_come(sizes: list[int]) -> None:
    file, reader, fragments, position = video_file(), FragmentReader(), [], 0
    for size in sizes:
        fragments += reader.feed(file[position : position + size])
        position += size
    fragments += reader.feed(file[position:])
    reader.close()
    assert (reader.header, fragments) == read_fragments(file)


@pytest.mark.parametrize("missing", [1, 100])
def test_a_cut_file_is_truncated(missing: int) -> None:
    reader = FragmentReader()
    reader.feed(video_file()[:-missing])
    with pytest.raises(Truncated, match="file ends inside a box"):
        reader.close()


def test_a_file_that_ends_before_its_data_is_truncated() -> None:
    file, reader = video_file(), FragmentReader()
    boxes = list(Reader(file).boxes())
    reader.feed(file[: boxes[2].offset_bytes + boxes[2].size_bytes])
    with pytest.raises(Truncated, match="before its mdat"):
        reader.close()


def test_an_empty_file_has_no_moov() -> None:
    with pytest.raises(Truncated, match="before its moov"):
        FragmentReader().close()


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("ffffffff 6d6f6f76", "'moov' claims 4294967295 bytes"),
        ("00000001 6d646174 0000010000000000", "'mdat' claims 1099511627776 bytes"),
        ("00000004 6d6f6f66", "claims a size of 4 bytes"),
        ("00000000 6d646174", "claims a size of 0 bytes"),
        ("00000008 6d646174", "come before their moov"),
    ],
)
def test_absurd_boxes_are_refused_at_their_head(head: str, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        FragmentReader().feed(bytes.fromhex(head))


def test_memory_is_bounded_while_a_box_that_does_not_matter_passes() -> None:
    reader = FragmentReader()
    reader.feed(bytes.fromhex("00000001 66726565 0000010000000000"))
    for _ in range(100):
        assert reader.feed(bytes(2**20)) == []
    assert len(reader._pending) == 0


def test_samples_outside_of_their_data_are_truncated() -> None:
    file = bytearray(video_file())
    at = file.index(b"trun") + 12  # the data offset, behind version, flags and count
    file[at : at + 4] = (2**31 - 1).to_bytes(4, "big")
    with pytest.raises(Truncated, match="samples lie at"):
        FragmentReader().feed(bytes(file))


def test_a_file_of_two_tracks_is_not_supported() -> None:
    file = ffmpeg_file(*PICTURES, *SOUND, *X264, "-c:a", "aac")
    with pytest.raises(Unsupported, match="2 tracks"):
        FragmentReader().feed(file)


@given(st.data())
def test_damage_is_bad_media_and_nothing_else(data: st.DataObject) -> None:
    file = bytearray(audio_file())
    for _ in range(data.draw(st.integers(1, 8))):
        file[data.draw(st.integers(0, 1200))] = data.draw(st.integers(0, 255))
    reader = FragmentReader()
    try:
        reader.feed(bytes(file))
        reader.close()
    except MediaError:
        pass
