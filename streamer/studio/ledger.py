"""The ledger of encodes: jobs, what each must have done, and what is done. The engine forgets; this does not."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from streamer.database import Sessions
from streamer.errors import Conflict, NotFound
from streamer.identifiers import new_id
from streamer.tables import JobRow, OriginalRow, TaskRow, TitleRow
from transcoder.tasks import PROBE

AUTOMATIC, MANUAL = "auto", "manual"
"When to publish; otherwise a time (RFC 3339)."

ACTIVE = ("probing", "encoding")
"States in which a job has work left."
FRUITLESS = ("cancelled", "failed", "rejected")
"States of jobs that ended without a version."


@dataclass(frozen=True, slots=True)
class TaskState:
    """One line of the ledger."""

    name: str
    state: str
    attempts: int
    outputs: Mapping[str, Sequence[str]]


class Ledger:
    """Every method is one transaction."""

    def __init__(self, sessions: Sessions, now: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._now = now

    async def add_job(self, original_id: str, publish: str, member_id: str) -> JobRow:
        """A job for an original; its version is the title's next. Raises NotFound."""
        async with self._sessions.begin() as session:
            return await self.add_job_in(session, original_id, publish, member_id)

    async def add_job_in(self, session: AsyncSession, original_id: str, publish: str, member_id: str) -> JobRow:
        """The same inside a transaction of the caller's, who adds the original in it."""
        original = await session.get(OriginalRow, original_id)
        if original is None:
            raise NotFound(f"original {original_id} does not exist")
        version = await session.scalar(
            update(TitleRow)
            .where(TitleRow.id == original.title_id)
            .values(last_version=TitleRow.last_version + 1)
            .returning(TitleRow.last_version)
        )
        if version is None:
            raise NotFound(f"title {original.title_id} does not exist")
        job = JobRow(
            id=new_id(),
            title_id=original.title_id,
            original_id=original_id,
            version=version,
            state="probing",
            stage="Waiting for its turn",
            publish=publish,
            member_id=member_id,
            created_at=self._now(),
            updated_at=self._now(),
        )
        session.add(job)
        await session.flush()
        session.add(TaskRow(job_id=job.id, name=PROBE))
        return job

    async def active_jobs(self) -> list[JobRow]:
        """Jobs with work left, the oldest first."""
        async with self._sessions() as session:
            found = await session.scalars(select(JobRow).where(JobRow.state.in_(ACTIVE)).order_by(JobRow.created_at))
            return list(found)

    async def jobs(self, limit: int = 100) -> list[JobRow]:
        """The newest first."""
        async with self._sessions() as session:
            return list(await session.scalars(select(JobRow).order_by(JobRow.created_at.desc()).limit(limit)))

    async def job(self, job_id: str) -> JobRow:
        async with self._sessions() as session:
            job = await session.get(JobRow, job_id)
        if job is None:
            raise NotFound(f"job {job_id} does not exist")
        return job

    async def active_job_of(self, title_id: str) -> JobRow | None:
        """The newest job of a title that has work left."""
        async with self._sessions() as session:
            found = select(JobRow).where(JobRow.title_id == title_id, JobRow.state.in_(ACTIVE))
            newest: JobRow | None = await session.scalar(found.order_by(JobRow.version.desc()).limit(1))
            return newest

    async def job_of(self, title_id: str) -> JobRow:
        """The newest job of a title. Raises NotFound."""
        async with self._sessions() as session:
            newest = select(JobRow).where(JobRow.title_id == title_id).order_by(JobRow.version.desc()).limit(1)
            job = await session.scalar(newest)
        if job is None:
            raise NotFound("nothing was uploaded for this title yet")
        return job

    async def original(self, original_id: str) -> OriginalRow:
        async with self._sessions() as session:
            return await session.get_one(OriginalRow, original_id)

    async def sidecars(self, title_id: str) -> list[OriginalRow]:
        """Subtitle files that were uploaded for a title, the newest of each name."""
        async with self._sessions() as session:
            rows = await session.scalars(
                select(OriginalRow)
                .where(OriginalRow.title_id == title_id, OriginalRow.is_subtitles)
                .order_by(OriginalRow.created_at)
            )
            return list({row.filename: row for row in rows}.values())

    async def fix_plan(self, job_id: str, plan: dict[str, Any], tasks: Collection[str]) -> bool:
        """Write down, once, what has to be done. False: the job has ended."""
        async with self._sessions.begin() as session:
            fixed = await session.execute(
                update(JobRow)
                .where(JobRow.id == job_id, JobRow.state == "probing")
                .values(plan=plan, state="encoding", stage="Encoding", updated_at=self._now())
                .returning(JobRow.id)
            )
            if fixed.first() is None:
                return False
            session.add_all(TaskRow(job_id=job_id, name=name) for name in tasks)
            await session.execute(
                update(TaskRow)
                .where(TaskRow.job_id == job_id, TaskRow.name == PROBE)
                .values(state="done", finished_at=self._now())
            )
            return True

    async def tasks(self, job_id: str) -> list[TaskState]:
        async with self._sessions() as session:
            rows = await session.scalars(select(TaskRow).where(TaskRow.job_id == job_id).order_by(TaskRow.name))
            return [TaskState(row.name, row.state, row.attempts, row.outputs or {}) for row in rows]

    async def task_done(self, job_id: str, name: str, outputs: Mapping[str, Sequence[str]]) -> None:
        """What a task stored. A late result of a task that is done changes nothing."""
        async with self._sessions.begin() as session:
            await session.execute(
                update(TaskRow)
                .where(TaskRow.job_id == job_id, TaskRow.name == name, TaskRow.state != "done")
                .values(state="done", outputs=dict(outputs), finished_at=self._now())
            )

    async def task_failed(self, job_id: str, name: str, last_words: str) -> int:
        """Count a failed attempt; gives how many there were."""
        async with self._sessions.begin() as session:
            attempts = await session.scalar(
                update(TaskRow)
                .where(TaskRow.job_id == job_id, TaskRow.name == name)
                .values(attempts=TaskRow.attempts + 1, last_words=last_words)
                .returning(TaskRow.attempts)
            )
        return attempts or 0

    async def report(self, job_id: str, *, stage: str, progress: float) -> None:
        """What a job is doing; says nothing of one that has ended."""
        await self._change(job_id, ACTIVE, stage=stage, progress=progress)

    async def end(self, job_id: str, state: str, *, code: str = "", sentence: str = "", stage: str = "") -> bool:
        """End an active job. False: it had ended already."""
        return await self._change(job_id, ACTIVE, state=state, reason_code=code, reason_sentence=sentence, stage=stage)

    @asynccontextmanager
    async def finishing(self, job_id: str) -> AsyncIterator[AsyncSession]:
        """The transaction in which a job becomes ready, for its version to be entered in. Raises Conflict: it ended."""
        async with self._sessions.begin() as session:
            values = {"state": "ready", "stage": "Ready to be published", "progress": 1.0}
            if not await self._change_in(session, job_id, ACTIVE, **values):
                raise Conflict("the job ended before it was finished")
            yield session

    async def uncleared_jobs(self) -> list[JobRow]:
        """Jobs that ended without a version, and of which the engine or the store may still hold something."""
        left = exists().where(TaskRow.job_id == JobRow.id, TaskRow.state != "dropped")
        async with self._sessions() as session:
            return list(await session.scalars(select(JobRow).where(JobRow.state.in_(FRUITLESS), left)))

    async def cleared(self, job_id: str) -> None:
        """Nothing is left of what a job's tasks had stored."""
        async with self._sessions.begin() as session:
            await session.execute(update(TaskRow).where(TaskRow.job_id == job_id).values(state="dropped", outputs=None))

    async def ready_jobs(self) -> list[JobRow]:
        """Finished jobs whose version is to be published by itself, now or at a time."""
        async with self._sessions() as session:
            due = select(JobRow).where(JobRow.state == "ready", JobRow.publish != MANUAL)
            return list(await session.scalars(due.order_by(JobRow.version)))

    async def settle_publish(self, job_id: str) -> None:
        """From now on only people publish or unpublish this version."""
        async with self._sessions.begin() as session:
            await session.execute(update(JobRow).where(JobRow.id == job_id).values(publish=MANUAL))

    async def follow_catalogue(self, title_id: str) -> None:
        """Keep the states of a title's jobs true: the version that viewers get is published, all others are not."""
        async with self._sessions.begin() as session:
            title = await session.get(TitleRow, title_id, with_for_update=True)
            published = title.published_version if title and title.published_version else 0
            finished = JobRow.title_id == title_id, JobRow.state.in_(("ready", "published"))
            ready = update(JobRow).where(*finished, JobRow.version != published)
            await session.execute(ready.values(state="ready", stage="Ready to be published", updated_at=self._now()))
            live = update(JobRow).where(*finished, JobRow.version == published)
            await session.execute(live.values(state="published", stage="Published", updated_at=self._now()))

    async def _change(self, job_id: str, states: Collection[str], **values: Any) -> bool:
        async with self._sessions.begin() as session:
            return await self._change_in(session, job_id, states, **values)

    async def _change_in(self, session: AsyncSession, job_id: str, states: Collection[str], **values: Any) -> bool:
        changed = await session.execute(
            update(JobRow)
            .where(JobRow.id == job_id, JobRow.state.in_(states))
            .values(**values, updated_at=self._now())
            .returning(JobRow.id)
        )
        return changed.first() is not None
