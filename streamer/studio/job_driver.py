"""One job, from its original to a version on the shelf."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from config.ladders import LadderPolicy
from config.settings import EncodeSettings
from manifests.errors import MediaError
from storage.errors import ObjectExists, StorageError, StoreFull, StoreUnavailable
from storage.store import ObjectStore
from streamer.errors import Conflict, DatabaseUnavailable
from streamer.studio.ledger import Ledger
from streamer.studio.progress import JobProgress
from streamer.studio.shelf import Shelf
from streamer.tables import JobRow
from transcoder.assemble import assemble, index_key
from transcoder.engine import Engine
from transcoder.errors import Cancelled, EngineLost, OutOfRoom, Refused, TranscodeError, WorkerDied, WrongEncoder
from transcoder.pipeline import is_light, plan_encode, sidecar_of, task_names, task_priority, task_weights
from transcoder.plan import EncodePlan
from transcoder.tasks import PROBE, Order

log = structlog.get_logger()

T = TypeVar("T")

LOOK_AGAIN_S = 2.0
"How long to wait after the store, the database or the engine was away."
REPORT_EVERY_S = 1.0

WAITS: dict[type[Exception], str] = {
    StoreUnavailable: "Waiting: the object store does not answer",
    StoreFull: "Waiting: the object store is full",
    DatabaseUnavailable: "Waiting: the database does not answer",
    EngineLost: "Waiting: the encoding engine does not answer",
    OutOfRoom: "Waiting: the disk of a worker is full",
}
"What passes by itself or by the operator's hand, and what a job's page says meanwhile."


class JobFailed(Exception):
    """A job that cannot be finished: code and sentence for its page."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What all jobs use."""

    ledger: Ledger
    store: ObjectStore
    engine: Engine
    shelf: Shelf
    ladder: LadderPolicy
    settings: EncodeSettings
    workers: int
    "Encodes that the engine can run at once: titles are cut so that each has work."


class JobDriver:
    """`drive` may be cancelled at any moment; a new driver goes on from the ledger."""

    def __init__(self, job: JobRow, at: Workplace) -> None:
        self._job = job
        self._at = at
        self._progress = JobProgress({})
        self._waits: dict[str, str] = {}
        "What is waited for, by the part of the job that does."

    async def drive(self) -> None:
        """Prepare the version. Raises Refused, Cancelled, JobFailed; waits for what is away."""
        reporting = asyncio.create_task(self._report())
        try:
            plan = await self._patiently(PROBE, self._planned)
            outputs = await self._encoded(plan)
            await self._patiently("index", lambda: self._shelved(plan, outputs))
        finally:
            reporting.cancel()

    def progressed(self, task: str, fraction: float) -> None:
        """What a worker reports."""
        self._waits.pop(task, None)
        self._progress.reached(task, fraction)

    async def _planned(self) -> EncodePlan:
        job, ledger = await self._at.ledger.job(self._job.id), self._at.ledger
        if job.plan is not None:
            return EncodePlan.from_builtins(job.plan)
        original = await ledger.original(job.original_id)
        plan = plan_encode(
            await self._tried(Order(job.id, PROBE, original.id, original.filename, None)),
            title_id=job.title_id,
            version=f"v{job.version}",
            original_id=original.id,
            original_sha256=original.sha256,
            sidecars=[sidecar_of(row.id, row.filename) for row in await ledger.sidecars(job.title_id)],
            ladder=self._at.ladder,
            settings=self._at.settings,
            workers=self._at.workers,
        )
        if not await ledger.fix_plan(job.id, plan.to_builtins(), task_names(plan)):
            raise Cancelled("the job ended while its original was looked at")
        return plan

    async def _encoded(self, plan: EncodePlan) -> dict[str, dict[str, list[str]]]:
        """What every task stored, by task and track."""
        ledger, job_id = self._at.ledger, self._job.id
        tasks = [task for task in await self._patiently("tasks", lambda: ledger.tasks(job_id)) if task.name != PROBE]
        self._progress = JobProgress(task_weights(plan))
        outputs: dict[str, dict[str, list[str]]] = {}

        async def one(name: str) -> None:
            result = await self._patiently(name, lambda: self._tried(Order(job_id, name, plan.original_id, "", plan)))
            await self._patiently(name, lambda: ledger.task_done(job_id, name, result["outputs"]))
            outputs[name] = result["outputs"]
            self._progress.done(name)

        try:
            async with asyncio.TaskGroup() as group:
                for task in tasks:
                    if task.state == "done":
                        outputs[task.name] = {track: list(made) for track, made in task.outputs.items()}
                        self._progress.done(task.name)
                    else:
                        group.create_task(one(task.name))
        except ExceptionGroup as failures:
            raise _first(failures) from None
        return outputs

    async def _shelved(self, plan: EncodePlan, outputs: dict[str, dict[str, list[str]]]) -> None:
        index, poster = await assemble(plan, outputs, self._at.store)
        with contextlib.suppress(ObjectExists):  # we were here before, and died after it
            await self._at.store.put(index_key(plan), index.to_json())
        try:
            await self._at.shelf.put(self._job, plan, index, poster)
        except Conflict as error:
            raise Cancelled("the job ended in its last moment") from error

    async def _tried(self, order: Order) -> dict[str, Any]:
        """Run an order until it succeeds or was tried often enough."""
        while True:
            try:
                return await self._at.engine.run(order, light=is_light(order.task), priority=task_priority(order.task))
            except (Refused, Cancelled):
                raise
            except WrongEncoder as error:
                raise JobFailed("encoder-changed", str(error)) from error
            except WorkerDied as error:
                await self._count_failure(order.task, str(error))
            except tuple(WAITS):
                raise
            except (TranscodeError, MediaError, StorageError) as error:
                await self._count_failure(order.task, str(error))

    async def _count_failure(self, task: str, last_words: str) -> None:
        log.warning("attempt failed", job_id=self._job.id, task=task, last_words=last_words)
        self._progress.reached(task, 0.0)
        attempts = await self._at.ledger.task_failed(self._job.id, task, last_words)
        if attempts >= self._at.settings.attempts:
            raise JobFailed("encode-failed", f"{task} failed {attempts} times: {last_words}")

    async def _patiently(self, part: str, action: Callable[[], Awaitable[T]]) -> T:
        """Do it, and again after a while for as long as something we depend on is away."""
        while True:
            try:
                result = await action()
                self._waits.pop(part, None)
                return result
            except tuple(WAITS) as error:
                stage = next(stage for kind, stage in WAITS.items() if isinstance(error, kind))
                if self._waits.get(part) != stage:
                    log.warning("job waits", job_id=self._job.id, part=part, reason=str(error))
                self._waits[part] = stage
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _report(self) -> None:
        while True:
            stage = next(iter(self._waits.values()), self._progress.sentence)
            with contextlib.suppress(DatabaseUnavailable):
                await self._at.ledger.report(self._job.id, stage=stage, progress=self._progress.fraction)
            await asyncio.sleep(REPORT_EVERY_S)


def _first(failures: ExceptionGroup[Any]) -> Exception:
    """A refusal or failure says more than the cancellations that follow from it."""
    leaves: list[Exception] = list(failures.exceptions)
    while isinstance(leaves[0], ExceptionGroup):
        leaves = list(leaves[0].exceptions)
    return next((leaf for leaf in leaves if not isinstance(leaf, Cancelled)), leaves[0])
