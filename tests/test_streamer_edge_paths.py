import pytest
from hypothesis import given
from hypothesis import strategies as st

from drm.scheme import Scheme
from streamer.edge.paths import (
    InitSegment,
    MediaPath,
    MediaPlaylist,
    MediaSegment,
    Mpd,
    Multivariant,
    Resource,
    TextFile,
    TextSegment,
    hide_token,
    media_base,
    parse_media_path,
)
from streamer.errors import BadMediaPath

TITLE = "titleAAAAAAAAAAAAAAAAA"
BASE = media_base("aa.bb.cc", TITLE, "v7-p1")

GOOD: dict[str, Resource] = {
    "hls/multivariant.m3u8": Multivariant(),
    "hls/v1080.m3u8": MediaPlaylist("v1080"),
    "hls/a-en-1.m3u8": MediaPlaylist("a-en-1"),
    "dash/manifest.mpd": Mpd(),
    "clear/v1080/init.mp4": InitSegment(Scheme.CLEAR, "v1080"),
    "cenc/v1080/init.mp4": InitSegment(Scheme.CENC, "v1080"),
    "cbcs/v1080/1.m4s": MediaSegment(Scheme.CBCS, "v1080", 1),
    "clear/v1080/999999999.m4s": MediaSegment(Scheme.CLEAR, "v1080", 999999999),
    "clear/t-de-1/12.vtt": TextSegment(Scheme.CLEAR, "t-de-1", 12),
    "clear/t-de-1/all.vtt": TextFile(Scheme.CLEAR, "t-de-1"),
}


@pytest.mark.parametrize("rest", GOOD)
def test_a_path_of_the_grammar_is_taken_apart(rest: str) -> None:
    assert parse_media_path(BASE + rest) == MediaPath("aa.bb.cc", TITLE, "v7-p1", GOOD[rest])


def test_a_query_is_ignored() -> None:
    assert parse_media_path(f"{BASE}dash/manifest.mpd?CMCD=br%3D1000/../x") == parse_media_path(
        f"{BASE}dash/manifest.mpd"
    )


SEGMENT = "clear/v1080/1.m4s"


@pytest.mark.parametrize(
    "target",
    [
        "",
        "/",
        "/m",
        "/m/",
        BASE,
        BASE.rstrip("/"),
        "//m" + BASE[2:] + SEGMENT,
        "/M" + BASE[2:] + SEGMENT,
        "m" + BASE[2:] + SEGMENT,
        "/%6d" + BASE[2:] + SEGMENT,
        "http://localhost" + BASE + SEGMENT,
        BASE.replace("/m/", "/m//") + SEGMENT,
        BASE.replace("/m/", "/m/../m/") + SEGMENT,
        BASE.replace("/m/", "/m/./") + SEGMENT,
        BASE.replace("/m/", "/m/x/") + SEGMENT,
        BASE.replace("URISigningPackage", "urisigningpackage") + SEGMENT,
        BASE.replace("URISigningPackage=", "URISigningPackage%3D") + SEGMENT,
        BASE.replace("URISigningPackage=", "") + SEGMENT,
        BASE.replace("aa.bb.cc", "aa.bb") + SEGMENT,
        BASE.replace("aa.bb.cc", "aa.bb.cc.dd") + SEGMENT,
        BASE.replace("aa.bb.cc", "..") + SEGMENT,
        BASE.replace("aa.bb.cc", "") + SEGMENT,
        BASE.replace("aa.bb.cc", "aa.bb.c+") + SEGMENT,
        BASE.replace(TITLE, TITLE[:-1]) + SEGMENT,
        BASE.replace(TITLE, TITLE + "A") + SEGMENT,
        BASE.replace(TITLE, "." * 22) + SEGMENT,
        BASE.replace(TITLE, TITLE[:-1] + ".") + SEGMENT,
        BASE.replace("v7-p1", "v07-p1") + SEGMENT,
        BASE.replace("v7-p1", "v7-p01") + SEGMENT,
        BASE.replace("v7-p1", "v0-p1") + SEGMENT,
        BASE.replace("v7-p1", "V7-p1") + SEGMENT,
        BASE.replace("v7-p1", "v7") + SEGMENT,
        BASE.replace("v7-p1", "v7-p") + SEGMENT,
        BASE.replace("v7-p1", "v\u0667-p1") + SEGMENT,
        BASE + "clear/v1080/0.m4s",
        BASE + "clear/v1080/01.m4s",
        BASE + "clear/v1080/+1.m4s",
        BASE + "clear/v1080/-1.m4s",
        BASE + "clear/v1080/1_0.m4s",
        BASE + "clear/v1080/1e3.m4s",
        BASE + "clear/v1080/\u0661.m4s",
        BASE + "clear/v1080/1234567890.m4s",
        BASE + "clear/v1080/1.M4S",
        BASE + "clear/v1080/1.m4s/",
        BASE + "clear/v1080/1.m4s;a=b",
        BASE + "clear/v1080;a=b/1.m4s",
        BASE + "clear/v1080/1.m4s%00",
        BASE + "clear/v1080/1.m4s\0",
        BASE + "clear/v1080/1.m4s\n",
        BASE + "clear/v1080/1.m4s ",
        BASE + "clear/v1080/1.m4s#x",
        BASE + "clear/v1080/%31.m4s",
        BASE + "clear%2fv1080/1.m4s",
        BASE + "clear%2Fv1080/1.m4s",
        BASE + "clear\\v1080\\1.m4s",
        BASE + "clear//v1080/1.m4s",
        BASE + "/clear/v1080/1.m4s",
        BASE + "./clear/v1080/1.m4s",
        BASE + "clear/./v1080/1.m4s",
        BASE + "hls/../clear/v1080/1.m4s",
        BASE + "clear/../cenc/v1080/1.m4s",
        BASE + "clear/../1.m4s",
        BASE + "clear/%2e%2e/1.m4s",
        BASE + "clear/..%2f..%2f/1.m4s",
        BASE + "clear/..;/1.m4s",
        BASE + "Clear/v1080/1.m4s",
        BASE + "clear/V1080/1.m4s",
        BASE + "clear/v_1080/1.m4s",
        BASE + "clear/v1080 /1.m4s",
        BASE + f"clear/{'v' * 65}/1.m4s",
        BASE + "clear/v1080/init.m4s",
        BASE + "clear/v1080/all.m4s",
        BASE + "clear/v1080/1.mp4",
        BASE + "clear/v1080/1",
        BASE + "clear/v1080/",
        BASE + "clear/v1080",
        BASE + "hls/.m3u8",
        BASE + "hls/v1080.m3u8/",
        BASE + "hls/v1080.M3U8",
        BASE + "hls/v1080/x.m3u8",
        BASE + "hls/multivariant.m3u8%20",
        BASE + "dash/manifest.mpd/",
        BASE + "dash/Manifest.mpd",
        BASE + "dash/other.mpd",
        BASE + "index.json",
    ],
)
def test_what_is_not_of_the_grammar_is_refused(target: str) -> None:
    with pytest.raises(BadMediaPath):
        parse_media_path(target)


@given(st.integers(0, len(BASE + SEGMENT)), st.sampled_from([*"%/.;\\\0\n #@äA"]))
def test_an_odd_character_anywhere_never_leads_to_another_resource(position: int, odd: str) -> None:
    target = BASE + SEGMENT
    try:
        path = parse_media_path(target[:position] + odd + target[position:])
    except BadMediaPath:
        return
    # Only the token may have changed, and then its signature does not fit.
    assert path == MediaPath(path.token, TITLE, "v7-p1", MediaSegment(Scheme.CLEAR, "v1080", 1))
    assert path.token != "aa.bb.cc"


@given(st.text(max_size=200))
def test_any_other_text_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(BadMediaPath):
        parse_media_path(text)


@given(st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True), st.integers(1, 999_999_999), st.sampled_from(Scheme))
def test_what_we_write_into_manifests_we_read_back(track_id: str, number: int, scheme: Scheme) -> None:
    path = parse_media_path(f"{BASE}{scheme}/{track_id}/{number}.m4s")
    assert path.resource == MediaSegment(scheme, track_id, number)


def test_logs_see_neither_token_nor_query() -> None:
    assert hide_token(f"{BASE}dash/manifest.mpd?a=b") == f"/m/URISigningPackage=***/{TITLE}/v7-p1/dash/manifest.mpd"
    assert "bb" not in hide_token("/m/urisigningpackage=aa.bb.cc")
    assert hide_token("/api/v1/titles?q=secret") == "/api/v1/titles"
    assert "bb" not in repr(parse_media_path(f"{BASE}dash/manifest.mpd"))
