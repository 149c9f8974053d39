import asyncio
import itertools
from pathlib import Path

import pytest

from tests.conftest import Golden
from tests.intake_helpers import LIMITS, cut, errand, gone, make, make_film, make_song, the_jail, the_tools
from transcoder.errors import Cancelled, FfmpegFailed, FfmpegStalled
from transcoder.ffmpeg import (
    Node,
    Progress,
    arguments,
    command_line,
    foreign_input,
    guarded,
    open_ffmpeg,
    output,
    run_ffmpeg,
    run_ffprobe,
)
from transcoder.jail import Limits
from transcoder.process import Errand

GUARDS = ("-protocol_whitelist", "-format_whitelist", "-codec_whitelist", "-max_pixels", "-max_streams")


async def encode(*outputs: Node, work: Errand, **options: object) -> None:
    await run_ffmpeg(arguments(*outputs), work, tools=the_tools(), jail=the_jail(), **options)  # type: ignore[arg-type]


async def describe(path: Path, job: Path) -> dict[str, object]:
    work = errand(job, read_only=(path,))
    return await run_ffprobe(path, ["-show_streams"], work, tools=the_tools(), jail=the_jail())


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("media") / "film.mp4")


@pytest.fixture
def job(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


def two_rungs(source: Path, job: Path) -> tuple[Node, Node]:
    halves = foreign_input(source, threads=1).video.filter_multi_output("split", 2)
    small = halves[1].filter("scale", 64, 36)
    return output(halves[0], job / "large.mp4", vcodec="libx264"), output(small, job / "small.mp4", vcodec="libx264")


def test_arguments_are_the_golden_ones(golden: Golden) -> None:
    given = arguments(*two_rungs(Path("film.mp4"), Path("job")), filter_threads=1)
    lines = guarded(given, LIMITS)
    golden.check("ffmpeg_arguments.txt", "\n".join([*lines, ""]))


def test_every_guard_stands_before_its_own_input() -> None:
    given = ["-t", "1", "-i", "file:a.mp4", "-ss", "2", "-i", "file:b.mp4", "file:c.mp4"]
    safe = guarded(given, LIMITS)
    first, second = (place for place, argument in enumerate(safe) if argument == "-i")
    for guard in GUARDS:
        assert guard in safe[:first]
        assert guard in safe[first:second]
        assert guard not in safe[second:]
    assert [argument for argument in safe if argument in given] == given


def test_guards_overrule_what_a_caller_says() -> None:
    safe = guarded(["-protocol_whitelist", "file,http", "-i", "file:a.mp4"], LIMITS)
    places = [place for place, argument in enumerate(safe) if argument == "-protocol_whitelist"]
    assert safe[places[-1] + 1] == "file"


@pytest.mark.parametrize("source", ["a.mp4", "http://example.org/a.mp4", "concat:a|b", "-", "pipe:0", ""])
def test_an_input_that_is_no_file_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="is not a file"):
        guarded(["-i", source], LIMITS)


def test_what_a_filter_generates_needs_no_guard() -> None:
    given = ["-f", "lavfi", "-i", "testsrc2", "file:a.mp4"]
    assert guarded(given, LIMITS) == given


@pytest.mark.parametrize("name", ["-y", "http:a.mp4", "%d.mp4", "a b'c.mp4", "ä:ö.mp4"])
async def test_a_name_is_a_file_and_nothing_else(name: str, film: Path, tmp_path: Path, job: Path) -> None:
    source = cut(film, tmp_path / name, share=1)
    made = job / name
    await encode(output(foreign_input(source).video, made, f="mp4", c="copy"), work=errand(job, read_only=(source,)))
    assert made.exists()


async def test_two_outputs_come_from_one_decode(film: Path, job: Path) -> None:
    seen: list[Progress] = []
    await encode(*two_rungs(film, job), work=errand(job, read_only=(film,)), on_progress=seen.append)
    for name, width in (("large.mp4", 128), ("small.mp4", 64)):
        found = await describe(job / name, job)
        assert found["streams"][0]["width"] == width  # type: ignore[index]
        assert found["streams"][0]["nb_frames"] == "100"  # type: ignore[index]
    assert seen[-1].frame == 100
    assert seen[-1].out_time_us == pytest.approx(4_000_000, abs=100_000)


async def test_standard_output_comes_as_it_is_made(film: Path, job: Path) -> None:
    sound = output(foreign_input(film).audio, "pipe:1", acodec="pcm_s16le", format="s16le")
    work = errand(job, read_only=(film,))
    async with open_ffmpeg(arguments(sound), work, tools=the_tools(), jail=the_jail()) as running:
        data = b"".join([block async for block in running.blocks()])
    assert len(data) == pytest.approx(4 * 44100 * 2, abs=2 * 2048)
    assert running.result.last_words == ""


async def test_an_ffmpeg_that_fails_late_fails_the_loop_that_reads_it(film: Path, tmp_path: Path, job: Path) -> None:
    tough = arguments(output(foreign_input(film).audio, "pipe:1", f="s16le"))
    work = errand(job, read_only=(film,), limits=Limits(cpu_s=60, memory_bytes=4 * 2**30, output_bytes=2**20))
    impossible = ["-c:v", "libx264", "-preset", "no-such-preset", str(job / "b.mp4")]
    blocks = []
    with pytest.raises(FfmpegFailed, match="no-such-preset"):
        async with open_ffmpeg([*tough, *impossible], work, tools=the_tools(), jail=the_jail()) as running:
            async for block in running.blocks():
                blocks.append(block)
            pytest.fail("the loop was passed")


async def test_progress_that_stops_is_a_stall(job: Path) -> None:
    # No picture is ever finished: the filter waits for one that does not come.
    stuck = ["-nostdin", "-stats_period", "0.1", "-progress", "pipe:2", "-f", "lavfi", "-i", "color=r=25"]
    stuck += ["-vf", "select=0", "-f", "null", "-"]
    with pytest.raises(FfmpegStalled, match=r"no progress for 0\.7 s"):
        await run_ffmpeg(stuck, errand(job, stall_s=0.7), tools=the_tools(), jail=the_jail())


async def test_a_cancel_leaves_no_process(job: Path) -> None:
    endless = ["-nostdin", "-f", "lavfi", "-i", "testsrc2", "-f", "null", f"file:{job}/never"]
    calls = itertools.count()
    with pytest.raises(Cancelled):
        await run_ffmpeg(endless, errand(job, cancel=lambda: next(calls) > 5), tools=the_tools(), jail=the_jail())
    assert await asyncio.to_thread(gone, f"file:{job}/never", 0)


async def test_an_unlisted_decoder_is_not_run(tmp_path: Path, job: Path) -> None:
    source = make_song(tmp_path / "song.mkv", "-c:a", "wmav2")
    with pytest.raises(FfmpegFailed, match=r"whitelist|Error while opening decoder"):
        await encode(output(foreign_input(source).audio, job / "a.wav"), work=errand(job, read_only=(source,)))


async def test_an_unlisted_container_is_not_read(tmp_path: Path, job: Path) -> None:
    source = make_film(tmp_path / "film.flv", "-c:v", "flv1", "-an")
    with pytest.raises(FfmpegFailed, match="Format not on whitelist"):
        await encode(output(foreign_input(source).video, job / "a.mp4"), work=errand(job, read_only=(source,)))


async def test_a_picture_beyond_the_limit_is_not_decoded(film: Path, job: Path) -> None:
    small = Limits(cpu_s=60, memory_bytes=4 * 2**30, output_bytes=2**20, pixels=64 * 64)
    with pytest.raises(FfmpegFailed):
        await encode(
            output(foreign_input(film).video, job / "a.mp4"), work=errand(job, read_only=(film,), limits=small)
        )


@pytest.mark.parametrize("name", ["list.mp4", "list.ffconcat", "list.m3u8"])
@pytest.mark.parametrize("kind", ["ffconcat", "hls"])
async def test_a_playlist_opens_no_other_file(kind: str, name: str, film: Path, tmp_path: Path, job: Path) -> None:
    secret = make(job / "secret.ts", "-i", str(film), "-c", "copy")
    lists = {
        "ffconcat": f"ffconcat version 1.0\nfile {secret}\n",
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{secret}\n#EXT-X-ENDLIST\n",
    }
    source = tmp_path / name
    source.write_text(lists[kind])
    # The secret lies in the job's folder, so nothing but the guards keeps it.
    with pytest.raises(FfmpegFailed):
        await encode(output(foreign_input(source), job / "a.mp4"), work=errand(job, read_only=(source,)))
    with pytest.raises(FfmpegFailed):
        await describe(source, job)


async def test_the_guards_do_not_hinder_what_is_allowed(film: Path, job: Path) -> None:
    found = await describe(film, job)
    assert [stream["codec_name"] for stream in found["streams"]] == ["h264", "aac"]  # type: ignore[attr-defined]


def test_a_command_line_can_be_pasted_into_a_shell() -> None:
    line = command_line(Path("/usr/bin/ffmpeg"), ["-i", "file:it's a film.mp4"])
    assert line == """ffmpeg -i 'file:it'"'"'s a film.mp4'"""
