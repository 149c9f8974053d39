from typing import Any

import pytest

from transcoder.errors import Reason, Refused
from transcoder.packets import StreamCount
from transcoder.streams import audio_stream, choose, subtitle_stream, tags_of, video_stream

COUNT = StreamCount(is_video=True, packet_count=1, shown_count=1, start_s=0.0, end_s=4.0)


def stream(kind: str, codec: str, index: int = 0, **facts: Any) -> dict[str, Any]:
    disposition = {name: 1 for name in facts.pop("disposition", ())}
    return {"index": index, "codec_type": kind, "codec_name": codec, "disposition": disposition, **facts}


def sound(**facts: Any) -> dict[str, Any]:
    return stream("audio", "aac", **{"sample_rate": "48000", "channels": 2, "start_time": "0.0", **facts})


def reason(*streams: dict[str, Any]) -> Reason:
    with pytest.raises(Refused) as refused:
        choose(streams)
    return refused.value.reason


def test_pictures_sound_text_and_cover_are_told_apart() -> None:
    film = [
        stream("video", "h264"),
        sound(index=1),
        stream("audio", "pcm_s24be", 2),
        stream("subtitle", "subrip", 3),
        stream("video", "mjpeg", 4, disposition=["attached_pic"]),
    ]
    chosen = choose(film)
    assert chosen.video is film[0]
    assert [one["index"] for one in chosen.audio] == [1, 2]
    assert [one["index"] for one in chosen.subtitles] == [3]
    assert chosen.cover is film[4]
    assert chosen.notes == ()


def test_what_is_left_out_is_noted() -> None:
    chosen = choose(
        [
            stream("video", "h264"),
            stream("data", "bin_data", 1),
            stream("subtitle", "hdmv_pgs_subtitle", 2),
            sound(index=3),
            stream("audio", "cook", 4),
            stream("attachment", "ttf", 5),
            {"index": 6},
        ]
    )
    assert chosen.notes == (
        "Stream 1 is left out: data coded as bin_data.",
        "Stream 2 is left out: subtitles coded as hdmv_pgs_subtitle.",
        "Stream 4 is left out: sound coded as cook.",
        "Stream 5 is left out: attachment coded as ttf.",
        "Stream 6 is left out: unknown data coded as unknown.",
    )


def test_of_several_pictures_the_default_ones_are_taken() -> None:
    first, second = stream("video", "h264"), stream("video", "h264", 1, disposition=["default"])
    assert choose([first, second]).video is second
    assert choose([first, dict(first)]).video is first


def test_a_film_whose_only_sound_is_unknown_is_refused_rather_than_made_silent() -> None:
    assert reason(stream("video", "h264"), stream("audio", "cook", 1)) == Reason.UNSUPPORTED_CODEC


def test_the_unsupported_codec_is_named() -> None:
    with pytest.raises(Refused, match="coded as rv40"):
        choose([stream("video", "rv40"), sound(index=1)])


def test_text_or_a_cover_alone_is_nothing_to_play() -> None:
    assert reason(stream("subtitle", "subrip")) == Reason.NOTHING_PLAYABLE
    assert reason(stream("video", "mjpeg", disposition=["attached_pic"])) == Reason.NOTHING_PLAYABLE
    assert reason(stream("data", "bin_data")) == Reason.NOTHING_PLAYABLE


@pytest.mark.parametrize(
    ("facts", "role"),
    [
        ({}, "main"),
        ({"disposition": ["comment"]}, "commentary"),
        ({"tags": {"title": "Director's Commentary"}}, "commentary"),
        ({"disposition": ["visual_impaired"]}, "description"),
        ({"disposition": ["descriptions"]}, "description"),
        ({"tags": {"TITLE": "English (Audio Description)"}}, "description"),
    ],
)
def test_the_role_of_sound_is_known_by_flag_or_name(facts: dict[str, Any], role: str) -> None:
    assert audio_stream(sound(**facts), COUNT).role == role


@pytest.mark.parametrize(
    ("facts", "role"),
    [
        ({}, "subtitle"),
        ({"disposition": ["forced"]}, "forced"),
        ({"tags": {"title": "Forced"}}, "forced"),
        ({"disposition": ["hearing_impaired"]}, "caption"),
        ({"tags": {"title": "English SDH"}}, "caption"),
        ({"tags": {"title": "Commentary"}}, "commentary"),
    ],
)
def test_the_role_of_subtitles_is_known_by_flag_or_name(facts: dict[str, Any], role: str) -> None:
    assert subtitle_stream(stream("subtitle", "subrip", **facts)).role == role


def test_languages_are_bcp_47() -> None:
    assert audio_stream(sound(tags={"language": "ger"}), COUNT).language == "de"
    assert audio_stream(sound(), COUNT).language == "und"


def test_sound_begins_where_it_is_heard_and_not_where_its_packets_do() -> None:
    heard = audio_stream(sound(start_time="0.025"), COUNT)
    assert (heard.start_s, heard.duration_s) == (0.025, 3.975)


@pytest.mark.parametrize("rate", ["1", "100000000", "0", "N/A"])
def test_an_absurd_rate_of_samples_is_refused(rate: str) -> None:
    with pytest.raises(Refused) as refused:
        audio_stream(sound(sample_rate=rate), COUNT)
    assert refused.value.reason == Reason.ABSURD_RATE


@pytest.mark.parametrize(
    ("facts", "rotation"),
    [
        ({}, 0),
        ({"side_data_list": [{"side_data_type": "Display Matrix", "rotation": -90}]}, 90),
        ({"side_data_list": [{"side_data_type": "Display Matrix", "rotation": 90}]}, 270),
        ({"side_data_list": [{"side_data_type": "Display Matrix", "rotation": -180}]}, 180),
        ({"side_data_list": [{"side_data_type": "Display Matrix", "rotation": 89.6}]}, 270),
        ({"tags": {"rotate": "90"}}, 90),
        ({"tags": {"rotate": "sideways"}}, 0),
    ],
)
def test_rotation_is_clockwise(facts: dict[str, Any], rotation: int) -> None:
    assert video_stream(stream("video", "h264", **facts), COUNT, []).rotation == rotation


@pytest.mark.parametrize(
    ("stated", "aspect"),
    [("1:1", (1, 1)), ("0:1", (1, 1)), ("64:45", (64, 45)), ("N/A", (1, 1)), ("1000:1", (1, 1)), ("1:0", (1, 1))],
)
def test_pixels_of_absurd_shape_count_as_square(stated: str, aspect: tuple[int, int]) -> None:
    assert video_stream(stream("video", "h264", sample_aspect_ratio=stated), COUNT, []).pixel_aspect == aspect


@pytest.mark.parametrize(
    ("pixel_format", "depth"),
    [("yuv420p", 8), ("yuv420p10le", 10), ("yuv422p12le", 12), ("gray", 8), ("gray16be", 16), ("rgb24", 8), ("", 8)],
)
def test_the_bit_depth_is_read_from_the_pixel_format(pixel_format: str, depth: int) -> None:
    assert video_stream(stream("video", "h264", pix_fmt=pixel_format), COUNT, []).bit_depth == depth


def test_decoded_pictures_know_better_than_the_container() -> None:
    stated = stream("video", "hevc", color_transfer="bt709", field_order="progressive", pix_fmt="yuv420p")
    frame = {"color_transfer": "smpte2084", "pix_fmt": "yuv420p10le", "interlaced_frame": 1, "top_field_first": 1}
    video = video_stream(stated, COUNT, [frame])
    assert (video.is_hdr, video.bit_depth, video.is_interlaced, video.field_order) == (True, 10, True, "tt")


def test_without_decoded_pictures_the_container_is_believed() -> None:
    video = video_stream(stream("video", "mpeg2video", field_order="bb"), COUNT, [])
    assert (video.is_interlaced, video.field_order) == (True, "bb")


def test_tags_are_found_by_any_of_their_names() -> None:
    container = {"format_name": "mp3", "tags": {"TITLE": "Song\n1 ", "TRACKNUMBER": "3/12", "Year": "2012", "x": "y"}}
    tags = tags_of(container, [sound()])
    assert (tags.title, tags.track, tags.date, tags.artist) == ("Song 1", "3/12", "2012", "")


def test_ogg_keeps_its_tags_in_the_stream() -> None:
    assert tags_of({"format_name": "ogg"}, [sound(tags={"TITLE": "Song", "ARTIST": "A"})]).title == "Song"


def test_the_name_of_a_sound_track_is_not_the_title_of_a_film() -> None:
    assert tags_of({"format_name": "matroska,webm"}, [sound(tags={"title": "Stereo"})]).title == ""


def test_a_tag_beyond_measure_is_cut() -> None:
    assert len(tags_of({"tags": {"title": "x" * 10_000}}, []).title) == 500
