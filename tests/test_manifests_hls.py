from itertools import groupby
from pathlib import Path

import m3u8
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import MediaError
from manifests.hls import media_playlist, multivariant_playlist
from manifests.index import Chunk, Rate, Run, TitleIndex, Track
from tests.conftest import Golden
from tests.manifests_helpers import (
    audio_track,
    decode,
    everything,
    film,
    lay_out,
    small_film,
    song,
    text_track,
    video_track,
)


def title(*tracks: Track) -> TitleIndex:
    return TitleIndex(title_id="T", version="v1", tracks=tracks)


@pytest.mark.parametrize("name", ["film", "song"])
def test_multivariant_playlists_are_the_golden_ones(golden: Golden, name: str) -> None:
    index = {"film": film, "song": song}[name]()
    golden.check(f"{name}.multivariant.m3u8", multivariant_playlist(everything(index)))


@pytest.mark.parametrize("track_id", ["v1080", "a-en-1", "t-en-1"])
def test_media_playlists_are_the_golden_ones(golden: Golden, track_id: str) -> None:
    golden.check(f"film.{track_id}.m3u8", media_playlist(everything(film()), track_id))


def test_another_reader_finds_what_was_meant() -> None:
    playlist = m3u8.loads(multivariant_playlist(everything(film())))
    assert playlist.is_variant
    assert [variant.uri for variant in playlist.playlists] == ["v1080.m3u8", "v720.m3u8", "v360.m3u8"]
    best = playlist.playlists[0].stream_info
    assert best.bandwidth == 6_000_000 + 140_000 + 400  # the largest sum that can play at once
    assert best.average_bandwidth == 4_000_000 + 128_000 + 200
    assert (best.resolution, best.frame_rate, best.codecs) == ((1920, 1080), 25.0, "avc1.640028,mp4a.40.2")
    assert {media.uri for media in playlist.media} == {
        f"{track}.m3u8" for track in ("a-en-1", "a-de-1", "a-en-2", "t-en-1", "t-en-2", "t-de-1")
    }


@pytest.mark.parametrize("index", [film(), song(), title(audio_track("a1"), audio_track("a2", "de"))])
def test_rendition_groups_keep_the_rules(index: TitleIndex) -> None:
    """RFC 8216, 4.3.4.1.1."""
    media = sorted(m3u8.loads(multivariant_playlist(everything(index))).media, key=lambda one: (one.type, one.group_id))
    for (kind, _), group in groupby(media, key=lambda one: (one.type, one.group_id)):
        members = list(group)
        assert len({one.name for one in members}) == len(members)
        assert sum(one.default == "YES" for one in members) == (kind == "AUDIO")
        assert all(one.autoselect == "YES" for one in members if one.default == "YES")
        chosen = [(one.language, one.forced, one.characteristics) for one in members if one.autoselect == "YES"]
        assert len(set(chosen)) == len(chosen)
        assert all((one.forced is not None) == (kind == "SUBTITLES") for one in members)


def test_two_sounds_that_a_player_cannot_tell_apart_are_not_both_chosen_by_it() -> None:
    text = multivariant_playlist(everything(title(video_track(), audio_track("a1"), audio_track("a2", channels=6))))
    assert 'NAME="English",DEFAULT=YES,AUTOSELECT=YES' in text
    assert 'NAME="English 2",DEFAULT=NO,AUTOSELECT=NO' in text


def test_a_song_in_one_language_needs_no_renditions() -> None:
    playlist = m3u8.loads(multivariant_playlist(everything(song())))
    assert not playlist.media
    assert [(one.uri, one.stream_info.bandwidth, one.stream_info.codecs) for one in playlist.playlists] == [
        ("a-und-1.m3u8", 270_000, "mp4a.40.2"),
        ("a-und-2.m3u8", 101_000, "mp4a.40.2"),
    ]


def test_sound_alone_in_several_languages_has_the_first_as_its_variant() -> None:
    playlist = m3u8.loads(multivariant_playlist(everything(title(audio_track("a1"), audio_track("a2", "de")))))
    (variant,) = playlist.playlists
    assert (variant.uri, variant.stream_info.audio) == ("a1.m3u8", "audio-1")
    assert [one.uri for one in playlist.media] == ["a1.m3u8", "a2.m3u8"]


def test_sound_at_two_rates_makes_two_groups_with_the_same_members() -> None:
    tracks = (
        video_track(1080),
        video_track(360),
        audio_track("e256", peak_bps=256_000),
        audio_track("e96", peak_bps=96_000),
        audio_track("d96", "de", peak_bps=96_000),
    )
    playlist = m3u8.loads(multivariant_playlist(everything(title(*tracks))))
    assert [(one.uri, one.stream_info.audio) for one in playlist.playlists] == [
        ("v1080.m3u8", "audio-1"),
        ("v360.m3u8", "audio-1"),
        ("v1080.m3u8", "audio-2"),
        ("v360.m3u8", "audio-2"),
    ]
    assert [(one.group_id, one.name, one.uri) for one in playlist.media] == [
        ("audio-1", "English", "e256.m3u8"),
        ("audio-1", "Deutsch", "d96.m3u8"),
        ("audio-2", "English", "e96.m3u8"),
        ("audio-2", "Deutsch", "d96.m3u8"),
    ]


def test_pictures_without_sound_name_no_group() -> None:
    text = multivariant_playlist(everything(title(video_track(frame_rate=Rate(24_000, 1001)))))
    assert "AUDIO=" not in text
    assert "FRAME-RATE=23.976" in text


@pytest.mark.parametrize(
    "name", ['Director\'s "cut"', "two\nlines", "carriage\rreturn", "nul\0", "line\u2028end", 'a",URI="x']
)
def test_no_name_can_break_out_of_its_attribute(name: str) -> None:
    text = multivariant_playlist(everything(title(video_track(), audio_track(name=name), text_track(name=name))))
    for line in text.splitlines():
        assert line.startswith(("#EXT", "v1080.m3u8"))
        assert line.count('"') % 2 == 0
    assert [one.uri for one in m3u8.loads(text).media] == ["a-en-1.m3u8", "t-en-1.m3u8"]


@given(st.text())
def test_any_name_leaves_the_number_of_lines_as_it_is(name: str) -> None:
    text = multivariant_playlist(everything(title(video_track(), audio_track(name=name))))
    assert len(text.splitlines()) == 6


@given(st.lists(st.integers(1, 20 * 90_000), min_size=1, max_size=30), st.sampled_from([90_000, 24_000, 48_000]))
def test_no_segment_is_longer_than_the_target_once_rounded(durations: list[int], timescale: int) -> None:
    """RFC 8216, 4.3.3.1. And the sum of the durations is that of the track to a microsecond."""
    timeline = tuple(Run(duration, 1) for duration in durations)
    sizes = Chunk("d", "e", (1,) * len(durations))
    track = video_track(timescale=timescale, timeline=timeline, chunks=(sizes,))
    playlist = m3u8.loads(media_playlist(everything(title(track)), "v1080"))
    target, found = playlist.target_duration or 0, [segment.duration or 0 for segment in playlist.segments]
    assert target >= 1
    assert all(int(duration + 0.5) <= target for duration in found)
    assert sum(found) == pytest.approx(sum(durations) / timescale, abs=1e-6)


def test_segments_are_numbered_from_one_under_the_scheme() -> None:
    playlist = m3u8.loads(media_playlist(everything(film(), "cbcs"), "v720"))
    assert playlist.segment_map[0].uri == "../cbcs/v720/init.mp4"
    assert [segment.uri for segment in playlist.segments] == [f"../cbcs/v720/{number}.m4s" for number in range(1, 17)]
    assert (playlist.playlist_type, playlist.is_endlist, playlist.media_sequence) == ("vod", True, 1)


def test_text_is_cut_into_vtt_segments_without_an_init_segment() -> None:
    playlist = m3u8.loads(media_playlist(everything(film()), "t-en-1"))
    assert not playlist.segment_map
    assert [(segment.uri, segment.duration) for segment in playlist.segments] == [
        ("../clear/t-en-1/1.vtt", 60.0),
        ("../clear/t-en-1/2.vtt", 1.96),
    ]


def test_a_track_that_is_not_offered_has_no_playlist() -> None:
    with pytest.raises(MediaError, match="no track"):
        media_playlist(everything(song()), "v1080")


def test_ffmpeg_plays_it_in_step_from_the_first_picture_to_the_last(tmp_path: Path) -> None:
    index, objects = small_film()
    lay_out(tmp_path, everything(index), objects)
    pictures, sound = decode(tmp_path / "hls/multivariant.m3u8")
    assert pictures == list(range(50))
    assert sound == [1024 * number for number in range(94)]
