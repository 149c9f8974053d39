from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import MediaError
from manifests.timing import (
    bits_per_second,
    decimal_seconds,
    frames_per_second,
    iso8601_duration,
    rescale,
    target_duration_s,
)

timescales = st.integers(1, 2**32)


@given(st.integers(0, 2**63), timescales, timescales)
def test_rescaling_is_off_by_half_a_tick_at_most(ticks: int, before: int, after: int) -> None:
    error = Fraction(rescale(ticks, before, after), after) - Fraction(ticks, before)
    assert abs(error) <= Fraction(1, 2 * after)


@pytest.mark.parametrize(("ticks", "expected"), [(1, 1), (3, 2), (-1, 0), (-3, -1)])
def test_halves_go_to_the_later_tick(ticks: int, expected: int) -> None:
    assert rescale(ticks, 2, 1) == expected


def test_a_timescale_of_0_is_bad_media() -> None:
    with pytest.raises(MediaError, match="timescale is 0"):
        rescale(1, 0, 1000)


@pytest.mark.parametrize(
    ("ticks", "timescale", "expected"),
    [
        (360_000, 90_000, "4.000"),
        (96_096, 24_000, "4.004"),
        (192_512, 48_000, "4.010666667"),
        (1, 90_000, "0.000011111"),
        (10**9 - 1, 10**9, "0.999999999"),
    ],
)
def test_seconds_are_precise_to_a_nanosecond(ticks: int, timescale: int, expected: str) -> None:
    assert decimal_seconds(ticks, timescale) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (Fraction(0), "PT0S"),
        (Fraction(4), "PT4S"),
        (Fraction(6196, 100), "PT1M1.96S"),
        (Fraction(7200), "PT2H0S"),
        (Fraction(1001, 24000), "PT0.041709S"),
        (Fraction(3600) - Fraction(1, 10**9), "PT1H0S"),
    ],
)
def test_durations_are_written_to_the_next_microsecond(seconds: Fraction, expected: str) -> None:
    assert iso8601_duration(seconds) == expected


@pytest.mark.parametrize(("ticks", "expected"), [(1, 1), (4499, 4), (4500, 5), (6000, 6)])
def test_a_target_duration_is_the_nearest_second_and_at_least_one(ticks: int, expected: int) -> None:
    assert target_duration_s(ticks, 1000) == expected


def test_a_rate_is_never_promised_too_low() -> None:
    assert bits_per_second(1, 3, 1) == 3


@pytest.mark.parametrize(("rate", "expected"), [((24000, 1001), "23.976"), ((25, 1), "25.000"), ((30, 1), "30.000")])
def test_frame_rates_have_three_decimals(rate: tuple[int, int], expected: str) -> None:
    assert frames_per_second(*rate) == expected
