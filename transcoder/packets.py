"""All packets of an original, listed by ffprobe and counted as they come, in bounded memory."""

import heapq
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from manifests.index import Rate

LISTING = ["-show_entries", "packet=stream_index,pts_time,dts_time,duration_time,flags", "-of", "csv=p=0"]
"Options of ffprobe that print what `PacketCounter.add` reads."

REORDERED = 32
"Pictures that may stand between one and its place in time; H.264 and HEVC allow 16."
KEYFRAMES_APART_S = 1.0
MOST_INTERVALS = 4096
MICROSECOND_S = 1e-6

STANDARD_RATES = tuple(
    Fraction(*rate)
    for rate in (
        *((10, 1), (12, 1), (25, 2), (15, 1), (20, 1)),  # screens and old cameras
        *((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1)),
    )
)
LOWEST_HZ, HIGHEST_HZ = 10, 60
AGREEMENT = Fraction("0.005")
SAME = Fraction("0.0001")
"Relative difference below which two rates mean the same; 24 and 24000/1001 are ten times as far apart."
STEADY = 0.02
"Share of the intervals that may stray before a rate counts as variable."


@dataclass(slots=True)
class StreamCount:
    """What the packets of one stream add up to. All times are the source's own."""

    is_video: bool
    packet_count: int = 0
    shown_count: int = 0
    "Without those that an edit list cuts away."
    start_s: float | None = None
    end_s: float | None = None
    keyframes_s: "array[float]" = field(default_factory=lambda: array("d"))
    _intervals_us: Counter[int] = field(default_factory=Counter)
    _waiting_s: list[float] = field(default_factory=list)
    _previous_s: float | None = None

    def add(self, time_s: float, duration_s: float, *, is_key: bool, is_shown: bool) -> None:
        self.packet_count += 1
        if not is_shown:
            return
        self.shown_count += 1
        self.start_s = time_s if self.start_s is None else min(self.start_s, time_s)
        self.end_s = time_s + duration_s if self.end_s is None else max(self.end_s, time_s + duration_s)
        if self.is_video:
            if is_key and not (self.keyframes_s and time_s < self.keyframes_s[-1] + KEYFRAMES_APART_S):
                self.keyframes_s.append(time_s)
            self._measure(time_s)

    def _measure(self, time_s: float) -> None:
        """Bring times into order before the interval is taken: B-pictures come later than they are shown."""
        if len(self._waiting_s) < REORDERED:
            heapq.heappush(self._waiting_s, time_s)
        else:
            self._interval_to(heapq.heappushpop(self._waiting_s, time_s))

    def _interval_to(self, time_s: float) -> None:
        if self._previous_s is not None:
            interval_us = round((time_s - self._previous_s) / MICROSECOND_S)
            if interval_us > 0 and (interval_us in self._intervals_us or len(self._intervals_us) < MOST_INTERVALS):
                self._intervals_us[interval_us] += 1
        self._previous_s = time_s

    def finish(self) -> None:
        while self._waiting_s:
            self._interval_to(heapq.heappop(self._waiting_s))

    @property
    def duration_s(self) -> float:
        return 0.0 if self.start_s is None or self.end_s is None else self.end_s - self.start_s

    @property
    def rate_hz(self) -> float:
        """Pictures per second, by the median interval and those about as long, since containers round; 0: unknown."""
        usual = self._usual_intervals_us()
        total_us = sum(us * count for us, count in usual.items())
        return usual.total() / (total_us * MICROSECOND_S) if total_us else 0.0

    @property
    def is_variable_rate(self) -> bool:
        count = self._intervals_us.total()
        return count - self._usual_intervals_us().total() > STEADY * count

    def _usual_intervals_us(self) -> Counter[int]:
        median_us = _median(self._intervals_us)
        near_us = max(1500, 0.1 * median_us)  # Matroska rounds to milliseconds
        return Counter({us: count for us, count in self._intervals_us.items() if abs(us - median_us) <= near_us})


class PacketCounter:
    """Takes the lines of ffprobe's listing, keeps one count for each stream."""

    def __init__(self, video: int | None) -> None:
        """video: index of the stream whose pictures are timed."""
        self.streams: dict[int, StreamCount] = {}
        self._video_index = video

    @property
    def video(self) -> StreamCount:
        return self.of({"index": self._video_index})

    def of(self, stream: Mapping[str, Any]) -> StreamCount:
        """What was counted of a stream, as ffprobe describes it."""
        return self.streams.get(stream["index"]) or StreamCount(is_video=False)

    def add_lines(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self._add(line)

    def _add(self, line: bytes) -> None:
        fields = line.split(b",")
        if len(fields) < 5:
            return  # a line that side data has broken
        number, shown_s, decoded_s, duration_s = (_number(text) for text in fields[:4])
        if number is None:
            return
        index = int(number)
        stream = self.streams.get(index)
        if stream is None:
            stream = self.streams[index] = StreamCount(is_video=index == self._video_index)
        time_s = next(
            (s for s in (shown_s, decoded_s, stream.end_s) if s is not None), 0.0
        )  # raw streams have no times
        flags = fields[4]
        stream.add(time_s, duration_s or 0.0, is_key=b"K" in flags, is_shown=b"D" not in flags)

    def finish(self) -> None:
        for stream in self.streams.values():
            stream.finish()

    @property
    def span_s(self) -> float:
        """From the first to the last moment of anything."""
        timed = [stream for stream in self.streams.values() if stream.start_s is not None and stream.end_s is not None]
        starts_s, ends_s = [stream.start_s or 0.0 for stream in timed], [stream.end_s or 0.0 for stream in timed]
        return max(ends_s) - min(starts_s) if timed else 0.0


def constant_rate(stated: Fraction, measured_hz: float) -> Rate:
    """The rate to encode at: the stated one if the pictures agree, else the standard one next to what they have.

    stated: the container's or codec's own, 0 if none; measured_hz: 0 if there is a single picture.
    """
    if measured_hz and stated > 0 and abs(Fraction(measured_hz) / stated - 1) <= AGREEMENT:
        rate = next((usual for usual in STANDARD_RATES if abs(stated / usual - 1) < SAME), stated)
    elif measured_hz:
        measured = Fraction(measured_hz)
        while measured > HIGHEST_HZ * (1 + AGREEMENT):
            measured /= 2
        rate = min(STANDARD_RATES, key=lambda usual: abs(usual - measured))
    else:
        rate = stated if LOWEST_HZ <= stated <= HIGHEST_HZ else Fraction(25)
    while rate > HIGHEST_HZ:
        rate /= 2
    while rate < LOWEST_HZ:
        rate *= 2
    rate = rate.limit_denominator(1001)
    return Rate(rate.numerator, rate.denominator)


def _number(text: bytes) -> float | None:
    try:
        return float(text)
    except ValueError:  # `N/A`
        return None


def _median(counts: Counter[int]) -> int:
    half, seen = counts.total() / 2, 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= half:
            return value
    return 0
