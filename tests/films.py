"""A film as tests with players want it, made by ffmpeg's own sources, and a server that has it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamer.ingest import Wishes
from tests.intake_helpers import make
from tools.own_server import OwnServer, own_server

FILM_S = 20
FRAMES_PER_S = 25
FRAMES = FILM_S * FRAMES_PER_S
RUNGS = {(640, 360), (426, 240)}
PITCHES = {"en": 440, "de": 330}
"The tone of each language, in hertz."
LINES = {"en": "second", "de": "Sekunde"}
"What the subtitles of each language say, and then which."
CUE_DELAY_MS = 100
"How long after each full second a line is shown."
SHORT_SEGMENTS = '[encode]\npreset = "superfast"\nsegment_s = 2.0\nchunk_s = 8.0\n'
"Fast, but with B-frames; and several segments and chunks in a short film."


def make_film(folder: Path, seconds: int = FILM_S) -> Path:
    """Moving pictures with B-frames, a tone for each language, and subtitle files beside them."""
    folder.mkdir(exist_ok=True)
    sounds = [
        part
        for pitch in PITCHES.values()
        for part in ("-f", "lavfi", "-i", f"sine=frequency={pitch}:sample_rate=48000:duration={seconds}")
    ]
    film = make(
        folder / "film.mp4",
        *("-f", "lavfi", "-i", f"testsrc2=size=640x360:rate={FRAMES_PER_S}:duration={seconds}", *sounds),
        *("-map", "0", "-map", "1", "-map", "2", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"),
        *("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2"),
    )
    for language, word in LINES.items():
        cues = (f"{n + 1}\n00:00:{n:02d},{CUE_DELAY_MS} --> 00:00:{n:02d},900\n{word} {n}\n" for n in range(seconds))
        film.with_suffix(f".{language}.srt").write_text("\n".join(cues))
    return film


@dataclass(frozen=True, slots=True)
class Cinema:
    """A server that has published the film."""

    server: OwnServer
    title_id: str
    original: Path


@contextmanager
def open_cinema(folder: Path) -> Iterator[Cinema]:
    original = make_film(folder / "originals")
    with own_server(folder / "server", SHORT_SEGMENTS) as server:
        yield Cinema(server, asyncio.run(server.add(original, Wishes(title="The Film"))), original)
