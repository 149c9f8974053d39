from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import MediaError
from manifests.facts import ChunkFacts
from manifests.index import Chunk, Kind, Rate, Run
from manifests.index_build import TrackLabel, join_facts, join_text, peak_bps, runs
from tests.manifests_helpers import audio_facts, video_facts

LABEL = TrackLabel(id="v90", frame_rate=Rate(25, 1))


def following(facts: ChunkFacts) -> ChunkFacts:
    return replace(facts, first_number=facts.first_number + len(facts.sizes_bytes), start_ticks=facts.end_ticks)


def test_chunks_become_a_track() -> None:
    facts = video_facts()
    track = join_facts(LABEL, [("one", facts), ("two", following(facts))])
    assert (track.id, track.kind, track.codec, track.frame_rate) == ("v90", Kind.VIDEO, "avc1.64000b", Rate(25, 1))
    assert (track.width, track.height, track.timescale, track.init) == (160, 90, 90_000, facts.init)
    assert track.timeline == (Run(90_000, 4),)
    assert track.chunks == (
        Chunk("one", facts.sha256[:16], facts.sizes_bytes),
        Chunk("two", facts.sha256[:16], facts.sizes_bytes),
    )


def test_rates_are_measured() -> None:
    facts = replace(video_facts(), sizes_bytes=(1000, 3000))
    track = join_facts(LABEL, [("one", facts)])
    assert (track.average_bps, track.peak_bps) == (16_000, 24_000)


def test_sound_is_presented_without_its_priming() -> None:
    track = join_facts(TrackLabel(id="a-en-1", language="en", name="Stereo"), [("one", audio_facts())])
    assert track.timeline == (Run(39_936, 1), Run(40_960, 1), Run(15_104, 1))
    assert track.duration_ticks == 96_000
    assert (track.language, track.name, track.sample_rate, track.channels) == ("en", "Stereo", 48_000, 2)


def test_the_delay_of_pictures_cuts_nothing() -> None:
    assert video_facts().edit_media_time_ticks == 7200
    assert join_facts(LABEL, [("one", video_facts())]).duration_ticks == 180_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"init": b"other"}, "its init segment is not that of the chunk before"),
        ({"start_ticks": 180_001}, "begins with segment 3 at 180001, not 3 at 180000"),
        ({"start_ticks": 179_999}, "begins with segment 3 at 179999, not 3 at 180000"),
        ({"first_number": 4}, "begins with segment 4 at 180000, not 3 at 180000"),
    ],
)
def test_chunks_that_do_not_follow_one_another_are_refused(changes: dict[str, object], message: str) -> None:
    second = replace(following(video_facts()), **changes)  # type: ignore[arg-type]
    with pytest.raises(MediaError, match=f"track v90, chunk two: {message}"):
        join_facts(LABEL, [("one", video_facts()), ("two", second)])


def test_a_track_begins_with_its_first_segment() -> None:
    with pytest.raises(MediaError, match="begins with segment 3 at 180000, not 1 at 0"):
        join_facts(LABEL, [("two", following(video_facts()))])
    with pytest.raises(MediaError, match="no chunks"):
        join_facts(LABEL, [])


def test_priming_longer_than_a_segment_is_refused() -> None:
    with pytest.raises(MediaError, match="cuts the whole first segment"):
        join_facts(TrackLabel(id="a"), [("one", replace(audio_facts(), edit_media_time_ticks=40_960))])


def test_text_is_measured_on_the_grid_it_is_cut_on() -> None:
    document = b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHallo\n"
    track = join_text(TrackLabel(id="t-de-1", language="de", role="subtitle"), "d", document, 61_960)
    assert (track.kind, track.codec, track.timescale) == (Kind.TEXT, "wvtt", 1000)
    assert track.timeline == (Run(60_000, 1), Run(1960, 1))
    assert track.chunks[0].sizes_bytes == (len(document),)
    assert 0 < track.average_bps <= track.peak_bps < 100


def test_text_without_duration_is_refused() -> None:
    with pytest.raises(MediaError, match="no duration"):
        join_text(TrackLabel(id="t"), "d", b"WEBVTT\n", 0)


def test_a_short_last_segment_counts_with_the_one_before_it() -> None:
    """One sync sample shown for 40 ms would be 20 Mbit/s by itself."""
    assert peak_bps([500_000, 500_000, 100_000], [4000, 4000, 40], 1000) == -(-8 * 600_000 * 1000 // 4040)


def test_a_title_shorter_than_half_a_second_has_the_rate_it_has() -> None:
    assert peak_bps([1000], [40], 1000) == 200_000


@given(st.lists(st.tuples(st.integers(1, 10**7), st.integers(1, 10_000)), min_size=1, max_size=30))
def test_the_peak_is_never_below_the_average(segments: list[tuple[int, int]]) -> None:
    sizes, durations = zip(*segments, strict=True)
    if all(2 * duration >= max(1, round(max(durations) / 1000)) * 1000 for duration in durations):
        assert peak_bps(sizes, durations, 1000) >= 8 * sum(sizes) * 1000 // sum(durations)


@given(st.lists(st.integers(1, 3)))
def test_runs_give_the_durations_back(durations: list[int]) -> None:
    assert [run.duration_ticks for run in runs(durations) for _ in range(run.segment_count)] == durations
