"""From a finished encode to what viewers get: in one step, at its time, and never an older version over a newer one."""

from datetime import timedelta

import pytest

from streamer.catalogue.catalogue import Catalogue
from streamer.database import Sessions
from streamer.errors import Conflict, NotFound
from streamer.identifiers import new_id
from streamer.studio.ledger import Ledger
from streamer.studio.shelf import Shelf
from streamer.tables import JobRow, OriginalRow
from tests.streamer_helpers import NOW, Clock
from tests.titles import make_index
from transcoder.plan import EncodePlan


class Room:
    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.clock = Clock()
        self.ledger = Ledger(sessions, self.clock)
        self.catalogue = Catalogue(sessions, self.clock)
        self.shelf = Shelf(self.catalogue, self.ledger)

    async def add_job(self, title_id: str = "", publish: str = "auto") -> JobRow:
        title_id = title_id or (await self.catalogue.create("song", "A song")).id
        original = OriginalRow(
            id=new_id(), title_id=title_id, filename="x", size_bytes=1, sha256="0" * 64, created_at=self.clock()
        )
        async with self.sessions.begin() as session:
            session.add(original)
        return await self.ledger.add_job(original.id, publish, "m" * 22)

    async def put(self, job: JobRow, **tags: str) -> None:
        plan = EncodePlan(
            title_id=job.title_id,
            version=f"v{job.version}",
            original_id=job.original_id,
            original_sha256="0" * 64,
            encoder="x",
            container="mp3",
            duration_s=12.0,
            video=None,
            audio=(),
            text=(),
            poster=None,
            tags=tags,
            notes=(),
        )
        await self.shelf.put(job, plan, make_index(job.title_id, f"v{job.version}"), "")

    async def published(self, title_id: str) -> int | None:
        return (await self.catalogue.get(title_id)).published_version


@pytest.fixture
def room(sessions: Sessions) -> Room:
    return Room(sessions)


async def test_a_finished_encode_becomes_a_version_with_what_its_tags_say(room: Room) -> None:
    job = await room.add_job()
    await room.put(job, artist="Somebody", album="Something")
    title = await room.catalogue.get(job.title_id)
    assert (title.artist, title.album) == ("Somebody", "Something")
    (version,) = await room.catalogue.versions(job.title_id)
    assert (version.number, version.height) == (1, 1080)
    assert (await room.ledger.job(job.id)).state == "ready"
    assert await room.published(job.title_id) is None


async def test_a_job_that_was_cancelled_in_the_last_moment_gives_no_version(room: Room) -> None:
    job = await room.add_job()
    await room.ledger.end(job.id, "cancelled")
    with pytest.raises(Conflict):
        await room.put(job)
    assert await room.catalogue.versions(job.title_id) == ()


async def test_what_is_due_is_published_once_and_people_have_the_last_word(room: Room) -> None:
    job = await room.add_job()
    await room.put(job)
    await room.shelf.publish_due(NOW)
    assert await room.published(job.title_id) == 1
    assert (await room.ledger.job(job.id)).state == "published"
    await room.shelf.unpublish(job.title_id)
    assert (await room.ledger.job(job.id)).state == "ready"
    await room.shelf.publish_due(NOW)
    assert await room.published(job.title_id) is None


async def test_a_time_is_waited_for(room: Room) -> None:
    job = await room.add_job(publish=(NOW + timedelta(hours=1)).isoformat())
    await room.put(job)
    await room.shelf.publish_due(NOW + timedelta(minutes=59))
    assert await room.published(job.title_id) is None
    await room.shelf.publish_due(NOW + timedelta(minutes=60))
    assert await room.published(job.title_id) == 1


async def test_an_older_version_that_is_due_later_does_not_replace_a_newer_one(room: Room) -> None:
    older = await room.add_job(publish=(NOW + timedelta(hours=1)).isoformat())
    newer = await room.add_job(older.title_id)
    for job in (newer, older):
        await room.put(job)
        await room.shelf.publish_due(NOW + timedelta(hours=2))
    assert await room.published(older.title_id) == 2
    assert (await room.ledger.job(older.id)).state == "ready"
    assert (await room.ledger.job(newer.id)).state == "published"
    assert await room.ledger.ready_jobs() == []


async def test_a_person_may_go_back_to_an_older_version(room: Room) -> None:
    first = await room.add_job()
    second = await room.add_job(first.title_id)
    for job in (first, second):
        await room.put(job)
    await room.shelf.publish(first.title_id, None)
    assert await room.published(first.title_id) == 2
    await room.shelf.publish(first.title_id, 1)
    assert await room.published(first.title_id) == 1
    assert [(await room.ledger.job(job.id)).state for job in (first, second)] == ["published", "ready"]
    with pytest.raises(NotFound):
        await room.shelf.publish(first.title_id, 3)


async def test_a_crash_between_publishing_and_the_ledger_is_made_good(room: Room) -> None:
    job = await room.add_job()
    await room.put(job)
    await room.catalogue.publish(job.title_id, 1)
    await room.shelf.publish_due(NOW)
    assert (await room.ledger.job(job.id)).state == "published"
