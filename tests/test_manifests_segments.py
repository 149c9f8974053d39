import io
from itertools import pairwise

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import MediaError, Unsupported
from manifests.fragments import Sample, read_fragment
from manifests.isobmff import Reader
from manifests.segments import aligned, media_segment, scan_segments
from tests.manifests_helpers import audio_file, read_fragments, repackaged_audio, repackaged_video, video_file


def test_repackaged_pictures_all_decode_and_the_first_stands_at_0() -> None:
    with av.open(io.BytesIO(b"".join(repackaged_video())), "r") as container:
        times = [frame.pts for frame in container.decode(video=0)]
    assert times == [3600 * number for number in range(50)]


def test_repackaged_pictures_are_those_of_the_encoder() -> None:
    decoded = []
    for file in (video_file(), b"".join(repackaged_video())):
        with av.open(io.BytesIO(file), "r") as container:
            decoded.append([bytes(frame.reformat(format="gray").planes[0]) for frame in container.decode(video=0)])
    assert decoded[0] == decoded[1]


def test_sound_begins_at_0_behind_the_priming() -> None:
    with av.open(io.BytesIO(b"".join(repackaged_audio())), "r") as container:
        frames = list(container.decode(audio=0))
    assert [frame.pts for frame in frames] == [1024 * number for number in range(94)]
    # 96000 samples went in; the decoder gives whole AAC frames.
    assert sum(frame.samples for frame in frames) == 94 * 1024


@pytest.mark.parametrize("first", [0, 1])
def test_every_segment_decodes_alone_behind_the_init_segment(first: int) -> None:
    init, data = repackaged_video()
    segment = scan_segments(data)[first]
    alone = data[segment.offset_bytes : segment.offset_bytes + segment.size_bytes]
    with av.open(io.BytesIO(init + alone), "r") as container:
        times = [frame.pts for frame in container.decode(video=0)]
    assert times == [segment.decode_time_ticks + 3600 * number for number in range(25)]


def test_scanning_finds_what_was_written() -> None:
    _, data = repackaged_video()
    one, two = scan_segments(data)
    assert (one.sequence_number, one.offset_bytes, one.decode_time_ticks, one.duration_ticks) == (1, 0, 0, 90_000)
    assert (two.sequence_number, two.offset_bytes, two.decode_time_ticks) == (2, one.size_bytes, 90_000)
    assert one.size_bytes + two.size_bytes == len(data)
    assert (one.sample_count, one.first_is_sync, one.presentation_start_ticks) == (25, True, 7200)


@st.composite
def sample_lists(draw: st.DrawFn) -> list[Sample]:
    durations = st.integers(0, 2**32 - 1) if draw(st.booleans()) else st.just(1024)
    sizes = st.integers(0, 300) if draw(st.booleans()) else st.just(7)
    offsets = st.integers(-(2**31), 2**31 - 1) if draw(st.booleans()) else st.just(0)
    syncs = st.booleans() if draw(st.booleans()) else st.just(True)
    return draw(st.lists(st.builds(Sample, durations, sizes, offsets, syncs), min_size=1, max_size=12))


@given(st.integers(1, 2**32 - 1), st.integers(0, 2**63), sample_lists())
def test_any_samples_survive_a_round_trip(number: int, decode_time: int, samples: list[Sample]) -> None:
    data = bytes(sum(sample.size_bytes for sample in samples))
    segment = media_segment(number, decode_time, samples, data)
    moof, mdat = Reader(segment).boxes()
    fragment = read_fragment(segment[: mdat.offset_bytes], segment[mdat.offset_bytes :])
    assert (fragment.decode_time_ticks, list(fragment.samples), fragment.data) == (decode_time, samples, data)
    (scanned,) = scan_segments(segment)
    assert (scanned.sequence_number, scanned.size_bytes) == (number, moof.size_bytes + mdat.size_bytes)


def test_only_the_first_picture_of_a_closed_group_is_marked_as_a_place_to_begin() -> None:
    _, data = repackaged_video()
    with av.open(io.BytesIO(b"".join(repackaged_video())), "r") as container:
        keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
    assert keys == ([True] + [False] * 24) * 2
    # A run whose first sample alone differs says so once, in first_sample_flags (ISO/IEC 14496-12, 8.8.8).
    flags = Reader(data).child(b"moof", b"traf", b"trun").pull_version()[1]
    assert flags == 0x1 | 0x4 | 0x200 | 0x800


def test_sizes_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(MediaError, match="1 samples describe 3 bytes, and there are 2"):
        media_segment(1, 0, [Sample(1, 3, 0, True)], b"ab")
    with pytest.raises(MediaError, match="0 samples"):
        media_segment(1, 0, [], b"")


SEGMENTS = [media_segment(number, (number - 1) * 10, [Sample(10, 3, 0, True)], b"abc") for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no segment is there"),
        (SEGMENTS[0] + SEGMENTS[2], "segment 3 comes after segment 1"),
        (SEGMENTS[0] + media_segment(2, 11, [Sample(10, 3, 0, True)], b"abc"), "begins at 11, not at 10"),
        (SEGMENTS[0][:-1], "ends 1 bytes early"),
        (SEGMENTS[0][:-11], "no segment begins at byte 0"),
        (bytes.fromhex("0000000866726565") + SEGMENTS[0], "no segment begins at byte 0"),
        (b"".join(SEGMENTS[:2]) + bytes.fromhex("0000000866726565"), "no segment begins at byte"),
    ],
)
def test_objects_that_are_not_a_sequence_of_our_segments_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        scan_segments(data)


def test_ffmpegs_own_layout_is_refused() -> None:
    file = audio_file()
    _, _, moof, mdat, *_ = Reader(file).boxes()
    with pytest.raises(MediaError, match="not in the layout"):
        scan_segments(file[moof.offset_bytes : mdat.offset_bytes + mdat.size_bytes])


def test_alignment_puts_the_first_picture_behind_the_delay() -> None:
    _, fragments = read_fragments(video_file())
    shifted = [
        sample._replace(composition_offset_ticks=sample.composition_offset_ticks + 99)
        for sample in fragments[0].samples
    ]
    samples = aligned(shifted, 7200)
    assert samples == aligned(fragments[0].samples, 7200)
    assert samples[0].composition_offset_ticks == 7200
    decode_times = [3600 * number for number in range(25)]
    presented = sorted(
        time + sample.composition_offset_ticks for time, sample in zip(decode_times, samples, strict=True)
    )
    assert presented[0] == 7200
    assert all(later - earlier == 3600 for earlier, later in pairwise(presented))


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "does not begin with a sync sample"),
        ([Sample(10, 1, 0, False)], "does not begin with a sync sample"),
        ([Sample(10, 1, 20, True), Sample(10, 1, 0, False)], "the group is not closed"),
        ([Sample(10, 1, 0, True), Sample(10, 1, 20, False), Sample(10, 1, -10, False)], "reordered 10 ticks further"),
    ],
)
def test_groups_that_cannot_stand_alone_are_refused(samples: list[Sample], message: str) -> None:
    with pytest.raises(Unsupported, match=message):
        aligned(samples, 0)
