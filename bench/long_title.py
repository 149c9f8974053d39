"""The index of a long title, as encodes of two hours in ten rungs and four languages leave it; no bytes behind it."""

import random
from collections.abc import Sequence

from manifests.index import Chunk, Kind, Rate, Run, TitleIndex, Track

HEIGHTS = (2160, 1440, 1080, 900, 720, 540, 480, 360, 270, 240)
LANGUAGES = ("en", "de", "fr", "es")
CHUNK_SEGMENTS = 15
"A minute, as chunks and pieces are by default."
AAC_FRAME, SEGMENT_AAC_FRAMES = 1024, 188


def long_title(duration_s: int = 7200) -> TitleIndex:
    """duration_s: a multiple of 4. The same index every time."""
    chance = random.Random(7)
    video = [_video(chance, height, duration_s // 4) for height in HEIGHTS]
    audio = [_audio(chance, language, duration_s) for language in LANGUAGES]
    text = [_text(chance, language, duration_s) for language in LANGUAGES]
    return TitleIndex(title_id="T" * 22, version="v7", tracks=(*video, *audio, *text))


def _video(chance: random.Random, height: int, segments: int) -> Track:
    kbps = 6 * height
    return Track(
        id=f"v{height}",
        kind=Kind.VIDEO,
        codec="avc1.640028",
        timescale=90_000,
        init=chance.randbytes(700),
        width=height * 16 // 9 // 2 * 2,
        height=height,
        frame_rate=Rate(25, 1),
        average_bps=kbps * 700,
        peak_bps=kbps * 1000,
        timeline=(Run(360_000, segments),),
        chunks=_chunks(chance, kbps * 350, segments),
    )


def _audio(chance: random.Random, language: str, duration_s: int) -> Track:
    whole = SEGMENT_AAC_FRAMES * AAC_FRAME
    segments, rest = divmod(duration_s * 48_000 + AAC_FRAME, whole)
    ends = (Run(rest, 1),) if rest else ()
    return Track(
        id=f"a-{language}-160",
        kind=Kind.AUDIO,
        codec="mp4a.40.2",
        language=language,
        timescale=48_000,
        init=chance.randbytes(650),
        sample_rate=48_000,
        channels=2,
        average_bps=160_000,
        peak_bps=166_000,
        timeline=(Run(whole - AAC_FRAME, 1), Run(whole, segments - 1), *ends),
        chunks=_chunks(chance, 80_000, segments + len(ends)),
    )


def _text(chance: random.Random, language: str, duration_s: int) -> Track:
    return Track(
        id=f"t-{language}",
        kind=Kind.TEXT,
        codec="wvtt",
        language=language,
        role="subtitle",
        timescale=1000,
        average_bps=200,
        peak_bps=400,
        timeline=(Run(4 * 1000 * CHUNK_SEGMENTS, duration_s // (4 * CHUNK_SEGMENTS)),),
        chunks=(_chunk(chance, [90_000]),),
    )


def _chunks(chance: random.Random, mean_bytes: int, count: int) -> tuple[Chunk, ...]:
    sizes = [chance.randint(mean_bytes // 2, mean_bytes * 3 // 2) for _ in range(count)]
    return tuple(_chunk(chance, sizes[first : first + CHUNK_SEGMENTS]) for first in range(0, count, CHUNK_SEGMENTS))


def _chunk(chance: random.Random, sizes_bytes: Sequence[int]) -> Chunk:
    return Chunk(chance.randbytes(11).hex(), chance.randbytes(8).hex(), tuple(sizes_bytes))
