"""All arithmetic on media time: exact fractions inside, and the only place that rounds."""

from fractions import Fraction

from manifests.errors import MediaError


def rescale(ticks: int, from_timescale: int, to_timescale: int) -> int:
    """The same instant counted in another timescale: to the nearest tick, halves towards the later one."""
    if from_timescale < 1 or to_timescale < 1:
        raise MediaError(f"timescale is {min(from_timescale, to_timescale)}, not a positive number")
    return (2 * ticks * to_timescale + from_timescale) // (2 * from_timescale)


def decimal_seconds(ticks: int, timescale: int) -> str:
    """Seconds as a decimal number with three to nine places: `4.004`, `4.010666667`.

    Nine places, so that the sum over a playlist of hours is still right to a microsecond.
    """
    seconds, nanoseconds = divmod(rescale(ticks, timescale, 10**9), 10**9)
    digits = f"{nanoseconds:09d}"
    return f"{seconds}.{digits[:3]}{digits[3:].rstrip('0')}"


def target_duration_s(longest_ticks: int, timescale: int) -> int:
    """The target duration that a longest segment makes: its seconds to the nearest (RFC 8216, 4.3.3.1), at least 1."""
    return max(1, rescale(longest_ticks, timescale, 1))


def iso8601_duration(seconds: Fraction) -> str:
    """A duration such as `PT1H2M3.5S`, to the next microsecond.

    Rounded up: a player drops pictures that end after the presentation's stated end.
    """
    microseconds = -(-seconds.numerator * 10**6 // seconds.denominator)
    minutes, rest = divmod(microseconds, 60 * 10**6)
    hours, minutes = divmod(minutes, 60)
    decimal = f"{rest // 10**6}.{rest % 10**6:06d}".rstrip("0").rstrip(".")
    return "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + f"{decimal}S"


def bits_per_second(size_bytes: int, ticks: int, timescale: int) -> int:
    """The rate that carries so many bytes in so much time, to the next whole bit: what is promised must suffice."""
    return -(-8 * size_bytes * timescale // ticks)


def frames_per_second(numerator: int, denominator: int) -> str:
    """A frame rate rounded to three decimals, `23.976` (RFC 8216, 4.3.4.2)."""
    thousandths = rescale(numerator, denominator, 1000)
    return f"{thousandths // 1000}.{thousandths % 1000:03d}"
