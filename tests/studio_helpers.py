"""A studio in the test's own process: real ledger, store and encodes; only the engine is one that does as told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.settings import EncodeSettings
from storage.local import LocalStore
from streamer.catalogue.catalogue import Catalogue
from streamer.database import Sessions
from streamer.identifiers import new_id
from streamer.studio.job_driver import Workplace
from streamer.studio.job_owner import JobOwner
from streamer.studio.ledger import Ledger
from streamer.studio.shelf import Shelf
from streamer.tables import JobRow, OriginalRow
from tests.encodes import SMALL_LADDER
from tests.intake_helpers import SETTINGS, make, the_jail, the_tools
from tests.streamer_helpers import Clock, new_database
from transcoder.engine import Engine
from transcoder.originals import original_key
from transcoder.tasks import Order, run_order
from transcoder.workshop import Workshop

ENCODE = EncodeSettings(preset="ultrafast", segment_s=1.0, chunk_s=8.0)
TASKS = {"audio-a1-und-96", "poster", "video-1", "video-2"}
"Of the job of `small_film`, after the probe."
PATIENCE_S = 60.0


def small_film(folder: Path) -> Path:
    """Three seconds, which two workers share."""
    pictures = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=3")
    sound = ("-f", "lavfi", "-i", "sine=frequency=440:duration=3")
    return make(folder / "small.mp4", *pictures, *sound, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac")


class BenchEngine(Engine):
    """Runs orders in this process, each as it comes."""

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(Path(), lambda *_: None)
        self._workshop = workshop
        self.ran: list[str] = []
        self.stopped: list[str] = []
        self.troubles: dict[str, list[Exception]] = {}
        "What is raised instead, by task; one after the other."
        self.gates: dict[str, asyncio.Event] = {}
        "Tasks, of any job or of one, that wait until they are told to begin."

    async def run(self, order: Order, *, light: bool, priority: int) -> dict[str, Any]:
        self.ran.append(order.task)
        if gate := self.gates.get(order.task) or self.gates.get(f"{order.job_id} {order.task}"):
            await gate.wait()
        if troubles := self.troubles.get(order.task):
            raise troubles.pop(0)
        return await run_order(order, self._workshop, report=lambda _: None, cancelled=asyncio.Event())

    async def stop(self, job_id: str) -> None:
        if troubles := self.troubles.get("stop"):
            raise troubles.pop(0)
        self.stopped.append(job_id)


@dataclass(frozen=True, slots=True)
class Studio:
    sessions: Sessions
    store: LocalStore
    clock: Clock
    ledger: Ledger
    catalogue: Catalogue
    shelf: Shelf
    engine: BenchEngine
    film: Path

    def workplace(self, **settings: Any) -> Workplace:
        return Workplace(
            ledger=self.ledger,
            store=self.store,
            engine=self.engine,
            shelf=self.shelf,
            ladder=SMALL_LADDER,
            settings=ENCODE.model_copy(update=settings),
            workers=2,
        )

    @asynccontextmanager
    async def owner(self, **settings: Any) -> AsyncIterator[JobOwner]:
        """One that runs; it ends as when its process is killed."""
        owner = JobOwner(self.workplace(**settings), self.clock)
        running = asyncio.create_task(owner.run())
        try:
            yield owner
        finally:
            running.cancel()
            await asyncio.wait({running})

    async def add_title(self) -> str:
        return (await self.catalogue.create("film", "A film")).id

    async def add_job(self, title_id: str = "", publish: str = "auto", stored: bool = True) -> JobRow:
        """A job for another copy of the film."""
        title_id = title_id or await self.add_title()
        original_id = new_id()
        if stored:
            await self.store.put_file(original_key(original_id), self.film)
        async with self.sessions.begin() as session:
            session.add(
                OriginalRow(
                    id=original_id,
                    title_id=title_id,
                    filename="small.mp4",
                    size_bytes=1,
                    sha256="0" * 64,
                    created_at=self.clock(),
                )
            )
        self.clock.pass_s(1)  # so that jobs have an order
        return await self.ledger.add_job(original_id, publish, "m" * 22)

    async def becomes(self, job: JobRow, *states: str) -> JobRow:
        return await self.shows(job, lambda row: row.state in states)

    async def shows(self, job: JobRow, condition: Callable[[JobRow], bool]) -> JobRow:
        async def look() -> JobRow | None:
            row = await self.ledger.job(job.id)
            return row if condition(row) else None

        found: JobRow = await until(look)
        return found

    async def is_cleared(self, job: JobRow) -> None:
        """Comes back when nothing is left of a job, and finds that true."""

        async def look() -> bool:
            return job.id not in [row.id for row in await self.ledger.uncleared_jobs()]

        await until(look)
        assert job.id in self.engine.stopped
        assert await self.objects(job) == []

    async def objects(self, job: JobRow) -> list[str]:
        return [found.key async for found in self.store.list(f"titles/{job.title_id}/v{job.version}/")]

    async def attempts(self, job: JobRow) -> dict[str, int]:
        return {task.name: task.attempts for task in await self.ledger.tasks(job.id)}


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    """What `look` gives, once that is something."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if found := await look():
                return found
            await asyncio.sleep(0.02)


@asynccontextmanager
async def open_studio(folder: Path, film: Path) -> AsyncIterator[Studio]:
    clock, store = Clock(), LocalStore(folder / "store")
    workshop = Workshop(
        folder=folder / "work", store=store, tools=the_tools(), jail=the_jail(), intake=SETTINGS, encode=ENCODE
    )
    async with new_database(f"sqlite+aiosqlite:///{folder / 'marquee.db'}") as (_engine, sessions):
        catalogue, ledger = Catalogue(sessions, clock), Ledger(sessions, clock)
        shelf = Shelf(catalogue, ledger)
        yield Studio(sessions, store, clock, ledger, catalogue, shelf, BenchEngine(workshop), film)
