"""Where pictures are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.index import Rate
from transcoder.chunks import plan_spans, segment_frames, video_timescale

RATES = [
    Rate(24000, 1001),
    Rate(24, 1),
    Rate(25, 1),
    Rate(30000, 1001),
    Rate(30, 1),
    Rate(50, 1),
    Rate(60000, 1001),
    Rate(15, 2),
]


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_a_picture_lasts_a_whole_number_of_ticks(rate: Rate) -> None:
    assert video_timescale(rate) * rate.denominator % rate.numerator == 0


@given(st.integers(1, 120_000), st.integers(1, 2000))
def test_any_rate_gets_a_timescale_in_which_a_picture_is_whole(numerator: int, denominator: int) -> None:
    assert video_timescale(Rate(numerator, denominator)) * denominator % numerator == 0


def test_segments_are_the_whole_number_of_pictures_nearest_to_the_aim() -> None:
    assert [segment_frames(rate, 4.0) for rate in RATES[:4]] == [96, 96, 100, 120]


@given(st.integers(1, 500_000), st.integers(1, 300), st.integers(1, 100), st.integers(1, 64), st.booleans())
def test_spans_cover_every_picture_once_and_begin_on_the_grid(
    frames: int, per_segment: int, segments: int, workers: int, seekable: bool
) -> None:
    spans = plan_spans(frames, per_segment, per_segment * segments, workers, seekable=seekable)
    assert [span.number for span in spans] == list(range(1, len(spans) + 1))
    assert spans[0].start_frame == 0
    for span, following in pairwise(spans):
        assert span.start_frame + span.frame_count == following.start_frame
        assert following.start_frame % per_segment == 0
    assert spans[-1].start_frame + spans[-1].frame_count == frames
    assert all(span.frame_count > 0 for span in spans)


def test_a_short_film_gives_each_worker_several_chunks() -> None:
    assert len(plan_spans(1557, 100, 1500, 2, seekable=True)) == 8


def test_a_long_film_is_cut_into_chunks_of_the_greatest_length() -> None:
    assert {span.frame_count for span in plan_spans(180_000, 100, 1500, 2, seekable=True)} == {1500}


def test_what_cannot_be_sought_in_is_one_chunk() -> None:
    assert len(plan_spans(180_000, 100, 1500, 2, seekable=False)) == 1
