"""Pictures: one chunk, all its rungs from one decode, on the grid of the title."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from manifests.errors import MediaError
from manifests.facts import scan_chunk
from manifests.index import Rate
from tests.encodes import encode_of
from tests.intake_helpers import make
from transcoder.ffmpeg import arguments
from transcoder.plan import EncodePlan, Rung, Span, VideoPlan
from transcoder.video import chunk_outputs, repackage_chunk

RUNGS = (
    Rung(track_id="v180", width=320, height=180, crf=22, max_kbps=600),
    Rung(track_id="v90", width=160, height=90, crf=24, max_kbps=200),
)
PLAN = VideoPlan(
    stream=0,
    start_s=1.5,
    frame_rate=Rate(25, 1),
    timescale=90_000,
    segment_frames=25,
    deinterlace=False,
    tone_map=False,
    preset="veryfast",
    rungs=RUNGS,
    spans=(Span(1, 0, 50), Span(2, 50, 40)),
)


def words(plan: VideoPlan, span: Span, rungs: tuple[Rung, ...] = RUNGS) -> list[str]:
    return arguments(*chunk_outputs(plan, span, rungs, Path("/in"), Path("/job")), filter_threads=1)


def after(option: str, given: list[str]) -> list[str]:
    return [given[place + 1] for place, word in enumerate(given) if word == option]


def test_all_rungs_come_from_one_decode() -> None:
    given = words(PLAN, PLAN.spans[0])
    assert after("-i", given) == ["file:/in"]
    assert "split=2" in after("-filter_complex", given)[0]
    assert [word for word in given if word.startswith("file:/job")] == ["file:/job/v180.mp4", "file:/job/v90.mp4"]
    assert "split=1" in after("-filter_complex", words(PLAN, PLAN.spans[0], RUNGS[:1]))[0]


def test_a_chunk_begins_and_ends_on_the_grid_of_the_title() -> None:
    (graph,) = after("-filter_complex", words(PLAN, PLAN.spans[1]))
    assert "start_time=3.500000" in graph
    assert "trim=end_frame=40" in graph
    assert after("-ss", words(PLAN, PLAN.spans[1])) == ["3.500000"]
    assert after("-ss", words(PLAN, PLAN.spans[0])) == []


def test_filters_are_there_when_they_are_needed() -> None:
    plain, (both,) = (
        after("-filter_complex", words(PLAN, PLAN.spans[0]))[0],
        after("-filter_complex", words(replace(PLAN, deinterlace=True, tone_map=True), PLAN.spans[0])),
    )
    assert "bwdif" not in plain and "tonemap" not in plain
    assert both.index("bwdif") < both.index("fps") < both.index("tonemap")


class Made:
    """One chunk as ffmpeg wrote it, with its plan."""

    def __init__(self, plan: EncodePlan, file: Path) -> None:
        assert plan.video is not None
        self.video, self.file = plan.video, file
        self.rung, self.span = plan.video.rungs[0], plan.video.spans[0]

    def repackaged(self, into: Path, **changes: int) -> bytes:
        span = replace(self.span, **changes)
        return repackage_chunk(replace(self.video, spans=(span, *PLAN.spans)), self.rung, span, self.file, into)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("chunk")
    pictures = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=2")
    film = make(folder / "film.mp4", *pictures, "-c:v", "libx264")

    async def encoded() -> Made:
        async with encode_of(film, folder) as encode, encode.workshop.job_folder() as job:
            plan = await encode.fix_plan()
            assert plan.video is not None
            outputs = chunk_outputs(plan.video, plan.video.spans[0], plan.video.rungs, film, job)
            await encode.workshop.run(outputs, job, film, lambda _: None, 2.0)
            (file,) = job.glob("*.mp4")
            return Made(plan, file.rename(folder / "made.mp4"))

    return asyncio.run(encoded())


def test_a_chunk_becomes_segments_of_whole_groups_that_count_from_its_place(made: Made, tmp_path: Path) -> None:
    init = made.repackaged(tmp_path / "chunk", start_frame=75)
    facts = scan_chunk(init, (tmp_path / "chunk").read_bytes())
    assert (facts.first_number, facts.start_ticks, facts.sample_count) == (4, 75 * 3600, 50)
    assert facts.durations_ticks == (90_000, 90_000)
    assert (facts.width, facts.height) == (160, 90)


def test_all_chunks_of_a_rung_have_the_same_init_segment(made: Made, tmp_path: Path) -> None:
    assert made.repackaged(tmp_path / "a", start_frame=0) == made.repackaged(tmp_path / "b", start_frame=75)


@pytest.mark.parametrize("count", [49, 51, 100])
def test_another_number_of_pictures_is_an_error(made: Made, tmp_path: Path, count: int) -> None:
    with pytest.raises(MediaError, match=f"has 50 pictures, not {count}"):
        made.repackaged(tmp_path / "chunk", frame_count=count)


def test_only_the_last_chunk_of_a_film_may_end_early(made: Made, tmp_path: Path) -> None:
    span = replace(made.span, frame_count=60)
    init = repackage_chunk(replace(made.video, spans=(span,)), made.rung, span, made.file, tmp_path / "chunk")
    assert scan_chunk(init, (tmp_path / "chunk").read_bytes()).sample_count == 50


def test_groups_beside_the_grid_and_another_timescale_are_errors(made: Made, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="groups of pictures"):
        repackage_chunk(replace(made.video, segment_frames=10), made.rung, made.span, made.file, tmp_path / "chunk")
    with pytest.raises(MediaError):
        repackage_chunk(replace(made.video, timescale=1000), made.rung, made.span, made.file, tmp_path / "chunk")


def test_a_file_that_ends_early_is_an_error(made: Made, tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(made.file.read_bytes()[:-50])
    with pytest.raises(MediaError):
        repackage_chunk(made.video, made.rung, made.span, tmp_path / "cut", tmp_path / "chunk")
