from fractions import Fraction
from hashlib import sha256

import pytest

from manifests.dash import mpd
from manifests.errors import MediaError
from manifests.fragments import Sample
from manifests.hls import media_playlist, multivariant_playlist
from manifests.index import Chunk, Kind, Run, TitleIndex, Track
from manifests.init_segments import InitHeader, init_segment
from manifests.isobmff import push_box
from manifests.presentation import PACKAGING_REVISION, Presentation, select_tracks
from manifests.segments import media_segment
from manifests.webvtt import Cue, WebVtt, segment_document
from tests.conftest import Golden
from tests.manifests_helpers import audio_track, everything, film, text_track, video_track


def presented(*tracks: Track) -> Presentation:
    index = TitleIndex(title_id="T", version="v1", tracks=tracks)
    return select_tracks(index, [track.id for track in tracks], "clear")


def listed(presentation: Presentation, kind: Kind) -> list[tuple[str, list[str]]]:
    return [(one.name, [track.id for track in one.tracks]) for one in presentation.sets_of(kind)]


def test_only_allowed_tracks_are_shown_and_unknown_ids_are_no_matter() -> None:
    index = TitleIndex(title_id="T", version="v1", tracks=(video_track(1080), video_track(720), audio_track()))
    shown = select_tracks(index, {"v720", "a-en-1", "v2160"}, "clear")
    assert [track.id for one in shown.sets for track in one.tracks] == ["v720", "a-en-1"]
    assert shown.track("v720").height == 720
    with pytest.raises(MediaError, match="no track 'v1080'"):
        shown.track("v1080")


@pytest.mark.parametrize("allowed", [[], ["t-en-1"], ["v2160"]])
def test_a_presentation_needs_picture_or_sound(allowed: list[str]) -> None:
    index = TitleIndex(title_id="T", version="v1", tracks=(video_track(), text_track()))
    with pytest.raises(MediaError, match="picture or sound"):
        select_tracks(index, allowed, "clear")


def test_rungs_stand_in_one_set_the_highest_first_in_whatever_order_they_come() -> None:
    shown = presented(video_track(360), video_track(2160, codec="avc1.640033"), video_track(1080))
    assert listed(shown, Kind.VIDEO) == [("Video", ["v2160", "v1080", "v360"])]


def test_pictures_in_another_codec_are_another_set() -> None:
    shown = presented(video_track(1080), video_track(720, codec="av01.0.05M.08"), video_track(360))
    assert [[track.id for track in one.tracks] for one in shown.sets] == [["v1080", "v360"], ["v720"]]


def test_sets_come_as_video_audio_text() -> None:
    shown = presented(text_track(), audio_track(), video_track())
    assert [one.kind for one in shown.sets] == [Kind.VIDEO, Kind.AUDIO, Kind.TEXT]


def test_main_sound_comes_first_and_languages_keep_their_order() -> None:
    shown = presented(
        audio_track("a1", "en", role="commentary"),
        audio_track("a2", "en", role="description"),
        audio_track("a3", "de"),
        audio_track("a4", "en"),
    )
    assert listed(shown, Kind.AUDIO) == [
        ("Deutsch", ["a3"]),
        ("English", ["a4"]),
        ("English (audio description)", ["a2"]),
        ("English (commentary)", ["a1"]),
    ]


def test_sound_at_several_rates_is_one_set() -> None:
    shown = presented(audio_track("a96", peak_bps=96_000), audio_track("a256", peak_bps=256_000))
    assert listed(shown, Kind.AUDIO) == [("English", ["a256", "a96"])]


def test_sound_with_other_channels_is_another_set_with_a_name_of_its_own() -> None:
    shown = presented(audio_track("a1"), audio_track("a2", channels=6), audio_track("a3", name="English"))
    assert listed(shown, Kind.AUDIO) == [("English", ["a1"]), ("English 2", ["a2"]), ("English 3", ["a3"])]


def test_each_text_is_a_set_of_its_own() -> None:
    shown = presented(
        audio_track(),
        text_track("t1"),
        text_track("t2"),
        text_track("t3", role="caption"),
        text_track("t4", role="forced-subtitle"),
        text_track("t5", "und", name="Lyrics"),
    )
    assert [name for name, _ in listed(shown, Kind.TEXT)] == [
        "English",
        "English 2",
        "Lyrics",
        "English (captions)",
        "English (forced)",
    ]


@pytest.mark.parametrize(
    ("track", "name"),
    [
        (audio_track(language="und"), "Audio"),
        (audio_track(language="und", role="commentary"), "Commentary"),
        (audio_track(language="und", name="5.1"), "5.1"),
        (audio_track(language="tlh"), "tlh"),
    ],
)
def test_every_set_has_a_name(track: Track, name: str) -> None:
    assert presented(track).sets[0].name == name


def test_the_duration_is_exact_and_that_of_the_longest_picture_or_sound() -> None:
    shown = presented(
        video_track(timescale=24_000, timeline=(Run(1001, 1),), chunks=(Chunk("d", "e", (1,)),)),
        text_track(timeline=(Run(60_000, 2),)),
    )
    assert shown.duration_s == Fraction(1001, 24_000)


def test_bytes_that_caches_keep_change_only_with_the_packaging_revision(golden: Golden) -> None:
    """If this fails, raise PACKAGING_REVISION: addresses that name the old one stand for the old bytes."""
    entry = bytearray()
    with push_box(entry, b"avc1"):
        entry += bytes(78)
    header = InitHeader(
        kind=Kind.VIDEO, timescale=90_000, sample_entry=bytes(entry), language="en", edit_media_time_ticks=7200
    )
    samples = [Sample(3600, 3, 7200, True), Sample(3600, 4, 10_800, False)]
    outputs = {
        "init": init_segment(header),
        "segment": media_segment(7, 2**32, samples, b"abcdefg"),
        "text": segment_document(WebVtt((Cue(0, 1000, "x"),)), 0, 60_000).encode(),
        "multivariant": multivariant_playlist(everything(film())).encode(),
        "media": media_playlist(everything(film()), "a-en-1").encode(),
        "mpd": mpd(everything(film())).encode(),
    }
    text = "".join(f"{name} {sha256(data).hexdigest()}\n" for name, data in outputs.items())
    golden.check(f"packaging-p{PACKAGING_REVISION}.txt", text)
