"""The originals that encodes are measured with."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

REAL_FILM = Path(__file__).parents[2] / "shared/media/film_animated_1080p25_61s_aac51.mp4"
"A real film beside the clone, where somebody has put one."
LONGEST_S = 180.0
"Every way of encoding runs several times: with a longer film that would take hours."
MAKING_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Film:
    name: str
    file: Path


def films(folder: Path, ffmpeg: Path, *, quick: bool) -> Iterator[Film]:
    """A generated film, and a real one: that of `BENCH_MEDIA`, or the one beside the clone, or none."""
    if quick:
        yield generated_film(folder, ffmpeg, seconds=3, size=(640, 360))
        return
    yield generated_film(folder, ffmpeg, seconds=30, size=(1920, 1080))
    if real := real_film(os.environ):
        yield real


def real_film(environment: Mapping[str, str]) -> Film | None:
    """Raises ValueError if one is named that is not there."""
    named = environment.get("BENCH_MEDIA")
    file = Path(named) if named else REAL_FILM
    if file.is_file():
        return Film(file.name, file)
    if named:
        raise ValueError(f"BENCH_MEDIA is {named}, and there is no such file")
    return None


def generated_film(folder: Path, ffmpeg: Path, *, seconds: int, size: tuple[int, int]) -> Film:
    """A grainy way into the Mandelbrot set, then a test card; and a tone."""
    width, height = size
    way_s = seconds * 2 / 3
    graph = (
        f"mandelbrot=size={width // 3}x{height // 3}:rate=25:end_pts={25 * seconds}:maxiter=200,"
        f"trim=duration={way_s},scale={width}:{height},noise=alls=6:allf=t,format=yuv420p,setsar=1[way];"
        f"testsrc2=size={width}x{height}:rate=25:duration={seconds - way_s},format=yuv420p,setsar=1[card];"
        "[way][card]concat[pictures]"
    )
    file = folder / f"generated-{height}p25-{seconds}s.mp4"
    command = [
        *(str(ffmpeg), "-nostdin", "-y", "-loglevel", "error"),
        *("-f", "lavfi", "-i", f"sine=frequency=440:beep_factor=4:sample_rate=48000:duration={seconds}"),
        *("-filter_complex", graph, "-map", "[pictures]", "-map", "0:a"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "14", "-g", "50"),
        *("-c:a", "aac", "-b:a", "192k", "-ac", "2", str(file)),
    ]
    subprocess.run(command, check=True, timeout=MAKING_TIMEOUT_S)
    return Film(f"generated {height}p25, {seconds} s", file)
