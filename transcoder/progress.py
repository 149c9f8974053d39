"""How far ffmpeg has come, as its `-progress` option reports it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

NUMBERS_OF_PROGRESS = frozenset({"frame", "out_time_us", "speed", "total_size"})
PROGRESS_KEYS = NUMBERS_OF_PROGRESS | {
    *("fps", "bitrate", "out_time_ms", "out_time", "dup_frames", "drop_frames", "elapsed", "progress")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far ffmpeg has come, from its `-progress` reports."""

    out_time_us: int = 0
    "End of what is written, in microseconds of the output."
    frame: int = 0
    "Pictures written."
    speed: float = 0.0
    "Media time per wall time."
    total_size: int = 0
    "Bytes written."


class ProgressReports:
    """Collects the lines of reports into values of Progress."""

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        self.latest = Progress()
        self._on_progress = on_progress
        self._numbers: dict[str, float] = {}

    def hear(self, line: str) -> bool | None:
        key, equals, value = line.partition("=")
        if not equals or not (key in PROGRESS_KEYS or key.startswith("stream_")):
            return None
        if key in NUMBERS_OF_PROGRESS:
            self._numbers[key] = _number(value)
        return self._report() if key == "progress" else False

    def _report(self) -> bool:
        number = self._numbers.get
        report = Progress(
            out_time_us=max(0, int(number("out_time_us", 0))),
            frame=int(number("frame", 0)),
            speed=number("speed", 0.0),
            total_size=int(number("total_size", 0)),
        )
        # Reports come twice a second from a thread of their own, also while nothing moves.
        moved = (report.out_time_us, report.frame) != (self.latest.out_time_us, self.latest.frame)
        self.latest = report
        if moved:
            self._on_progress(report)
        return moved


def _number(text: str) -> float:
    try:
        number = float(text.strip().removesuffix("x"))
    except ValueError:  # `N/A` until the first picture
        return 0.0
    return number if math.isfinite(number) else 0.0
