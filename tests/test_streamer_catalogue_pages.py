import pytest

from streamer.catalogue.catalogue import Catalogue
from streamer.database import Sessions
from streamer.errors import InvalidRequest
from tests.streamer_helpers import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalogue(sessions: Sessions, clock: Clock) -> Catalogue:
    return Catalogue(sessions, clock)


async def _names(catalogue: Catalogue, text: str = "", kind: str = "") -> list[str]:
    page = await catalogue.list(text=text, kind=kind, only_published=False)
    return [title.name for title in page.titles]


async def test_pages_hold_every_title_once_while_titles_come(catalogue: Catalogue, clock: Clock) -> None:
    for number in range(7):
        await catalogue.create("film", f"film {number}")
        clock.pass_s(number % 2)  # some have the same time
    seen, cursor = [], ""
    while True:
        page = await catalogue.list(cursor=cursor, limit=3, only_published=False)
        seen += [title.name for title in page.titles]
        clock.pass_s(60)
        await catalogue.create("film", "a new one")
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert sorted(seen) == [f"film {number}" for number in range(7)]
    assert seen[0] == "film 6"


@pytest.mark.parametrize("cursor", ["x", "!!!!", "bm9wZQ==", "MjAyNi0wMS0wMSBh", "ä", "MjAyNi0wMS0wMSAgYSBi"])
async def test_a_cursor_of_somebody_elses_making_is_refused(catalogue: Catalogue, cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        await catalogue.list(cursor=cursor)


async def test_search_looks_at_name_artist_and_album_and_takes_every_character_for_itself(
    catalogue: Catalogue, clock: Clock
) -> None:
    for name, artist, album in (("100% Wolf", "", ""), ("A_B", "Nina", ""), ("AxB", "", "Blue\\Red")):
        await catalogue.create("song" if artist else "film", name, artist=artist, album=album)
        clock.pass_s(1)
    assert await _names(catalogue, "WOLF") == ["100% Wolf"]
    assert await _names(catalogue, "%") == ["100% Wolf"]
    assert await _names(catalogue, "_") == ["A_B"]
    assert await _names(catalogue, "nina") == ["A_B"]
    assert await _names(catalogue, "\\") == ["AxB"]
    assert await _names(catalogue, "'; DROP TABLE titles") == []
    assert await _names(catalogue, "b", "song") == ["A_B"]
    assert await _names(catalogue) == ["AxB", "A_B", "100% Wolf"]
