from pathlib import Path

import mpegdash.parser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from manifests.dash import mpd
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

SCHEMA = Path(__file__).parents[2] / "shared/vectors/dash_schema/DASH-MPD.xsd"
NAMESPACE = {"d": "urn:mpeg:dash:schema:mpd:2011"}
XLINK = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/1999/xlink">
<xs:attribute name="type" type="xs:string"/><xs:attribute name="href" type="xs:anyURI"/>
<xs:attribute name="show" type="xs:string"/><xs:attribute name="actuate" type="xs:string"/></xs:schema>"""


def title(*tracks: Track) -> TitleIndex:
    return TitleIndex(title_id="T", version="v1", tracks=tracks)


def elements(text: str, path: str) -> list[etree._Element]:
    return etree.fromstring(text.encode()).findall(path, NAMESPACE)


@pytest.mark.parametrize("name", ["film", "song"])
def test_mpds_are_the_golden_ones(golden: Golden, name: str) -> None:
    index = {"film": film, "song": song}[name]()
    golden.check(f"{name}.mpd", mpd(everything(index)))


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> etree.XMLSchema:
    """The schema imports xlink by its address on the web; all it needs of it are four attributes."""
    if not SCHEMA.is_file():
        pytest.skip("needs ../shared/vectors/dash_schema")
    folder = tmp_path_factory.mktemp("schema")
    (folder / "xlink.xsd").write_text(XLINK)
    document = etree.parse(SCHEMA)
    (xlink,) = document.findall("{http://www.w3.org/2001/XMLSchema}import")
    xlink.set("schemaLocation", str(folder / "xlink.xsd"))
    return etree.XMLSchema(document)


HARD = title(
    video_track(1080, frame_rate=Rate(24_000, 1001)),
    video_track(720, timescale=24_000, timeline=(Run(96_096, 16),)),
    video_track(480, codec="av01.0.04M.08", frame_rate=None),
    audio_track("a1", "pt-BR", name="<&>\"'\0\x1b\ufffe", role="commentary"),
    audio_track("a2", "und", channels=6),
    audio_track("a3", "und", channels=8),
    audio_track("a4", "und", channels=23),
    text_track("t1", "zh-Hant", role="caption"),
    text_track("t2", "und", role="forced-subtitle"),
)


@pytest.mark.parametrize("index", [film(), song(), HARD, title(video_track())], ids=["film", "song", "hard", "bare"])
def test_mpds_are_valid_by_the_schema(schema: etree.XMLSchema, index: TitleIndex) -> None:
    schema.assertValid(etree.fromstring(mpd(everything(index)).encode()))


def test_another_reader_finds_what_was_meant() -> None:
    (period,) = mpegdash.parser.MPEGDASHParser.parse(mpd(everything(film()))).periods
    assert [(one.content_type, one.lang, len(one.representations)) for one in period.adaptation_sets] == [
        ("video", None, 3),
        ("audio", "en", 1),
        ("audio", "de", 1),
        ("audio", "en", 1),
        ("text", "en", 1),
        ("text", "en", 1),
        ("text", "de", 1),
    ]


def test_rungs_that_keep_the_same_time_share_one_template() -> None:
    text = mpd(everything(film()))
    assert len(elements(text, ".//d:AdaptationSet[@contentType='video']/d:SegmentTemplate")) == 1
    assert elements(text, ".//d:Representation/d:SegmentTemplate") == []


def test_rungs_that_keep_other_time_have_their_own() -> None:
    index = title(video_track(1080), video_track(720, timescale=24_000, timeline=(Run(96_096, 16),)))
    text = mpd(everything(index))
    templates = elements(text, ".//d:Representation/d:SegmentTemplate")
    assert [template.get("timescale") for template in templates] == ["90000", "24000"]
    assert elements(text, ".//d:AdaptationSet/d:SegmentTemplate") == []


def timeline(text: str, set_number: int) -> list[tuple[str | None, str | None, str | None]]:
    runs = elements(text, f".//d:AdaptationSet[@id='{set_number}']//d:S")
    return [(run.get("t"), run.get("d"), run.get("r")) for run in runs]


def test_sound_is_on_the_timeline_as_it_is_heard() -> None:
    """The priming that the edit list cuts is not there: the first segment is shorter by it and begins at 0."""
    assert timeline(mpd(everything(film())), 2) == [
        ("0", "191488", None),
        (None, "192512", "13"),
        (None, "87424", None),
    ]


def test_the_end_is_never_stated_too_early() -> None:
    index = title(video_track(timescale=30_000, timeline=(Run(1001, 1),), chunks=(Chunk("d", "e", (1,)),)))
    (root,) = elements(mpd(everything(index)), ".")
    assert root.get("mediaPresentationDuration") == "PT0.033367S"


def test_paths_stand_under_the_scheme_and_text_too() -> None:
    text = mpd(everything(film(), "cenc"))
    (template, *_) = elements(text, ".//d:SegmentTemplate")
    assert template.get("media") == "../cenc/$RepresentationID$/$Number$.m4s"
    assert template.get("initialization") == "../cenc/$RepresentationID$/init.mp4"
    assert [url.text for url in elements(text, ".//d:BaseURL")] == [
        f"../cenc/{track}/all.vtt" for track in ("t-en-1", "t-en-2", "t-de-1")
    ]


def test_roles_and_purposes_are_signalled() -> None:
    text = mpd(everything(film()))
    roles = [role.get("value") for role in elements(text, ".//d:AdaptationSet/d:Role")]
    assert roles == ["main", "main", "main", "description", "subtitle", "caption", "forced-subtitle"]
    assert [one.get("value") for one in elements(text, ".//d:Accessibility")] == ["1", "2"]


@given(st.text(), st.text())
def test_any_name_and_role_leave_the_document_well_formed(name: str, role: str) -> None:
    text = mpd(everything(title(audio_track(name=name, role=role))))
    (label,) = elements(text, ".//d:Label")
    printable = "".join(c if c.isprintable() else " " for c in name)
    assert (label.text or "") == (printable or label.text)


def test_ffmpeg_plays_it_in_step_from_the_first_picture_to_the_last(tmp_path: Path) -> None:
    index, objects = small_film()
    lay_out(tmp_path, everything(index), objects)
    # For files, not over HTTP, FFmpeg has a list of extensions that lacks WebVTT.
    pictures, sound = decode(tmp_path / "dash/manifest.mpd", "-allowed_extensions", "ALL")
    assert pictures == list(range(50))
    # FFmpeg opens every DASH segment anew and some versions of it skip the priming in each: its own MPDs lose the same.
    assert (sound[0], sound[-1]) == (0, 93 * 1024)
    assert set(sound) <= {1024 * number for number in range(94)}
