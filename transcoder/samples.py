"""Sample originals, made of nothing but ffmpeg's own sources: for the demo, for tests and benchmarks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ffmpeg

from transcoder.ffmpeg import Node, arguments, output, run_ffmpeg
from transcoder.jail import Jail, Limits
from transcoder.process import Errand
from transcoder.tools import Tools

LIMITS = Limits(cpu_s=600, memory_bytes=4 * 2**30, output_bytes=2**30)

TIME_CODE = {"size": "480x270", "corner": (104, 40)}
"The source that counts by itself (no font is needed), and the corner in which it does."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One original: its file, and the subtitle files beside it."""

    title: str
    kind: str
    file: Path
    sidecars: tuple[Path, ...] = ()


async def make_test_card(folder: Path, tools: Tools, jail: Jail, *, seconds: int, size: str = "1280x720") -> Sample:
    """Bars, a running time code, a tone for each language. What is there already is not made again.

    folder: exists.
    """
    pictures = _source(f"testsrc2=size={size}:rate=25:duration={seconds}")
    return await _film(folder / "test-card.mp4", "The Test Card", pictures, (440, 330), tools, jail, seconds)


async def make_journey(folder: Path, tools: Tools, jail: Jail, *, seconds: int) -> Sample:
    """A way into the Mandelbrot set, with the time code in a corner."""
    # Drawn small, since it costs two seconds of the processor for each of its own at full size.
    way = f"mandelbrot=size=640x360:rate=25:start_scale=3:end_scale=0.02:end_pts={25 * seconds}:maxiter=300"
    pictures = _source(way).filter("trim", duration=seconds).filter("scale", 1280, 720)
    clock = _source(f"testsrc2=size={TIME_CODE['size']}:rate=25:duration={seconds}")
    width, height = TIME_CODE["corner"]
    clock = clock.filter("crop", width, height, 0, 0).filter("scale", 2 * int(width), 2 * int(height), flags="neighbor")
    pictures = ffmpeg.overlay(pictures, clock, x=32, y=32)
    return await _film(folder / "journey.mp4", "A Journey Inwards", pictures, (523, 392), tools, jail, seconds)


async def make_song(folder: Path, tools: Tools, jail: Jail, *, seconds: int) -> Sample:
    """A chord that swells, with tags and a cover."""
    file = folder / "song.flac"
    if not _is_made(file):
        voices = "+".join(f"0.12*sin(2*PI*{pitch}*t)*(0.6+0.4*sin(2*PI*t/{beat}))" for pitch, beat in CHORD)
        sound = _source(f"aevalsrc={voices}|{voices}:s=44100:d={seconds}")
        cover = _source("gradients=size=600x600:rate=1:duration=1:nb_colors=4:seed=7:type=circular")
        node = output(
            sound,
            cover.filter("format", "yuvj420p"),
            _fresh(file),
            f="flac",
            acodec="flac",
            vcodec="mjpeg",
            **{"disposition:v": "attached_pic", "q:v": 2},
            **_metadata(title="Sines of Spring", artist="The Oscillators", album="First Harmonics"),
        )
        await _make(node, file, tools, jail)
    return Sample(title="Sines of Spring", kind="song", file=file)


CHORD = ((220.0, 3.0), (277.18, 4.0), (329.63, 5.0), (440.0, 7.0))
"Pitch in hertz and length of a swell in seconds, of each voice."


async def _film(
    file: Path, title: str, pictures: Node, pitches: Sequence[int], tools: Tools, jail: Jail, seconds: int
) -> Sample:
    if not _is_made(file):
        tone = f"beep_factor=4:sample_rate=48000:duration={seconds}"
        tones = [_source(f"sine=frequency={pitch}:{tone}") for pitch in pitches]
        languages = {f"metadata:s:a:{number}": f"language={code}" for number, code in enumerate(("eng", "deu"))}
        node = output(
            pictures.filter("format", "yuv420p"),
            *tones,
            _fresh(file),
            f="mp4",
            vcodec="libx264",
            preset="ultrafast",
            crf=18,
            g=50,
            acodec="aac",
            **{"b:a": "128k", "ac": 2},
            **languages,
        )
        await _make(node, file, tools, jail)
    sidecars = (_subtitles(file, "en", "second", seconds), _subtitles(file, "de", "Sekunde", seconds))
    return Sample(title=title, kind="film", file=file, sidecars=sidecars)


def _subtitles(film: Path, language: str, word: str, seconds: int) -> Path:
    file = film.with_suffix(f".{language}.srt")
    cues = (f"{n + 1}\n00:00:{n:02d},000 --> 00:00:{n:02d},900\n{word} {n}\n" for n in range(min(seconds, 60)))
    file.write_text("\n".join(cues))
    return file


def _is_made(file: Path) -> bool:
    return file.exists()


def _source(description: str) -> Node:
    return ffmpeg.input(description, f="lavfi")


def _metadata(**tags: str) -> dict[str, str]:
    return {f"metadata:g:{number}": f"{name}={value}" for number, (name, value) in enumerate(tags.items())}


def _fresh(file: Path) -> Path:
    return file.with_name(f".{file.name}")


async def _make(node: Node, file: Path, tools: Tools, jail: Jail) -> None:
    """The file appears when it is whole."""
    await run_ffmpeg(arguments(node), Errand(job=file.parent, limits=LIMITS), tools=tools, jail=jail)
    _fresh(file).replace(file)
