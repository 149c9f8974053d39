"""The operator's ladder, cut to a source."""

from hypothesis import given
from hypothesis import strategies as st

from config.ladders import load_ladder
from transcoder.ladder import choose_rungs

LADDER = load_ladder()


def sizes(width: int, height: int) -> list[tuple[int, int]]:
    return [(rung.width, rung.height) for rung in choose_rungs(LADDER, width, height)]


def test_a_full_hd_source_gets_its_own_size_and_the_steps_below() -> None:
    assert sizes(1920, 1080) == [(1920, 1080), (1280, 720), (960, 540), (640, 360), (426, 240)]


def test_a_source_between_two_steps_keeps_its_size_at_the_rate_of_the_larger_one() -> None:
    top = choose_rungs(LADDER, 800, 332)[0]
    assert (top.width, top.height, top.track_id) == (800, 332, "v540")


def test_a_portrait_source_is_fitted_into_turned_boxes() -> None:
    assert sizes(1080, 1920)[:2] == [(1080, 1920), (720, 1280)]


def test_a_source_smaller_than_the_smallest_step_gets_one_rung_of_its_own_size() -> None:
    assert sizes(160, 90) == [(160, 90)]


def test_a_source_larger_than_the_largest_step_is_scaled_down_to_it() -> None:
    assert sizes(7680, 4320)[0] == (3840, 2160)


def test_a_step_barely_smaller_than_the_one_above_is_left_out() -> None:
    assert sizes(1300, 732) == [(1300, 732), (960, 540), (640, 360), (426, 240)]


@given(st.integers(2, 9000), st.integers(2, 9000))
def test_no_rung_is_above_its_source_or_odd_and_the_best_comes_first(width: int, height: int) -> None:
    rungs = choose_rungs(LADDER, width, height)
    assert rungs
    for rung in rungs:
        assert rung.width % 2 == rung.height % 2 == 0
        assert 2 <= rung.width <= width and 2 <= rung.height <= height
    areas = [rung.width * rung.height for rung in rungs]
    assert areas == sorted(areas, reverse=True)
    assert len({rung.track_id for rung in rungs}) == len(rungs)
