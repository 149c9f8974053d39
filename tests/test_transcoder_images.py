"""Posters: a telling picture of a film, or the cover that came with a song."""

import hashlib
from pathlib import Path

import av
import pytest

from tests.encodes import encode_of
from tests.intake_helpers import make
from transcoder.images import LONGEST_SIDE, image_key


async def poster_of(original: Path, folder: Path) -> Path | None:
    """The poster, in a file."""
    async with encode_of(original, folder) as encode:
        plan = await encode.fix_plan()
        digests = (await encode.run("poster"))["outputs"]["poster"]
        if not digests:
            return None
        image = await encode.store.get(f"{plan.folder}/images/{digests[0]}.jpg")
        assert image_key(plan, image) == (f"{plan.folder}/images/{digests[0]}.jpg", hashlib.sha256(image).hexdigest())
    file = folder / "poster.jpg"
    file.write_bytes(image)
    return file


def look(image: Path | None) -> tuple[int, int, float]:
    """Width, height and mean brightness (0 to 255)."""
    assert image is not None
    with av.open(str(image)) as container:
        frame = next(container.decode(video=0))
        return frame.width, frame.height, float(frame.to_ndarray(format="gray").mean())


def film(folder: Path, source: str, *options: str) -> Path:
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25")
    return make(folder / "film.mkv", "-f", "lavfi", "-i", source, *options, *coded)


async def test_a_poster_is_no_black_picture(tmp_path: Path) -> None:
    source = "testsrc2=size=160x90:rate=25:duration=4,drawbox=t=fill:color=black:enable='lt(t,1.2)'"
    assert look(await poster_of(film(tmp_path, source), tmp_path))[2] > 50


@pytest.mark.parametrize(
    ("size", "sar", "expected"),
    [("160x90", "1", (160, 90)), ("160x120", "2", (320, 120)), ("2560x720", "1", (LONGEST_SIDE, 360))],
)
async def test_a_poster_has_square_pixels_and_is_not_too_large(
    tmp_path: Path, size: str, sar: str, expected: tuple[int, int]
) -> None:
    made = film(tmp_path, f"testsrc2=size={size}:rate=25:duration=1,setsar={sar}")
    assert look(await poster_of(made, tmp_path))[:2] == expected


async def test_the_cover_of_a_song_is_its_poster(tmp_path: Path) -> None:
    cover = make(tmp_path / "cover.png", "-f", "lavfi", "-i", "color=white:size=64x64", "-frames:v", "1")
    inputs = ("-f", "lavfi", "-i", "sine=duration=2", "-i", str(cover), "-map", "0", "-map", "1")
    song = make(tmp_path / "song.mp3", *inputs, "-c:v", "png", "-disposition:v", "attached_pic")
    width, height, brightness = look(await poster_of(song, tmp_path))
    assert (width, height) == (64, 64)
    assert brightness > 240


async def test_a_song_without_a_cover_has_no_poster(tmp_path: Path) -> None:
    song = make(tmp_path / "song.mp3", "-f", "lavfi", "-i", "sine=duration=2")
    async with encode_of(song, tmp_path) as encode:
        assert (await encode.fix_plan()).poster is None


async def test_a_poster_keeps_nothing_of_the_original_but_its_pixels(tmp_path: Path) -> None:
    made = film(tmp_path, "testsrc2=size=160x90:rate=25:duration=1", "-metadata", "comment=secret-words")
    image = await poster_of(made, tmp_path)
    assert image is not None
    assert b"secret-words" not in image.read_bytes()
