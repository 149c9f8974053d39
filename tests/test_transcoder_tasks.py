"""What the engine runs, on real originals with the real ffmpeg."""

import asyncio
from pathlib import Path

import av
import numpy as np
import pytest

from manifests.index import Kind, TitleIndex
from tests.encodes import Encode, encode_of, pictures_of, times_of
from tests.intake_helpers import H264, appeared, make, make_film, processes_with
from transcoder.errors import Cancelled, Reason, Refused, TranscodeError, WrongEncoder
from transcoder.originals import original_key

RATE = 48_000
FLASH_AND_BEEP = (
    *(
        "-f",
        "lavfi",
        "-i",
        "color=black:size=160x90:rate=25:duration=12,format=yuv420p,geq=lum='if(mod(N,25),16,235)':cb=128:cr=128",
    ),
    *("-f", "lavfi", "-i", f"aevalsrc='if(lt(mod(t,1),0.02),0.8*sin(2*PI*1500*mod(t,1)),0)':s={RATE}:d=12"),
)


async def tracks(encode: Encode, index: TitleIndex, folder: Path) -> dict[str, Path]:
    return {
        track.id: await encode.file_of(index, track, folder) for track in index.tracks if track.kind is not Kind.TEXT
    }


def sound_of(file: Path) -> tuple[float, "np.ndarray[tuple[int], np.dtype[np.float32]]"]:
    """Time of the first sample, and all samples of the first channel."""
    with av.open(str(file)) as container:
        frames = list(container.decode(audio=0))
    first = frames[0]
    assert first.pts is not None and first.time_base is not None
    return float(first.pts * first.time_base), np.concatenate([frame.to_ndarray()[0] for frame in frames])


def onsets_s(start_s: float, samples: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> list[float]:
    """Where each beep begins: the lag at which it fits its own shape best."""
    shape = 0.8 * np.sin(2 * np.pi * 1500 * np.arange(round(0.02 * RATE)) / RATE)
    found = []
    for second in range(1, 11):
        begin = round((second - 0.2 - start_s) * RATE)
        around = samples[begin : begin + round(0.4 * RATE)]
        fit = np.correlate(around, shape.astype(np.float32), mode="valid")
        found.append(start_s + (begin + int(fit.argmax())) / RATE)
    return found


async def test_flash_and_beep_stay_within_a_millisecond_from_start_to_end_and_over_chunks(tmp_path: Path) -> None:
    original = make(tmp_path / "sync.mkv", *FLASH_AND_BEEP, "-c:v", "libx264", "-g", "50", "-c:a", "flac")
    async with encode_of(original, tmp_path) as encode:
        index = await encode.all()
        assert encode.plan and encode.plan.video and len(encode.plan.video.spans) > 3
        files = await tracks(encode, index, tmp_path)
    beeps = onsets_s(*sound_of(files["a1-und-96"]))
    for rung in encode.plan.video.rungs:
        pictures = pictures_of(files[rung.track_id])
        flashes = [time for time, brightness in pictures if brightness > 200]
        assert flashes == pytest.approx(list(range(12)), abs=1e-6)
        assert [time for time, _ in pictures] == pytest.approx([n / 25 for n in range(300)], abs=1e-6)
        assert np.abs(np.array(beeps) - np.array(flashes[1:11])).max() < 0.001


@pytest.mark.parametrize(
    ("rate", "frames"), [("24000/1001", 96), ("25", 100), ("30000/1001", 120), ("50", 200), ("60000/1001", 240)]
)
async def test_every_rung_has_exactly_the_pictures_of_the_source(rate: str, frames: int, tmp_path: Path) -> None:
    pictures = ("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={rate}", "-frames:v", str(frames))
    original = make(tmp_path / "film.mp4", *pictures, *H264)
    async with encode_of(original, tmp_path) as encode:
        index = await encode.all(workers=1)
        files = await tracks(encode, index, tmp_path)
    assert sorted(files) == ["v180", "v90"]
    for file in files.values():
        times = times_of(file)
        assert len(times) == frames
        assert times[0] == 0


async def test_a_variable_rate_becomes_constant_and_keeps_its_length(tmp_path: Path) -> None:
    wobble = "setpts='(N+if(mod(N,3),0.3,0))/25/TB'"
    original = make(
        tmp_path / "wobble.mkv",
        *("-f", "lavfi", "-i", f"testsrc2=size=160x90:rate=25:duration=4,{wobble}", "-fps_mode", "vfr", *H264),
    )
    async with encode_of(original, tmp_path) as encode:
        index = await encode.all()
        times = times_of((await tracks(encode, index, tmp_path))["v90"])
    assert np.diff(times) == pytest.approx(0.04, abs=1e-6)
    assert times[-1] + 0.04 == pytest.approx(4.0, abs=0.05)


async def test_a_picture_lying_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    flat = make_film(tmp_path / "flat.mp4")
    original = make(tmp_path / "turned.mp4", "-display_rotation:v:0", "90", "-i", str(flat), "-c", "copy")
    async with encode_of(original, tmp_path) as encode:
        index = await encode.all()
    (picture,) = [track for track in index.tracks if track.kind is Kind.VIDEO]
    assert (picture.width, picture.height) == (72, 128)


async def test_pixels_become_square(tmp_path: Path) -> None:
    stretched = ("-f", "lavfi", "-i", "testsrc2=size=90x90:rate=25:duration=2,setsar=16/9")
    original = make(tmp_path / "stretched.mp4", *stretched, *H264)
    async with encode_of(original, tmp_path) as encode:
        index = await encode.all()
    assert (index.tracks[0].width, index.tracks[0].height) == (160, 90)


async def test_sound_that_begins_late_is_led_in_by_silence(tmp_path: Path) -> None:
    original = make(
        tmp_path / "late.mkv",
        *("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=4"),
        *("-itsoffset", "1.5", "-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000:duration=2"),
        *(*H264, "-c:a", "flac"),
    )
    async with encode_of(original, tmp_path) as encode:
        index = await encode.all()
        start_s, samples = sound_of((await tracks(encode, index, tmp_path))["a1-und-96"])
    loud = np.flatnonzero(np.abs(samples) > 0.05)
    assert start_s + loud[0] / RATE == pytest.approx(1.5, abs=0.005)
    assert index.track("a1-und-96").duration_s == pytest.approx(4.0, abs=0.03)


async def test_subtitles_inside_an_original_become_webvtt_on_the_title_time(tmp_path: Path) -> None:
    (tmp_path / "lines.srt").write_text("1\n00:00:01,000 --> 00:00:02,500\nHallo <i>Welt</i>\n")
    film = make_film(tmp_path / "film.mp4")
    original = make(
        tmp_path / "film.mkv",
        *("-i", str(film), "-i", str(tmp_path / "lines.srt"), "-map", "0", "-map", "1"),
        *("-c", "copy", "-metadata:s:s:0", "language=ger"),
    )
    async with encode_of(original, tmp_path) as encode:
        index = await encode.all()
        text = index.track("t1-de")
        document = (await encode.store.get(index.segment("t1-de", 1).object_key)).decode()
    assert (text.language, text.role, text.codec) == ("de", "subtitle", "wvtt")
    assert "00:00:01.000 --> 00:00:02.500\nHallo <i>Welt</i>" in document


async def test_a_song_becomes_tracks_of_sound_with_its_tags_and_cover(tmp_path: Path) -> None:
    original = make(
        tmp_path / "song.flac",
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=5"),
        *("-f", "lavfi", "-i", "color=red:size=300x300:rate=1:duration=1"),
        *("-c:a", "flac", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-disposition:v", "attached_pic"),
        *("-metadata", "title=One", "-metadata", "artist=Two"),
    )
    async with encode_of(original, tmp_path) as encode:
        index = await encode.all()
        assert encode.plan is not None
    assert [track.sample_rate for track in index.tracks] == [44_100, 44_100]
    assert {track.id: round(track.duration_s, 3) for track in index.tracks} == {"a1-und-128": 5.0, "a1-und-64": 5.0}
    assert (encode.plan.tags["title"], encode.plan.tags["artist"]) == ("One", "Two")
    assert encode.outputs["poster"]["poster"]


async def test_a_task_that_was_done_finds_its_outputs_and_makes_nothing(tmp_path: Path) -> None:
    async with encode_of(make_film(tmp_path / "film.mp4"), tmp_path) as encode:
        await encode.fix_plan()
        first = await encode.run("video-1")
        await encode.store.delete(original_key("original"))
        for fetched in (tmp_path / "work" / "originals").iterdir():
            fetched.unlink()
        assert await encode.run("video-1") == first


async def test_two_runs_of_one_task_at_once_give_one_object(tmp_path: Path) -> None:
    async with encode_of(make_film(tmp_path / "film.mp4"), tmp_path) as encode:
        await encode.fix_plan()
        one, other = await asyncio.gather(encode.run("video-1"), encode.run("video-1"))
        assert one == other
        stored = [info.key async for info in encode.store.list("titles/")]
    assert len(stored) == 2 * len(one["outputs"])


async def test_a_cancelled_task_leaves_no_process_no_folder_and_no_object(tmp_path: Path) -> None:
    long = ("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25:duration=30", *H264)
    async with encode_of(make(tmp_path / "long.mp4", *long), tmp_path) as encode:
        await encode.fix_plan(workers=1)
        cancelled = asyncio.Event()
        running = asyncio.create_task(encode.run("video-1", cancelled))
        word = f"file:{tmp_path}/work/originals/original"
        await asyncio.to_thread(appeared, word)
        cancelled.set()
        with pytest.raises(Cancelled):
            await running
        assert not processes_with(word)
        assert not [info async for info in encode.store.list("titles/")]
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["originals"]


async def test_another_encoder_than_the_plan_began_with_takes_no_chunk(tmp_path: Path) -> None:
    async with encode_of(make_film(tmp_path / "film.mp4"), tmp_path) as encode:
        plan = await encode.fix_plan()
        encode.plan = type(plan).from_builtins(plan.to_builtins() | {"encoder": "ffmpeg 1.0, x264 1"})
        with pytest.raises(WrongEncoder, match=r"ffmpeg 1\.0"):
            await encode.run("video-1")


async def test_what_is_no_media_is_refused_by_the_probe(tmp_path: Path) -> None:
    (tmp_path / "words.mp4").write_text("these are words\n" * 100)
    async with encode_of(tmp_path / "words.mp4", tmp_path) as encode:
        with pytest.raises(Refused) as refused:
            await encode.run("probe")
    assert refused.value.reason is Reason.NOT_MEDIA


async def test_a_task_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    async with encode_of(make_film(tmp_path / "film.mp4"), tmp_path) as encode:
        await encode.fix_plan()
        with pytest.raises(TranscodeError, match="no such task"):
            await encode.run("dance-1")
