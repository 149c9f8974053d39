"""The ledger of encodes, on SQLite and PostgreSQL: what is done stays done, and a job ends once."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from streamer.catalogue.catalogue import Catalogue
from streamer.database import Sessions
from streamer.errors import Conflict, NotFound
from streamer.identifiers import new_id
from streamer.studio.ledger import Ledger
from streamer.tables import JobRow, OriginalRow, VersionRow
from tests.streamer_helpers import Clock

OUTPUTS = {"v180": ["digest"]}


class Desk:
    """The ledger with titles and originals to write about."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.clock = Clock()
        self.ledger = Ledger(sessions, self.clock)
        self.catalogue = Catalogue(sessions, self.clock)

    async def add_title(self) -> str:
        return (await self.catalogue.create("film", "A film")).id

    async def add_original(self, title_id: str, **facts: Any) -> str:
        self.clock.pass_s(1)
        row = OriginalRow(
            **{
                "id": new_id(),
                "title_id": title_id,
                "filename": "film.mkv",
                "size_bytes": 5 * 2**40,
                "sha256": "0" * 64,
                "created_at": self.clock(),
                **facts,
            }
        )
        async with self.sessions.begin() as session:
            session.add(row)
        return row.id

    async def add_job(self, title_id: str = "", publish: str = "auto") -> JobRow:
        original_id = await self.add_original(title_id or await self.add_title())
        return await self.ledger.add_job(original_id, publish, "m" * 22)

    async def add_finished(self, title_id: str = "", publish: str = "manual") -> JobRow:
        """A job whose version is in the catalogue."""
        job = await self.add_job(title_id, publish)
        async with self.ledger.finishing(job.id) as session:
            await self.catalogue.add_version(
                title_id=job.title_id,
                number=job.version,
                original_id=job.original_id,
                duration_s=1,
                height=1,
                poster="",
                session=session,
            )
        return job

    async def states(self, title_id: str) -> dict[int, str]:
        return {row.version: row.state for row in await self.ledger.jobs() if row.title_id == title_id}


@pytest.fixture
def desk(sessions: Sessions) -> Desk:
    return Desk(sessions)


async def test_jobs_of_a_title_count_its_versions_and_begin_with_the_probe(desk: Desk) -> None:
    title_id = await desk.add_title()
    jobs = [await desk.add_job(title_id) for _ in range(2)]
    assert [(job.version, job.state, job.publish) for job in jobs] == [(1, "probing", "auto"), (2, "probing", "auto")]
    assert [task.name for task in await desk.ledger.tasks(jobs[0].id)] == ["probe"]
    assert (await desk.ledger.job_of(title_id)).id == jobs[1].id
    assert [job.id for job in await desk.ledger.jobs()] == [jobs[1].id, jobs[0].id]
    assert [job.id for job in await desk.ledger.active_jobs()] == [jobs[0].id, jobs[1].id]


async def test_originals_that_arrive_at_once_get_different_versions(desk: Desk) -> None:
    title_id = await desk.add_title()
    originals = [await desk.add_original(title_id) for _ in range(5)]
    jobs = await asyncio.gather(*(desk.ledger.add_job(original, "auto", "m" * 22) for original in originals))
    assert sorted(job.version for job in jobs) == [1, 2, 3, 4, 5]


async def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    for asked in (desk.ledger.add_job("x", "auto", "m"), desk.ledger.job("x"), desk.ledger.job_of("x")):
        with pytest.raises(NotFound):
            await asked
    assert await desk.ledger.active_job_of("x") is None


async def test_a_plan_is_fixed_once_and_never_for_a_job_that_has_ended(desk: Desk) -> None:
    job = await desk.add_job()
    assert await desk.ledger.fix_plan(job.id, {"a": 1}, ["video-1", "poster"])
    assert not await desk.ledger.fix_plan(job.id, {"a": 2}, ["video-9"])
    row = await desk.ledger.job(job.id)
    assert (row.state, row.plan) == ("encoding", {"a": 1})
    assert {task.name: task.state for task in await desk.ledger.tasks(job.id)} == {
        "probe": "done",
        "video-1": "waiting",
        "poster": "waiting",
    }
    ended = await desk.add_job()
    await desk.ledger.end(ended.id, "cancelled")
    assert not await desk.ledger.fix_plan(ended.id, {"a": 1}, ["video-1"])


async def test_the_first_result_of_a_task_stays(desk: Desk) -> None:
    job = await desk.add_job()
    await desk.ledger.fix_plan(job.id, {}, ["video-1"])
    await desk.ledger.task_done(job.id, "video-1", OUTPUTS)
    await desk.ledger.task_done(job.id, "video-1", {"v180": ["late"]})
    task = next(task for task in await desk.ledger.tasks(job.id) if task.name == "video-1")
    assert (task.state, task.outputs) == ("done", OUTPUTS)


async def test_failed_attempts_are_counted_for_each_task(desk: Desk) -> None:
    job = await desk.add_job()
    assert [await desk.ledger.task_failed(job.id, "probe", "words") for _ in range(3)] == [1, 2, 3]
    assert await desk.ledger.task_failed(job.id, "unknown", "words") == 0


async def test_a_job_ends_once_and_says_nothing_after_that(desk: Desk) -> None:
    job = await desk.add_job()
    await desk.ledger.report(job.id, stage="Encoding", progress=0.5)
    assert await desk.ledger.end(job.id, "failed", code="encode-failed", sentence="It broke.", stage="It broke.")
    assert not await desk.ledger.end(job.id, "cancelled")
    await desk.ledger.report(job.id, stage="Encoding", progress=0.9)
    row = await desk.ledger.job(job.id)
    assert (row.state, row.reason_code, row.stage, row.progress) == ("failed", "encode-failed", "It broke.", 0.5)
    assert await desk.ledger.active_jobs() == []


async def test_a_version_is_entered_in_the_step_that_finishes_its_job_or_not_at_all(desk: Desk) -> None:
    finished = await desk.add_finished()
    assert (await desk.ledger.job(finished.id)).state == "ready"
    assert len(await desk.catalogue.versions(finished.title_id)) == 1

    cancelled = await desk.add_job()
    await desk.ledger.end(cancelled.id, "cancelled")
    with pytest.raises(Conflict):
        async with desk.ledger.finishing(cancelled.id):
            raise AssertionError("a job that has ended was finished")

    broken = await desk.add_job()
    with pytest.raises(ZeroDivisionError):
        async with desk.ledger.finishing(broken.id) as session:
            session.add(VersionRow(title_id=broken.title_id, number=1, original_id="x", duration_s=1 / 0))
    assert (await desk.ledger.job(broken.id)).state == "probing"


async def test_a_cancel_and_the_finish_at_the_same_moment_agree(desk: Desk) -> None:
    for _ in range(5):
        job = await desk.add_job()

        async def finish(job_id: str) -> bool:
            try:
                async with desk.ledger.finishing(job_id):
                    return True
            except Conflict:
                return False

        finished, cancelled = await asyncio.gather(finish(job.id), desk.ledger.end(job.id, "cancelled"))
        assert finished != cancelled
        assert (await desk.ledger.job(job.id)).state == ("ready" if finished else "cancelled")


async def test_jobs_that_came_to_nothing_are_remembered_until_nothing_is_left_of_them(desk: Desk) -> None:
    active, failed, _ready = await desk.add_job(), await desk.add_job(), await desk.add_finished()
    await desk.ledger.end(failed.id, "failed")
    assert [job.id for job in await desk.ledger.uncleared_jobs()] == [failed.id]
    await desk.ledger.cleared(failed.id)
    assert await desk.ledger.uncleared_jobs() == []
    assert [task.state for task in await desk.ledger.tasks(failed.id)] == ["dropped"]
    assert [task.state for task in await desk.ledger.tasks(active.id)] == ["waiting"]


async def test_the_active_job_of_a_title_is_the_newest_with_work_left(desk: Desk) -> None:
    title_id = await desk.add_title()
    first, second, third = [await desk.add_job(title_id) for _ in range(3)]
    await desk.ledger.end(third.id, "rejected")
    assert (await desk.ledger.job_of(title_id)).id == third.id
    for job in (second, first):
        found = await desk.ledger.active_job_of(title_id)
        assert found is not None and found.id == job.id
        await desk.ledger.end(job.id, "cancelled")
    assert await desk.ledger.active_job_of(title_id) is None


async def test_jobs_follow_what_the_catalogue_publishes(desk: Desk) -> None:
    title_id = await desk.add_title()
    for _ in range(2):
        await desk.add_finished(title_id)
    running = await desk.add_job(title_id)
    for number, states in ((1, ["published", "ready"]), (2, ["ready", "published"])):
        await desk.catalogue.publish(title_id, number)
        await desk.ledger.follow_catalogue(title_id)
        assert await desk.states(title_id) == {1: states[0], 2: states[1], running.version: "probing"}
    await desk.catalogue.unpublish(title_id)
    await desk.ledger.follow_catalogue(title_id)
    assert await desk.states(title_id) == {1: "ready", 2: "ready", running.version: "probing"}


async def test_jobs_to_publish_are_those_that_nobody_has_to_do_it_for(desk: Desk) -> None:
    automatic, _manual = await desk.add_finished(publish="auto"), await desk.add_finished(publish="manual")
    later = await desk.add_finished(publish="2030-01-01T00:00:00+00:00")
    assert {job.id for job in await desk.ledger.ready_jobs()} == {automatic.id, later.id}
    await desk.ledger.settle_publish(automatic.id)
    assert [job.id for job in await desk.ledger.ready_jobs()] == [later.id]


async def test_of_subtitle_files_the_newest_of_each_name_counts(desk: Desk) -> None:
    title_id = await desk.add_title()
    facts = {"is_subtitles": True, "filename": "film.de.srt"}
    _old, new = [await desk.add_original(title_id, **facts) for _ in range(2)]
    other = await desk.add_original(title_id, **facts | {"filename": "film.en.srt"})
    film = await desk.add_original(title_id)
    assert {row.id for row in await desk.ledger.sidecars(title_id)} == {new, other}
    assert (await desk.ledger.original(film)).size_bytes == 5 * 2**40


async def test_a_deleted_title_takes_its_jobs_with_it(desk: Desk) -> None:
    job = await desk.add_job()
    async with desk.sessions.begin() as session:
        row = await session.scalar(select(JobRow).where(JobRow.id == job.id))
        await session.delete(row)
    assert await desk.ledger.tasks(job.id) == []
    assert not await desk.ledger.end(job.id, "failed")
