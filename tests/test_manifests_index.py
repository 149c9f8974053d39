import json
import random
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.dash import mpd
from manifests.errors import MediaError, NoSuchSegment, Unsupported
from manifests.hls import media_playlist, multivariant_playlist
from manifests.index import Chunk, Kind, Run, Segment, TitleIndex, Track
from manifests.index_build import runs
from manifests.presentation import select_tracks
from tests.manifests_helpers import audio_track, text_track, video_track

INDEX = TitleIndex(title_id="T", version="v7", tracks=(video_track(), audio_track(), text_track()))


def test_a_segment_is_found_by_its_number() -> None:
    assert INDEX.segment("v1080", 1) == Segment("titles/T/v7/v1080/" + "A" * 22 + ".m4s", "0" * 16, 0, 1000, 0, 360_000)
    assert INDEX.segment("v1080", 8).offset_bytes == 7000
    assert INDEX.segment("v1080", 9) == (
        Segment("titles/T/v7/v1080/" + "B" * 22 + ".m4s", "1" * 16, 0, 2000, 2_880_000, 360_000)
    )
    assert INDEX.segment("v1080", 16) == (
        Segment("titles/T/v7/v1080/" + "B" * 22 + ".m4s", "1" * 16, 14_000, 2000, 5_400_000, 176_400)
    )


def test_priming_makes_the_first_segment_of_sound_shorter() -> None:
    assert (INDEX.segment("a-en-1", 1).start_ticks, INDEX.segment("a-en-1", 2).start_ticks) == (0, 191_488)


def test_a_text_segment_names_the_whole_object() -> None:
    segment = INDEX.segment("t-en-1", 2)
    assert segment == Segment("titles/T/v7/text/" + "D" * 22 + ".vtt", "3" * 16, 0, 4321, 60_000, 1960)


@pytest.mark.parametrize("number", [-1, 0, 17, 2**64])
def test_there_is_no_segment_before_the_first_and_after_the_last(number: int) -> None:
    with pytest.raises(NoSuchSegment, match=rf"segments 1 to 16, and no {number}"):
        INDEX.segment("v1080", number)


def test_there_is_no_segment_of_another_track() -> None:
    with pytest.raises(NoSuchSegment, match="no track 'v720'"):
        INDEX.segment("v720", 1)


def test_a_title_lasts_as_long_as_its_longest_picture_or_sound() -> None:
    assert INDEX.track("v1080").duration_s == 61.96
    longer = audio_track(timeline=(Run(192_512, 16),))
    text = text_track(timeline=(Run(60_000, 2),))
    assert TitleIndex(title_id="T", version="v1", tracks=(video_track(), longer, text)).duration_s == longer.duration_s
    assert INDEX.track("a-en-1").segment_count == 16


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    sizes = draw(st.lists(st.lists(st.integers(1, 2**32), min_size=1, max_size=5), min_size=1, max_size=5))
    count = sum(map(len, sizes))
    durations = draw(st.lists(st.integers(1, 2**33), min_size=count, max_size=count))
    chunks = tuple(Chunk(f"d{number}", "e", tuple(chunk)) for number, chunk in enumerate(sizes))
    return video_track(timeline=runs(durations), chunks=chunks)


@given(tracks())
def test_segments_cover_their_objects_and_time_without_gap_or_overlap(track: Track) -> None:
    index = TitleIndex(title_id="T", version="v1", tracks=(track,))
    segments = [index.segment(track.id, number) for number in range(1, track.segment_count + 1)]
    time_ticks, key, offset = 0, "", 0
    for segment in segments:
        offset = offset if segment.object_key == key else 0
        assert (segment.start_ticks, segment.offset_bytes) == (time_ticks, offset)
        time_ticks += segment.duration_ticks
        key, offset = segment.object_key, offset + segment.size_bytes
    assert time_ticks == track.duration_ticks


@given(st.lists(tracks(), max_size=3))
def test_an_index_survives_a_round_trip(some: list[Track]) -> None:
    named = tuple(replace(track, id=f"t{number}") for number, track in enumerate(some))
    index = TitleIndex(title_id="T", version="v1", tracks=named)
    assert TitleIndex.from_json(index.to_json()) == index


def test_all_kinds_of_tracks_survive_a_round_trip() -> None:
    data = INDEX.to_json()
    assert TitleIndex.from_json(data) == INDEX
    assert TitleIndex.from_json(data).to_json() == data


def changed(**changes: object) -> bytes:
    return json.dumps(json.loads(INDEX.to_json()) | changes).encode()


def track_changed(**changes: object) -> bytes:
    document = json.loads(INDEX.to_json())
    document["tracks"][0] |= changes
    return json.dumps(document).encode()


def facts_changed(**changes: object) -> bytes:
    document = json.loads(INDEX.to_json())
    document["tracks"][0]["facts"] |= changes
    return json.dumps(document).encode()


def test_members_of_later_versions_are_ignored() -> None:
    assert TitleIndex.from_json(changed(loudness=-23)) == INDEX
    assert TitleIndex.from_json(track_changed(loudness=-23)) == INDEX
    assert TitleIndex.from_json(facts_changed(loudness=-23)) == INDEX


def test_a_later_format_is_not_read_whatever_else_it_holds() -> None:
    with pytest.raises(Unsupported, match="format 2; this program reads up to 1"):
        TitleIndex.from_json(b'{"format":2,"everything":"else"}')


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "title index"),
        (b"\xff", "title index"),
        (b"[]", "title index"),
        (changed(tracks=None), "title index"),
        (changed(title_id="../x"), "cannot stand in an object's key"),
        (changed(version=""), "cannot stand in an object's key"),
        (changed(timelines=[]), "no timeline 0"),
        (track_changed(timeline=-1), "no timeline -1"),
        (track_changed(timeline=1.5), "title index"),
        (track_changed(sizes="!"), "not base64"),
        (track_changed(sizes=""), "0 sizes"),
        (track_changed(chunks=[["d", "e", 17], ["d", "e", -1]]), "title index"),
        (track_changed(chunks=[["../d", "e", 16]]), "cannot stand in an object's key"),
        (facts_changed(id="../v"), "is not of a-z"),
        (facts_changed(id="a-en-1"), "the same id"),
        (facts_changed(language='en"\n'), "is no language tag"),
        (facts_changed(timescale=0), "must all be there and positive"),
        (facts_changed(timescale="1"), "title index"),
        (facts_changed(kind="smell"), "title index"),
        (facts_changed(codec=None), "title index"),
        (changed(timelines=[[[1, 15]], [[1, 16]], [[1, 2]]]), "16 sizes for 15 segments"),
        (changed(timelines=[[[0, 16]], [[1, 16]], [[1, 2]]]), "must all be there and positive"),
        (changed(timelines=[[], [[1, 16]], [[1, 2]]]), "must all be there and positive"),
    ],
)
def test_a_damaged_index_is_bad_media(data: bytes, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        TitleIndex.from_json(data)


RUNG_KBPS = (8000, 6000, 4500, 3000, 2000, 1500, 1000, 700, 400, 200)


def long_title() -> TitleIndex:
    """Two hours of ten rungs, four languages of sound and of text, in chunks of a minute, as encoders vary in size."""
    chance = random.Random(7)

    def chunks(mean_bytes: int, count: int) -> tuple[Chunk, ...]:
        sizes = [chance.randint(mean_bytes // 2, mean_bytes * 3 // 2) for _ in range(count)]
        names = iter(range(count))
        return tuple(
            Chunk(f"{next(names):022d}", chance.randbytes(8).hex(), tuple(sizes[first : first + 15]))
            for first in range(0, count, 15)
        )

    init = chance.randbytes(700)
    video = [
        video_track(
            100 + number, kbps * 1500, init=init, timeline=(Run(360_000, 1800),), chunks=chunks(kbps * 500, 1800)
        )
        for number, kbps in enumerate(RUNG_KBPS)
    ]
    audio = [
        audio_track(
            f"a-{language}-1",
            language,
            init=init,
            timeline=(Run(191_488, 1), Run(192_512, 1794), Run(44_032, 1)),
            chunks=chunks(64_000, 1796),
        )
        for language in ("en", "de", "fr", "es")
    ]
    text = [text_track(f"t-{track.language}-1", track.language, timeline=(Run(60_000, 120),)) for track in audio]
    return TitleIndex(title_id="T" * 22, version="v7", tracks=(*video, *audio, *text))


def test_the_index_of_a_long_title_is_small() -> None:
    size = len(long_title().to_json())
    assert 100_000 < size < 300_000


def test_manifests_of_a_long_title_take_less_than_two_milliseconds() -> None:
    index = TitleIndex.from_json(long_title().to_json())
    allowed = frozenset(track.id for track in index.tracks)
    makers: tuple[Callable[[], str], ...] = (
        lambda: multivariant_playlist(select_tracks(index, allowed, "clear")),
        lambda: media_playlist(select_tracks(index, allowed, "clear"), "v100"),
        lambda: media_playlist(select_tracks(index, allowed, "clear"), "a-de-1"),
        lambda: mpd(select_tracks(index, allowed, "clear")),
    )
    for make in makers:
        times = []
        for _ in range(20):  # the best of them: other tests share the machine
            started = time.perf_counter()
            make()
            times.append(time.perf_counter() - started)
        assert min(times) < 0.002


def test_an_index_without_tracks_has_no_duration() -> None:
    assert TitleIndex(title_id="T", version="v1", tracks=()).duration_s == 0.0


def test_text_has_one_object() -> None:
    with pytest.raises(MediaError, match="2 sizes for 1 segments"):
        text_track(chunks=(Chunk("d", "e", (1, 2)),))
    assert text_track().kind is Kind.TEXT
