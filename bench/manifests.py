"""Manifests: how fast they are made from an index in memory, and what that index takes."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.long_title import HEIGHTS, LANGUAGES, long_title
from bench.report import Report, verdict
from manifests.dash import mpd
from manifests.hls import media_playlist, multivariant_playlist
from manifests.index import TitleIndex
from manifests.presentation import Presentation, select_tracks

MEASURED_S = 2.0
ROUNDS = 5
AIM_MS, AIM_KB = 2, 300
"Of an uncached manifest, and of the index."


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    make: Callable[[], bytes]
    is_manifest: bool = True


def run(*, quick: bool) -> Report:
    """quick: a title of two minutes, and a moment for each case."""
    index = long_title(120 if quick else 7200)
    stored = index.to_json()
    size_kb = len(stored) / 1000
    measured_s = 0.01 if quick else MEASURED_S
    rows, worst_ms = [], 0.0
    for case in cases(index, stored):
        each_s, size_bytes = measure(case.make, measured_s)
        rows.append([case.name, f"{1 / each_s:.0f}", f"{each_s * 1000:.3f}", f"{size_bytes / 1000:.1f}"])
        worst_ms = max(worst_ms, each_s * 1000 * case.is_manifest)
    return Report(
        name="manifests",
        about=[
            f"input: made-up index, {index.duration_s / 3600:.2f} h, {len(HEIGHTS)} rungs of pictures, "
            f"{len(LANGUAGES)} languages of sound and of text, segments of 4 s, chunks of a minute",
            "one thread, nothing cached but the index; choosing the tracks that a viewer may have is counted",
            "no peer: the one that does the same, nginx-vod-module, is in no package registry",
        ],
        columns=("made", "per second", "ms each", "kB"),
        rows=rows,
        notes=[
            f"slowest manifest {worst_ms:.2f} ms, aim under {AIM_MS} ms: {verdict(worst_ms < AIM_MS)}",
            f"index {size_kb:.0f} kB, aim under {AIM_KB} kB: {verdict(size_kb < AIM_KB)}",
        ],
    )


def cases(index: TitleIndex, stored: bytes) -> list[Case]:
    allowed = tuple(track.id for track in index.tracks)

    def offered() -> Presentation:
        return select_tracks(index, allowed, "clear")

    def read() -> bytes:
        TitleIndex.from_json(stored)
        return stored

    return [
        Case("HLS multivariant playlist", lambda: multivariant_playlist(offered()).encode()),
        Case("HLS media playlist, pictures", lambda: media_playlist(offered(), "v1080").encode()),
        Case("HLS media playlist, sound", lambda: media_playlist(offered(), "a-en-160").encode()),
        Case("DASH MPD", lambda: mpd(offered()).encode()),
        Case("index read", read, is_manifest=False),
        Case("index written", index.to_json, is_manifest=False),
    ]


def measure(make: Callable[[], bytes], measured_s: float) -> tuple[float, int]:
    """Seconds that one takes, median of rounds, and its size in bytes."""
    size_bytes = len(make())
    times = []
    for _ in range(ROUNDS):
        count, started_s = 0, time.perf_counter()
        while (elapsed_s := time.perf_counter() - started_s) < measured_s / ROUNDS:
            make()
            count += 1
        times.append(elapsed_s / count)
    return statistics.median(times), size_bytes
