import asyncio
from datetime import timedelta

import pytest

from streamer.catalogue.catalogue import Catalogue
from streamer.catalogue.titles import Title
from streamer.database import Sessions
from streamer.errors import Conflict, NotFound
from streamer.identifiers import new_id
from streamer.tables import JobRow, OriginalRow
from tests.streamer_helpers import NOW, Clock

POSTER = "ab" * 32


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalogue(sessions: Sessions, clock: Clock) -> Catalogue:
    return Catalogue(sessions, clock)


async def _add_version(catalogue: Catalogue, title: Title, number: int, poster: str = "") -> None:
    await catalogue.add_version(
        title_id=title.id, number=number, original_id="o", duration_s=12.5, height=1080, poster=poster
    )


async def test_a_new_title_is_a_draft_with_what_was_said_of_it(catalogue: Catalogue) -> None:
    title = await catalogue.create("song", "A song", description="d", artist="a", album="b")
    assert (title.kind, title.name, title.description, title.artist, title.album) == ("song", "A song", "d", "a", "b")
    assert (title.state, title.version, title.published_version) == ("draft", None, None)
    assert await catalogue.get(title.id) == title


async def test_changes_change_what_they_name(catalogue: Catalogue) -> None:
    title = await catalogue.create("film", "A film", description="d")
    assert (await catalogue.change(title.id, {"name": "B"})).name == "B"
    assert (await catalogue.change(title.id, {})).description == "d"
    with pytest.raises(NotFound):
        await catalogue.change(new_id(), {"name": "B"})


async def test_tags_fill_in_only_what_nobody_has_said(catalogue: Catalogue) -> None:
    title = await catalogue.create("song", "A song", artist="said")
    await catalogue.fill_in(title.id, artist="tag", album="tag")
    filled = await catalogue.get(title.id)
    assert (filled.artist, filled.album) == ("said", "tag")


async def test_publishing_takes_the_newest_version_unless_one_is_named(catalogue: Catalogue, clock: Clock) -> None:
    title = await catalogue.create("film", "A film")
    with pytest.raises(Conflict):
        await catalogue.publish(title.id)
    for number in (1, 2):
        await _add_version(catalogue, title, number)
    assert (await catalogue.get(title.id)).state == "ready"
    assert await catalogue.publish(title.id) == 2
    assert await catalogue.publish(title.id, 1) == 1
    published = await catalogue.get(title.id)
    assert (published.state, published.published_version, published.published_at) == ("published", 1, NOW)
    assert published.version is not None
    assert published.version.number == 1
    with pytest.raises(NotFound):
        await catalogue.publish(title.id, 3)
    with pytest.raises(NotFound):
        await catalogue.publish(new_id())


async def test_publishing_by_itself_never_replaces_a_later_version(catalogue: Catalogue) -> None:
    title = await catalogue.create("film", "A film")
    for number in (1, 2, 3):
        await _add_version(catalogue, title, number)
    assert await catalogue.publish(title.id, 2, only_newer=True) == 2
    assert await catalogue.publish(title.id, 1, only_newer=True) == 2
    assert await catalogue.publish(title.id, 3, only_newer=True) == 3


async def test_of_versions_published_at_the_same_time_the_latest_stays(catalogue: Catalogue) -> None:
    title = await catalogue.create("film", "A film")
    for number in range(1, 6):
        await _add_version(catalogue, title, number)
    await asyncio.gather(*(catalogue.publish(title.id, number, only_newer=True) for number in (3, 5, 1, 4, 2)))
    assert (await catalogue.get(title.id)).published_version == 5


async def test_unpublishing_takes_it_away(catalogue: Catalogue) -> None:
    title = await catalogue.create("film", "A film")
    await _add_version(catalogue, title, 1)
    await catalogue.publish(title.id)
    await catalogue.unpublish(title.id)
    assert (await catalogue.list()).titles == ()
    assert (await catalogue.get(title.id)).state == "ready"
    with pytest.raises(NotFound):
        await catalogue.unpublish(new_id())


async def test_a_version_is_entered_once(catalogue: Catalogue) -> None:
    title = await catalogue.create("film", "A film")
    await _add_version(catalogue, title, 1, POSTER)
    await _add_version(catalogue, title, 1, "other")
    assert [version.poster for version in await catalogue.versions(title.id)] == [POSTER]
    assert (await catalogue.version(title.id, 1)).duration_s == 12.5
    with pytest.raises(NotFound):
        await catalogue.version(title.id, 2)


async def test_a_poster_is_found_by_its_digest(catalogue: Catalogue) -> None:
    title = await catalogue.create("film", "A film")
    await _add_version(catalogue, title, 3, POSTER)
    assert await catalogue.artwork_key(POSTER) == f"titles/{title.id}/v3/images/{POSTER}.jpg"
    with pytest.raises(NotFound):
        await catalogue.artwork_key("cd" * 32)


@pytest.mark.parametrize(
    ("job_state", "state"),
    [
        ("probing", "encoding"),
        ("encoding", "encoding"),
        ("failed", "failed"),
        ("rejected", "rejected"),
        ("cancelled", "cancelled"),
    ],
)
async def test_the_newest_job_gives_the_state_of_what_has_no_version(
    catalogue: Catalogue, sessions: Sessions, job_state: str, state: str
) -> None:
    title = await catalogue.create("film", "A film")
    async with sessions.begin() as session:
        session.add(OriginalRow(id="o", title_id=title.id, filename="", size_bytes=1, sha256="", created_at=NOW))
    for version, each in ((1, "failed"), (2, job_state)):
        async with sessions.begin() as session:
            job = JobRow(id=new_id(), title_id=title.id, original_id="o", version=version, state=each)
            job.created_at = job.updated_at = NOW
            session.add(job)
    assert (await catalogue.get(title.id)).state == state
    await _add_version(catalogue, title, 1)
    assert (await catalogue.get(title.id)).state == ("encoding" if state == "encoding" else "ready")


async def test_viewers_lists_hold_only_what_is_published(catalogue: Catalogue, clock: Clock) -> None:
    title = await catalogue.create("film", "A film")
    clock.pass_s(1)
    await catalogue.create("film", "A draft")
    await _add_version(catalogue, title, 1)
    await catalogue.publish(title.id)
    assert [each.name for each in (await catalogue.list()).titles] == ["A film"]
    assert (await catalogue.get(title.id)).created_at == clock() - timedelta(seconds=1)
