from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import MediaError
from manifests.webvtt import (
    Cue,
    WebVtt,
    parse_webvtt,
    segment_cues,
    segment_document,
    segment_durations_ms,
    write_webvtt,
)

SHARED = Path(__file__).parents[2] / "shared" / "media" / "vtt"


def cues(text: str) -> tuple[Cue, ...]:
    return parse_webvtt(text.encode()).cues


def test_cues_are_read_with_identifier_settings_and_tags() -> None:
    text = "WEBVTT - a title\n\nintro\n00:01.000 --> 01:00:02.500 line:0 align:start\n<v Ann>Hi</v>\n<i>you</i>\n"
    assert cues(text) == (Cue(1000, 3_602_500, "<v Ann>Hi</v>\n<i>you</i>", "intro", "line:0 align:start"),)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_of_all_systems_are_read(newline: str, mark: str) -> None:
    text = newline.join(
        [mark + "WEBVTT", "", "00:01.000 --> 00:02.000", "one", "two", "", "00:03.000 --> 00:04.000", "x"]
    )
    assert cues(text) == (Cue(1000, 2000, "one\ntwo"), Cue(3000, 4000, "x"))


@pytest.mark.parametrize("text", ["", "WEBVTTX\n", "webvtt\n", "1\n00:01.000 --> 00:02.000\nx\n", "\nWEBVTT\n"])
def test_what_does_not_begin_with_webvtt_is_refused(text: str) -> None:
    with pytest.raises(MediaError, match="does not begin with WEBVTT"):
        parse_webvtt(text.encode())


def test_text_in_another_encoding_is_refused() -> None:
    with pytest.raises(MediaError, match="not UTF-8 at byte 8"):
        parse_webvtt(b"WEBVTT\n\n\xff\xfe")


@pytest.mark.parametrize(
    "block",
    [
        "00:01.000 --> 00:01.000\nno duration",
        "00:02.000 --> 00:01.000\nbackwards",
        "00:01,000 --> 00:02,000\nSubRip's comma",
        "00:61.000 --> 00:62.000\nno such second",
        "1:00:01.000 --> 1:00:02.000\nan hour of one digit",
        "00:01.000 -> 00:02.000\nno arrow",
        "one\ntwo\n00:01.000 --> 00:02.000\ntwo identifiers",
        "00:01.000 --> 00:02.000",
        "NOTE a comment",
        "NOTE\nseveral\nlines",
    ],
)
def test_a_bad_block_is_passed_over_and_the_next_one_read(block: str) -> None:
    assert cues(f"WEBVTT\n\n{block}\n\n00:03.000 --> 00:04.000\nx\n") == (Cue(3000, 4000, "x"),)


def test_a_cue_begins_at_a_line_of_times_even_without_an_empty_line() -> None:
    expected = (Cue(1000, 2000, "one"), Cue(3000, 4000, "two"))
    assert cues("WEBVTT\n00:01.000 --> 00:02.000\none\n00:03.000 --> 00:04.000\ntwo") == expected
    assert cues("WEBVTT\nKind: captions\n00:01.000 --> 00:02.000\none\n00:03.000 --> 00:04.000\ntwo") == expected


def test_metadata_and_a_foreign_timestamp_map_are_dropped() -> None:
    text = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\nLanguage: en\n\n00:01.000 --> 00:02.000\nx\n"
    assert write_webvtt(parse_webvtt(text.encode())) == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nx\n"


def test_styles_and_regions_before_the_first_cue_are_kept() -> None:
    style, region = "STYLE\n::cue { color: lime }", "REGION\nid:fred width:40%"
    text = f"WEBVTT\n\n{style}\n\n{region}\n\n00:01.000 --> 00:02.000 region:fred\nx\n\nSTYLE\n::cue {{ color: red }}\n"
    document = parse_webvtt(text.encode())
    assert document.head == (style, region)
    assert write_webvtt(document).startswith(f"WEBVTT\n\n{style}\n\n{region}\n\n00:00:01.000")


def test_cues_are_put_in_order() -> None:
    text = "WEBVTT\n\n00:03.000 --> 00:04.000\nb\n\n00:01.000 --> 00:02.000\na\n"
    assert [cue.text for cue in cues(text)] == ["a", "b"]


def test_nothing_that_a_cue_holds_can_break_the_file() -> None:
    cue = Cue(
        0,
        1000,
        "one\n\n00:05.000 --> 00:06.000\r\n\rfalse\0",
        identifier="id\n00:07.000 --> 00:08.000",
        settings="line:0\n\nfalse",
    )
    (read,) = parse_webvtt(write_webvtt(WebVtt((cue,), ("STYLE\n\n00:01.000 --> 00:02.000\nfalse",))).encode()).cues
    assert read == Cue(0, 1000, "one\n00:05.000 --&gt; 00:06.000\nfalse", "id 00:07.000 00:08.000", "line:0 false")


@pytest.mark.parametrize("identifier", ["NOTE", "STYLE", "REGION 1"])
def test_an_identifier_that_players_take_for_another_block_is_left_out(identifier: str) -> None:
    assert write_webvtt(WebVtt((Cue(0, 1000, "x", identifier),))) == "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nx\n"


lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0")).filter(
    lambda line: line.strip() and "-->" not in line
)
some_cues = st.lists(
    st.builds(
        lambda start, length, text: Cue(start, start + length, "\n".join(text)),
        st.integers(0, 10**8),
        st.integers(1, 10**6),
        st.lists(lines, min_size=1, max_size=3),
    ),
    max_size=10,
)


@given(some_cues)
def test_cues_survive_a_round_trip(some: list[Cue]) -> None:
    written = write_webvtt(WebVtt(tuple(some)))
    assert parse_webvtt(written.encode()).cues == tuple(sorted(some, key=lambda cue: cue.start_ms))


@given(st.builds(Cue, st.integers(0, 10**8), st.integers(0, 10**8), st.text(), st.text(), st.text()))
def test_any_cue_is_written_as_one_cue_or_none(cue: Cue) -> None:
    text = write_webvtt(WebVtt((cue,))).encode("utf-8", "replace")
    assert len(parse_webvtt(text).cues) <= 1


@given(st.binary(max_size=200))
def test_any_bytes_are_webvtt_or_bad_media(data: bytes) -> None:
    for text in (data, b"WEBVTT\n\n" + data):
        try:
            parse_webvtt(text)
        except MediaError:
            pass


SPANNING = (Cue(0, 59_999, "a"), Cue(1000, 60_000, "b"), Cue(59_999, 120_001, "c"), Cue(60_000, 60_001, "d"))


@pytest.mark.parametrize(("start_ms", "texts"), [(0, "abc"), (60_000, "cd"), (120_000, "c"), (180_000, "")])
def test_a_cue_is_in_every_segment_it_is_shown_in(start_ms: int, texts: str) -> None:
    assert "".join(cue.text for cue in segment_cues(SPANNING, start_ms, start_ms + 60_000)) == texts


@given(some_cues, st.integers(1, 10**8))
def test_no_cue_is_lost_between_segments(some: list[Cue], grid_ms: int) -> None:
    end_ms = max((cue.end_ms for cue in some), default=0)
    starts = range(0, end_ms, max(grid_ms, end_ms // 20 + 1))
    found = {cue for start in starts for cue in segment_cues(some, start, start + starts.step)}
    assert found == set(some)


def test_a_segment_maps_its_times_to_media_time() -> None:
    document = WebVtt((Cue(59_000, 61_000, "x", settings="line:0"),), ("STYLE\n::cue { color: lime }",))
    assert segment_document(document, 60_000, 120_000) == (
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\nSTYLE\n::cue { color: lime }\n\n"
        "00:00:59.000 --> 00:01:01.000 line:0\nx\n"
    )
    assert segment_document(WebVtt(()), 0, 60_000) == "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"


@pytest.mark.parametrize(
    ("duration_ms", "expected"), [(0, ()), (1, (1,)), (60_000, (60_000,)), (120_001, (60_000, 60_000, 1))]
)
def test_the_grid_ends_with_the_title(duration_ms: int, expected: tuple[int, ...]) -> None:
    assert segment_durations_ms(duration_ms) == expected


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/media")
@pytest.mark.parametrize("file", sorted(SHARED.glob("*.vtt")), ids=lambda file: file.name)
def test_real_subtitles_keep_all_their_cues(file: Path) -> None:
    document = parse_webvtt(file.read_bytes())
    assert len(document.cues) == file.read_text("utf-8-sig").count(" --> ")
    assert parse_webvtt(write_webvtt(document).encode()) == document
