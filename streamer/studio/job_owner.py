"""The owner of encodes: it drives every active job to its end, and picks up after any crash.

All it knows it reads from the ledger, so killing it at any moment costs nothing but the attempts that were running.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog

from manifests.errors import MediaError
from storage.errors import StorageError
from streamer.errors import Conflict, DatabaseUnavailable
from streamer.studio.job_driver import LOOK_AGAIN_S, JobDriver, JobFailed, Workplace
from streamer.tables import JobRow
from transcoder.errors import Cancelled, EngineLost, Refused, TranscodeError

log = structlog.get_logger()

CANCEL_WAIT_S = 10.0
"How long a request to cancel waits until nothing of the job is left; it is seen to in any case."
STOP_TIMEOUT_S = 30.0


class JobOwner:
    """Run `run` as a background task; the other methods may be called while it runs."""

    def __init__(self, at: Workplace, now: Callable[[], datetime]) -> None:
        self._at = at
        self._now = now
        self._drivers: dict[str, JobDriver] = {}
        self._driving: dict[str, asyncio.Task[None]] = {}
        self._clearing: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look at the ledger now: there is a new job."""
        self._wake.set()

    def progressed(self, job_id: str, task: str, fraction: float) -> None:
        """What a worker reports while it runs; for `open_engine`."""
        if job_id in self._drivers:
            self._drivers[job_id].progressed(task, fraction)

    async def run(self) -> None:
        """Drive jobs until cancelled."""
        try:
            while True:
                self._wake.clear()
                with contextlib.suppress(DatabaseUnavailable):
                    await self._look()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), LOOK_AGAIN_S)
        finally:
            running = [*self._driving.values(), *self._clearing.values()]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def cancel(self, title_id: str) -> JobRow:
        """End the newest active job of a title, its processes and its objects. Raises NotFound, Conflict."""
        ledger = self._at.ledger
        job = await ledger.active_job_of(title_id) or await ledger.job_of(title_id)
        if not await ledger.end(job.id, "cancelled", stage="Cancelled"):
            raise Conflict(f"the job is {job.state}; there is nothing to cancel")
        await asyncio.wait({self._clear(job)}, timeout=CANCEL_WAIT_S)
        return await ledger.job(job.id)

    async def _look(self) -> None:
        for job in await self._at.ledger.uncleared_jobs():
            self._clear(job)
        active = await self._at.ledger.active_jobs()
        waiting = [job for job in active if job.id not in self._driving]
        room = max(0, self._at.settings.parallel_titles - len(self._driving))
        for job in waiting[:room]:
            self._drivers[job.id] = driver = JobDriver(job, self._at)
            self._driving[job.id] = asyncio.create_task(self._drive(job, driver), name=f"job {job.id}")
            self._driving[job.id].add_done_callback(partial(self._driven, job.id))
        for ahead, job in enumerate(waiting[room:], len(self._driving)):
            stage = f"Waiting: {ahead} {'job' if ahead == 1 else 'jobs'} ahead"
            if job.stage != stage:
                await self._at.ledger.report(job.id, stage=stage, progress=job.progress)
        await self._at.shelf.publish_due(self._now())

    async def _drive(self, job: JobRow, driver: JobDriver) -> None:
        try:
            await driver.drive()
            log.info("job finished", job_id=job.id, title_id=job.title_id, version=job.version)
        except Cancelled:
            await self._end(job, "cancelled", "", "Cancelled")
        except Refused as refused:
            await self._end(job, "rejected", refused.reason.value, refused.sentence)
        except JobFailed as failed:
            await self._end(job, "failed", failed.code, failed.sentence)
        except (TranscodeError, MediaError, StorageError) as error:
            await self._end(job, "failed", "encode-failed", str(error))
        except Exception as error:  # a defect ends this job, and must not end the owner of all others
            log.exception("job broke", job_id=job.id)
            await self._end(job, "failed", "internal-error", f"A defect stopped the encode: {type(error).__name__}.")

    def _driven(self, job_id: str, _task: asyncio.Task[None]) -> None:
        del self._drivers[job_id], self._driving[job_id]
        self.wake()

    async def _end(self, job: JobRow, state: str, code: str, sentence: str) -> None:
        """Write down how a job ended, however long the database is away. What is left of it `_look` clears away."""
        log.warning("job ended", job_id=job.id, state=state, code=code, reason=sentence)
        while True:
            with contextlib.suppress(DatabaseUnavailable):
                reason = sentence if code else ""
                await self._at.ledger.end(job.id, state, code=code, sentence=reason, stage=sentence)
                return
            await asyncio.sleep(LOOK_AGAIN_S)

    def _clear(self, job: JobRow) -> asyncio.Task[None]:
        if job.id not in self._clearing:
            self._clearing[job.id] = asyncio.create_task(self._clear_away(job), name=f"clearing {job.id}")
            self._clearing[job.id].add_done_callback(lambda _: self._clearing.pop(job.id))
        return self._clearing[job.id]

    async def _clear_away(self, job: JobRow) -> None:
        """Stop what runs of a job that has ended, then delete what it had stored; `_look` comes again if that fails."""
        if driving := self._driving.get(job.id):
            driving.cancel()
            await asyncio.wait({driving})
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._at.engine.stop(job.id)
            async for found in self._at.store.list(f"titles/{job.title_id}/v{job.version}/"):
                await self._at.store.delete(found.key)
            await self._at.ledger.cleared(job.id)
        except (EngineLost, StorageError, DatabaseUnavailable, TimeoutError) as error:
            log.warning("something may be left of a job", job_id=job.id, reason=str(error))
