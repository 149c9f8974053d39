import hashlib
from pathlib import Path

import pytest

from drm.scheme import Scheme
from storage.local import LocalStore
from streamer.errors import NotFound
from streamer.origin.origin import Made, Origin, StoredRange
from tests.titles import FILM, TITLE_ID, VTT, make_index, segment_bytes, store_title

VERSION = "v7-p1"
CLEAR = Scheme.CLEAR
ALL = tuple(track.id for track in FILM)


@pytest.fixture
async def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path)
    await store_title(store, make_index())
    return store


@pytest.fixture
def origin(store: LocalStore) -> Origin:
    return Origin(store)


async def test_manifests_show_exactly_the_allowed_tracks(origin: Origin) -> None:
    allowed = ("v540", "a-en-1")
    playlist = (await origin.multivariant(TITLE_ID, VERSION, allowed, CLEAR)).body.decode()
    manifest = (await origin.mpd(TITLE_ID, VERSION, allowed, CLEAR)).body.decode()
    for text in (playlist, manifest):
        assert "v540" in text
        assert "a-en-1" in text
        assert "v1080" not in text
        assert "t-de-1" not in text


async def test_a_playlist_of_a_track_that_is_not_allowed_is_not_found(origin: Origin) -> None:
    assert b"v540/1.m4s" in (await origin.playlist(TITLE_ID, VERSION, ("v540",), CLEAR, "v540")).body
    with pytest.raises(NotFound):
        await origin.playlist(TITLE_ID, VERSION, ("v540",), CLEAR, "v1080")


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_segment_is_a_range_of_a_stored_object(origin: Origin, store: LocalStore, number: int) -> None:
    found = await origin.segment(TITLE_ID, VERSION, CLEAR, "v540", number)
    blocks = store.stream(found.object_key, found.offset_bytes, found.size_bytes)
    assert b"".join([block async for block in blocks]) == segment_bytes("v540", number)
    assert found.content_type == "video/mp4"


async def test_every_content_has_an_etag_of_its_own(origin: Origin) -> None:
    found: list[Made | StoredRange] = [await origin.init(TITLE_ID, VERSION, CLEAR, track) for track in ALL[:3]]
    found += [await origin.segment(TITLE_ID, VERSION, CLEAR, track, n) for track in ALL[:3] for n in (1, 2, 3)]
    found += [await origin.text_segment(TITLE_ID, VERSION, CLEAR, "t-de-1", number) for number in (1, 2)]
    etags = [content.etag for content in found]
    assert len(set(etags)) == len(etags)
    assert all(etag.startswith('"') and etag.endswith('"') for etag in etags)


async def test_the_init_segment_comes_from_the_index(origin: Origin) -> None:
    made = await origin.init(TITLE_ID, VERSION, CLEAR, "a-en-1")
    assert (made.body, made.content_type) == (b"init of a-en-1", "audio/mp4")
    assert made.etag == f'"{hashlib.sha256(made.body).hexdigest()[:32]}"'


async def test_text_is_cut_for_hls_and_whole_for_dash(origin: Origin) -> None:
    first = await origin.text_segment(TITLE_ID, VERSION, CLEAR, "t-de-1", 1)
    second = await origin.text_segment(TITLE_ID, VERSION, CLEAR, "t-de-1", 2)
    assert (b"Hello" in first.body, b"Bye" in first.body) == (True, False)
    assert (b"Hello" in second.body, b"Bye" in second.body) == (False, True)
    whole = await origin.text_file(TITLE_ID, VERSION, CLEAR, "t-de-1")
    assert (whole.offset_bytes, whole.size_bytes, whole.content_type) == (0, len(VTT), "text/vtt; charset=utf-8")


async def test_what_the_version_does_not_have_is_not_found(origin: Origin) -> None:
    for asked in (
        origin.index(TITLE_ID, "v8-p1"),
        origin.index(TITLE_ID, "v7-p2"),
        origin.index(TITLE_ID, "v7"),
        origin.index("A" * 22, VERSION),
        origin.init(TITLE_ID, VERSION, CLEAR, "v2160"),
        origin.segment(TITLE_ID, VERSION, CLEAR, "v540", 4),
        origin.segment(TITLE_ID, VERSION, CLEAR, "v540", 0),
        origin.segment(TITLE_ID, VERSION, CLEAR, "v2160", 1),
        origin.segment(TITLE_ID, VERSION, CLEAR, "t-de-1", 1),
        origin.init(TITLE_ID, VERSION, CLEAR, "t-de-1"),
        origin.text_segment(TITLE_ID, VERSION, CLEAR, "t-de-1", 3),
        origin.text_segment(TITLE_ID, VERSION, CLEAR, "v540", 1),
        origin.text_file(TITLE_ID, VERSION, CLEAR, "v540"),
        origin.mpd(TITLE_ID, VERSION, ("v2160",), CLEAR),
    ):
        with pytest.raises(NotFound):
            await asked


@pytest.mark.parametrize("scheme", [Scheme.CENC, Scheme.CBCS])
async def test_a_scheme_that_the_version_is_not_offered_in_is_not_found_on_any_route(
    origin: Origin, scheme: Scheme
) -> None:
    for asked in (
        origin.mpd(TITLE_ID, VERSION, ALL, scheme),
        origin.multivariant(TITLE_ID, VERSION, ALL, scheme),
        origin.playlist(TITLE_ID, VERSION, ALL, scheme, "v540"),
        origin.init(TITLE_ID, VERSION, scheme, "v540"),
        origin.segment(TITLE_ID, VERSION, scheme, "v540", 1),
        origin.text_segment(TITLE_ID, VERSION, scheme, "t-de-1", 1),
        origin.text_file(TITLE_ID, VERSION, scheme, "t-de-1"),
    ):
        with pytest.raises(NotFound, match="not offered as"):
            await asked
