"""From what the probe found to a plan."""

from typing import Any

import msgspec
import pytest

from config.settings import EncodeSettings
from manifests.index import Rate
from tests.encodes import SMALL_LADDER
from transcoder.original import AudioStream, Original, SubtitleStream, Tags, VideoStream
from transcoder.pipeline import Sidecar, is_light, plan_encode, sidecar_of, task_names, task_priority, task_weights
from transcoder.plan import EncodePlan

VIDEO = VideoStream(
    index=0,
    codec="h264",
    width=1920,
    height=1080,
    pixel_aspect=(1, 1),
    rotation=0,
    frame_rate=Rate(25, 1),
    measured_rate_hz=25.0,
    is_variable_rate=False,
    frame_count=1000,
    start_s=0.02,
    duration_s=40.0,
    is_interlaced=False,
    field_order="progressive",
    pixel_format="yuv420p",
    bit_depth=8,
    color_transfer="",
    color_primaries="",
    color_matrix="",
    keyframes_s=(0.02,),
)
MP4 = "mov,mp4,m4a,3gp,3g2,mj2"


def sound(index: int, language: str = "en", role: str = "main", **changes: Any) -> AudioStream:
    facts: dict[str, Any] = {
        "codec": "aac",
        "channels": 2,
        "sample_rate": 48_000,
        "title": "",
        "is_default": False,
        "start_s": 0.02,
    }
    return AudioStream(index=index, language=language, role=role, duration_s=40.0, **(facts | changes))


def film(**changes: Any) -> Original:
    facts: dict[str, Any] = {
        "container": MP4,
        "size_bytes": 1,
        "duration_s": 40.0,
        "video": VIDEO,
        "audio": (sound(1),),
        "subtitles": (),
    }
    return Original(**(facts | {"cover": None} | changes))


def plan(original: Original, sidecars: tuple[Sidecar, ...] = ()) -> EncodePlan:
    return plan_encode(
        {"original": msgspec.to_builtins(original), "encoder": "ffmpeg 9"},
        title_id="T" * 22,
        version="v1",
        original_id="o",
        original_sha256="0" * 64,
        sidecars=sidecars,
        ladder=SMALL_LADDER,
        settings=EncodeSettings(),
        workers=2,
    )


def test_a_plan_survives_its_way_through_the_database() -> None:
    made = plan(film())
    assert EncodePlan.from_builtins(msgspec.json.decode(msgspec.json.encode(made.to_builtins()))) == made


def test_a_film_has_a_task_for_every_chunk_run_and_text_and_a_poster() -> None:
    subtitles = SubtitleStream(index=2, codec="subrip", language="de", role="forced", title="", is_default=False)
    made = plan(film(subtitles=(subtitles,)), (Sidecar("side", "fr", "caption"),))
    spans = [f"video-{n}" for n in range(1, 6)]
    assert sorted(task_names(made)) == sorted(["audio-a1-en-96", *spans, "text-t1-de", "text-t2-fr", "poster"])
    assert [text.role for text in made.text] == ["forced-subtitle", "caption"]


def test_one_sound_for_each_language_and_role_is_kept() -> None:
    streams = (sound(1), sound(2, codec="ac3"), sound(3, role="commentary"), sound(4, "de"))
    assert [run.stream for run in plan(film(audio=streams)).audio] == [1, 3, 4]


def test_sound_lasts_as_long_as_the_pictures_and_begins_with_them() -> None:
    (run,) = plan(film()).audio
    assert (run.start_s, run.pad_to_s, run.sample_rate) == (0.02, 40.0, 48_000)


def test_a_song_keeps_its_sample_rate_and_gets_a_rung_for_each_rate() -> None:
    made = plan(film(video=None, audio=(sound(0, "und", sample_rate=44_100),), cover=1, tags=Tags(title="One")))
    assert [(run.kbps, run.sample_rate, run.pad_to_s) for run in made.audio] == [(128, 44_100, 0.0), (64, 44_100, 0.0)]
    assert made.poster is not None and made.poster.at_s is None
    assert made.tags["title"] == "One"


def test_a_container_without_an_index_is_one_chunk() -> None:
    made = plan(film(container="mpegts"))
    assert made.video is not None and len(made.video.spans) == 1


def test_small_tasks_go_first_then_sound_then_pictures_in_order_of_time() -> None:
    tasks = ["video-2", "audio-a1-en-96", "probe", "video-1", "text-t1-de", "poster"]
    ordered = sorted(tasks, key=task_priority, reverse=True)
    assert ordered == ["probe", "text-t1-de", "poster", "audio-a1-en-96", "video-1", "video-2"]
    assert [task for task in tasks if is_light(task)] == ["probe", "text-t1-de", "poster"]


def test_pictures_weigh_more_than_sound_of_the_same_length() -> None:
    weights = task_weights(plan(film()))
    assert sum(weight for task, weight in weights.items() if task.startswith("video")) > 10 * weights["audio-a1-en-96"]


@pytest.mark.parametrize(
    ("name", "language", "role"),
    [
        ("film.srt", "und", "subtitle"),
        ("film.de.srt", "de", "subtitle"),
        ("film.de.forced.srt", "de", "forced-subtitle"),
        ("my.first.film.eng.sdh.vtt", "en", "caption"),
        ("film.pt-BR.ass", "pt-BR", "subtitle"),
    ],
)
def test_the_name_of_a_subtitle_file_says_language_and_role(name: str, language: str, role: str) -> None:
    assert sidecar_of("id", name) == Sidecar("id", language, role)


def test_the_same_settings_give_the_same_digest_and_any_change_another() -> None:
    made = plan(film())
    assert made.digest("video", {"a": 1, "b": 2}) == made.digest("video", {"b": 2, "a": 1})
    assert made.digest("video", {"a": 1}) != made.digest("video", {"a": 2})
    other = EncodePlan.from_builtins(made.to_builtins() | {"encoder": "ffmpeg 10"})
    assert other.digest("video") != made.digest("video")
