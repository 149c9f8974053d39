import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.index import Rate
from transcoder.packets import PacketCounter, constant_rate


def line(time_s: float | None, duration_s: float = 0.04, flags: str = "___", stream: int = 0) -> bytes:
    time = "N/A" if time_s is None else f"{time_s:.6f}"
    return f"{stream},{time},N/A,{duration_s:.6f},{flags}".encode()


def counted(lines: list[bytes], video: int | None = 0) -> PacketCounter:
    counter = PacketCounter(video)
    counter.add_lines(lines)
    counter.finish()
    return counter


def test_pictures_are_counted_and_timed() -> None:
    video = counted([line(1 + number / 25, flags="K__" if number % 50 == 0 else "___") for number in range(100)]).video
    assert video.shown_count == 100
    assert video.start_s == 1.0
    assert video.duration_s == pytest.approx(4.0)
    assert video.rate_hz == pytest.approx(25)
    assert not video.is_variable_rate
    assert list(video.keyframes_s) == [1.0, 3.0]


@given(st.integers(0, 2**32), st.integers(1, 16))
def test_the_order_of_decoding_does_not_matter(seed: int, depth: int) -> None:
    shuffled = [number / 25 for number in range(100)]
    for start in range(0, 100, depth):
        part = shuffled[start : start + depth]
        random.Random(seed).shuffle(part)
        shuffled[start : start + depth] = part
    video = counted([line(time_s) for time_s in shuffled]).video
    assert video.rate_hz == pytest.approx(25, rel=1e-4)
    assert not video.is_variable_rate


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)])
def test_milliseconds_are_good_enough_for_a_rate(rate: Fraction) -> None:
    video = counted([line(round(float(number / rate), 3)) for number in range(500)]).video
    assert video.rate_hz == pytest.approx(float(rate), rel=0.002)
    assert not video.is_variable_rate


def test_a_rate_that_changes_is_variable_and_measured_by_its_usual_part() -> None:
    times_s = [number / 30 for number in range(200)]
    times_s += [times_s[-1] + number / 10 for number in range(1, 50)]
    video = counted([line(time_s) for time_s in times_s]).video
    assert video.is_variable_rate
    assert video.rate_hz == pytest.approx(30, rel=0.001)


def test_one_pause_does_not_make_a_rate_variable() -> None:
    times_s = [number / 25 + (2 if number > 50 else 0) for number in range(100)]
    assert not counted([line(time_s) for time_s in times_s]).video.is_variable_rate


def test_what_an_edit_list_cuts_away_is_not_shown() -> None:
    lines = [line(-0.4 + number / 25, flags="_D_" if number < 10 else "___") for number in range(50)]
    video = counted(lines).video
    assert (video.packet_count, video.shown_count, video.start_s) == (50, 40, 0.0)


def test_streams_without_times_count_on() -> None:
    video = counted([line(None) for _ in range(50)]).video
    assert video.duration_s == pytest.approx(2.0)
    assert video.rate_hz == pytest.approx(25)


def test_the_span_reaches_over_all_streams() -> None:
    counter = counted([line(1, 1), line(0.5, 1, stream=1), line(9, 1, stream=2)])
    assert counter.span_s == pytest.approx(9.5)
    assert counted([]).span_s == 0


def test_keyframes_of_a_stream_of_nothing_else_are_thinned() -> None:
    video = counted([line(number / 50, flags="K__") for number in range(500)]).video
    assert list(video.keyframes_s) == [float(second) for second in range(10)]


@pytest.mark.parametrize("broken", [b"", b"0", b"x,1,2,3,K", b"0,1.0,1.0", b"side_data,Skip Samples"])
def test_lines_of_another_kind_are_passed_over(broken: bytes) -> None:
    assert counted([broken]).span_s == 0


@pytest.mark.parametrize(
    ("stated", "measured_hz", "rate"),
    [
        pytest.param("25", 25.0, Rate(25, 1), id="both agree"),
        pytest.param("30000/1001", 29.97, Rate(30000, 1001), id="both agree on a fraction"),
        pytest.param("2997/100", 29.97, Rate(30000, 1001), id="a fraction written badly"),
        pytest.param("2997/125", 23.976, Rate(24000, 1001), id="24 is not 23.976"),
        pytest.param("18", 18.0, Rate(18, 1), id="an unusual rate that is true"),
        pytest.param("90000", 23.98, Rate(24000, 1001), id="a clock, not a rate"),
        pytest.param("60000/1001", 29.97, Rate(30000, 1001), id="fields, not pictures"),
        pytest.param("0", 28.9, Rate(30000, 1001), id="nothing stated"),
        pytest.param("120", 120.0, Rate(60, 1), id="twice the highest"),
        pytest.param("100", 100.0, Rate(50, 1), id="twice 50"),
        pytest.param("0", 119.88, Rate(60000, 1001), id="twice the highest, measured"),
        pytest.param("1", 1.0, Rate(16, 1), id="slides"),
        pytest.param("0", 0.0, Rate(25, 1), id="a single picture"),
    ],
)
def test_the_constant_rate_fits_what_is_there(stated: str, measured_hz: float, rate: Rate) -> None:
    assert constant_rate(Fraction(stated), measured_hz) == rate


@given(st.fractions(0, 10**6), st.floats(0, 10**5))
def test_the_constant_rate_is_always_one_that_can_be_encoded(stated: Fraction, measured_hz: float) -> None:
    rate = constant_rate(stated, measured_hz)
    assert 10 <= rate.numerator / rate.denominator <= 60
