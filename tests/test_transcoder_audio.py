"""Sound: what ffmpeg writes in one run, cut into segments of the same number of frames."""

from dataclasses import replace
from pathlib import Path

import pytest

from manifests.errors import MediaError
from manifests.facts import scan_chunk
from tests.intake_helpers import make_song
from transcoder.audio import AAC_FRAME, AudioSegmenter, audio_output
from transcoder.ffmpeg import arguments
from transcoder.plan import AudioPlan

PLAN = AudioPlan(
    track_id="a1-en-96",
    stream=1,
    start_s=0.5,
    pad_to_s=4.0,
    language="en",
    role="main",
    name="",
    sample_rate=48_000,
    channels=2,
    kbps=96,
    segment_frames=47,
    piece_segments=2,
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What ffmpeg writes to its standard output."""
    options = ("-ar", "48000", "-ac", "2", "-c:a", "aac", "-f", "mp4", "-frag_duration", "1000000")
    flags = ("-movflags", "+delay_moov+default_base_moof")
    return make_song(tmp_path_factory.mktemp("sound") / "sound.mp4", *options, *flags).read_bytes()


def segments_of(written: bytes, block_bytes: int, plan: AudioPlan = PLAN) -> tuple[list[bytes], AudioSegmenter]:
    segmenter, made = AudioSegmenter(plan), list[bytes]()
    for start in range(0, len(written), block_bytes):
        made += segmenter.feed(written[start : start + block_bytes])
    return [*made, *segmenter.finish()], segmenter


@pytest.mark.parametrize("block_bytes", [1, 1000, 10**9])
def test_segments_do_not_depend_on_how_the_bytes_come(written: bytes, block_bytes: int) -> None:
    assert segments_of(written, block_bytes)[0] == segments_of(written, 4096)[0]


def test_all_segments_but_the_last_have_the_same_number_of_frames_without_a_gap(written: bytes) -> None:
    made, segmenter = segments_of(written, 4096)
    facts = scan_chunk(segmenter.init(), b"".join(made))
    *full, last = facts.durations_ticks
    assert set(full) == {PLAN.segment_frames * AAC_FRAME}
    assert 0 < last <= full[0]
    assert (facts.start_ticks, facts.first_number) == (0, 1)
    assert sum(facts.durations_ticks) == pytest.approx(4 * 48_000 + AAC_FRAME, abs=AAC_FRAME)


def test_the_priming_of_the_encoder_is_cut_by_the_edit_list(written: bytes) -> None:
    made, segmenter = segments_of(written, 4096)
    assert scan_chunk(segmenter.init(), b"".join(made)).edit_media_time_ticks == AAC_FRAME


def test_what_ends_early_or_holds_nothing_is_an_error(written: bytes) -> None:
    with pytest.raises(MediaError):
        segments_of(written[:-100], 4096)
    with pytest.raises(MediaError):
        segments_of(b"", 4096)
    with pytest.raises(MediaError, match="no sound of 44100 Hz"):
        segments_of(written, 4096, replace(PLAN, sample_rate=44_100))[1].init()
    with pytest.raises(MediaError, match="no sound"):
        AudioSegmenter(PLAN).init()


def test_a_film_has_its_sound_padded_to_the_pictures_and_a_song_has_not(tmp_path: Path) -> None:
    film = " ".join(arguments(audio_output(PLAN, tmp_path / "x"), filter_threads=1))
    assert "asetpts=PTS-0.500000/TB" in film
    assert "apad=whole_dur=4.000000" in film
    assert "apad" not in " ".join(
        arguments(audio_output(replace(PLAN, pad_to_s=0.0), tmp_path / "x"), filter_threads=1)
    )


@pytest.mark.parametrize(("channels", "layout"), [(1, "mono"), (2, "stereo")])
def test_sound_is_mono_or_stereo(channels: int, layout: str, tmp_path: Path) -> None:
    words = " ".join(arguments(audio_output(replace(PLAN, channels=channels), tmp_path / "x"), filter_threads=1))
    assert f"channel_layouts={layout}" in words
