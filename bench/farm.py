"""Our encodes as production runs them: orders to a real engine process and its workers, outputs in a real store."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.films import Film
from bench.plain_ffmpeg import Cost
from bench.processes import running, tree_cpu_s, wait_until
from config.ladders import load_ladder
from config.settings import Settings
from manifests.index import TitleIndex, media_key
from storage.keys import new_id
from storage.local import LocalStore
from storage.store import ObjectStore
from transcoder.assemble import Outputs, assemble
from transcoder.engine import Engine, open_engine
from transcoder.engine_process import engine_folder, worker_count
from transcoder.originals import original_key
from transcoder.pipeline import is_light, plan_encode, task_names, task_priority
from transcoder.plan import EncodePlan
from transcoder.tasks import PROBE, Order

START_TIMEOUT_S = 120.0
RUN_TIMEOUT_S = 1800.0


@dataclass(frozen=True, slots=True)
class Farm:
    """An engine that is up."""

    settings: Settings
    store: ObjectStore
    engine: Engine
    pid: int

    async def plan(self, film: Film) -> EncodePlan:
        """What the studio would have planned for this film, without its texts and poster, which the peer lacks."""
        original_id = new_id()
        await self.store.put_file(original_key(original_id), film.file)
        found = await self._run(Order("plan", PROBE, original_id, film.file.name, None))
        plan = plan_encode(
            found,
            title_id=new_id(),
            version="v1",
            original_id=original_id,
            original_sha256="",
            sidecars=(),
            ladder=load_ladder(self.settings.ladders_file),
            settings=self.settings.encode,
            workers=worker_count(self.settings),
        )
        return replace(plan, text=(), poster=None)

    async def encode(self, plan: EncodePlan) -> tuple[Cost, Outputs]:
        """All tasks of a plan. The cost is from the first order to the last result, and that of the engine is in it."""
        cost, results = await self._run_all([_order(plan, task) for task in task_names(plan)])
        return cost, dict(zip(task_names(plan), results, strict=True))

    async def encode_rungs_apart(self, plan: EncodePlan) -> Cost:
        """The same work with a task for each rung of a chunk, so that each decodes for itself."""
        cost, _ = await self._run_all([_order(part, task) for part in _rungs_apart(plan) for task in task_names(part)])
        return cost

    async def _run_all(self, orders: Sequence[Order]) -> tuple[Cost, list[dict[str, list[str]]]]:
        cpu_s, started_s = tree_cpu_s(self.pid), time.perf_counter()
        async with asyncio.timeout(RUN_TIMEOUT_S):
            results = await asyncio.gather(*map(self._run, orders))
        cost = Cost(time.perf_counter() - started_s, tree_cpu_s(self.pid) - cpu_s)
        return cost, [result["outputs"] for result in results]

    async def _run(self, order: Order) -> dict[str, dict[str, list[str]]]:
        return await self.engine.run(order, light=is_light(order.task), priority=task_priority(order.task))


def _order(plan: EncodePlan, task: str) -> Order:
    return Order(plan.title_id, task, plan.original_id, "", plan)


def _rungs_apart(plan: EncodePlan) -> list[EncodePlan]:
    assert plan.video is not None
    parts = [replace(plan, video=replace(plan.video, rungs=(rung,)), audio=()) for rung in plan.video.rungs]
    return [replace(parts[0], audio=plan.audio), *parts[1:]]


def anew(plan: EncodePlan) -> EncodePlan:
    """The same work for another title: what is stored already would not be made again."""
    return replace(plan, title_id=new_id())


@asynccontextmanager
async def open_farm(folder: Path) -> AsyncIterator[Farm]:
    """Start the engine with its defaults, and end it with the block: idle it would take time from the peers.

    folder: keeps the store from one farm to the next.
    """
    settings = Settings(data_dir=folder / "data")
    settings.data_dir.mkdir(exist_ok=True)
    config, log_file = folder / "marquee.toml", folder / "engine.log"
    config.write_text(f'data_dir = "{settings.data_dir}"\n')
    command = [sys.executable, "-m", "transcoder.engine_process", "--config", str(config)]
    store = LocalStore(settings.data_dir / "store")
    with log_file.open("wb") as log, running(command, log) as process:
        announced = engine_folder(settings) / "address.json"
        await asyncio.to_thread(wait_until, announced.exists, process, START_TIMEOUT_S, log_file)
        async with open_engine(engine_folder(settings), lambda job, task, fraction: None) as engine:
            yield Farm(settings, store, engine, process.pid)


async def index_of(plan: EncodePlan, outputs: Outputs, store: ObjectStore) -> TitleIndex:
    index, _poster = await assemble(plan, outputs, store)
    return index


async def write_track(index: TitleIndex, track_id: str, store: ObjectStore, file: Path) -> int:
    """One track as a file that any player opens; gives its size in bytes."""
    track = index.track(track_id)
    with file.open("wb") as joined:
        joined.write(track.init)
        for chunk in track.chunks:
            async with aclosing(
                store.stream(media_key(index.title_id, index.version, track_id, chunk.digest))
            ) as blocks:
                async for block in blocks:
                    joined.write(block)
        return joined.tell()


async def forget(plan: EncodePlan, store: ObjectStore) -> None:
    """Room for the next run."""
    async for found in store.list(f"{plan.folder}/"):
        await store.delete(found.key)
