"""Subtitle files in all their dialects, to WebVTT."""

from pathlib import Path

import pytest

from transcoder.errors import Refused
from transcoder.subtitles import sidecar_cues, stream_cues

SRT = "1\n00:00:01,000 --> 00:00:02,500\nZoë & <i>Max</i>\n\n2\n00:00:03,000 --> 00:00:04,000\nzwei\nZeilen\n"
ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour
Style: Default,Arial,20,&H00FFFFFF

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\i1}Hello{\\i0} there
"""


def cues(folder: Path, data: bytes) -> list[tuple[int, int, str]]:
    file = folder / "side"
    file.write_bytes(data)
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in sidecar_cues(file).cues]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_subrip_is_read_in_the_encodings_that_people_have(encoding: str, tmp_path: Path) -> None:
    found = cues(tmp_path, SRT.encode(encoding))
    assert [(start, end) for start, end, _ in found] == [(1000, 2500), (3000, 4000)]
    assert "Zoë" in found[0][2] and "<i>Max</i>" in found[0][2]
    assert found[1][2] == "zwei\nZeilen"


def test_substation_alpha_keeps_its_words(tmp_path: Path) -> None:
    ((start, end, text),) = cues(tmp_path, ASS.encode())
    assert (start, end) == (1000, 2500)
    assert text.replace("<i>", "").replace("</i>", "") == "Hello there"


def test_webvtt_is_taken_as_it_stands(tmp_path: Path) -> None:
    assert cues(tmp_path, b"WEBVTT\n\n00:01.000 --> 00:02.000 line:0\nhi\n") == [(1000, 2000, "hi")]


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02" * 100, b"just words, no times at all"])
def test_what_is_no_subtitles_is_refused_in_words(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="subtitle file"):
        cues(tmp_path, data)


def test_times_of_a_stream_are_brought_onto_the_title_and_what_is_before_it_is_cut(tmp_path: Path) -> None:
    (tmp_path / "text.vtt").write_text(
        "WEBVTT\n\n00:00.200 --> 00:00.900\nbefore\n\n00:00.500 --> 00:02.000\nover\n\n00:03.000 --> 00:04.000\nafter\n"
    )
    found = [(cue.start_ms, cue.end_ms, cue.text) for cue in stream_cues(tmp_path, 1.0).cues]
    assert found == [(0, 1000, "over"), (2000, 3000, "after")]
