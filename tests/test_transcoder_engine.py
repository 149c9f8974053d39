"""The engine as its client sees it: a real one, in a process of its own, whose workers are killed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage.errors import ObjectNotFound
from storage.local import LocalStore
from tests.encodes import ORIGINAL, QUICK, SMALL_LADDER
from tests.intake_helpers import H264, gone, make, processes_with
from transcoder.engine import Engine, open_engine
from transcoder.errors import Cancelled, EngineLost, WorkerDied
from transcoder.originals import original_key
from transcoder.pipeline import plan_encode
from transcoder.plan import EncodePlan
from transcoder.tasks import PROBE, Order


class EngineProcess:
    """`python -m transcoder.engine_process`, with two workers for encodes."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "engine"
        environment = os.environ | {"MARQUEE_DATA_DIR": str(data_dir), "MARQUEE_ENCODE__WORKERS": "2"}
        self.process = subprocess.Popen([sys.executable, "-m", "transcoder.engine_process"], env=environment)

    def workers(self) -> list[int]:
        """The processes that encode."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").parent.parent
        found = [int(pid) for task in children.glob("*/children") for pid in task.read_text().split()]
        return [pid for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="module")
def engine_process(data_dir: Path) -> Iterator[EngineProcess]:
    running = EngineProcess(data_dir)
    yield running
    if running.process.poll() is None:
        assert running.end() == 0


@pytest.fixture
async def engine(engine_process: EngineProcess) -> AsyncIterator[Engine]:
    async with open_engine(engine_process.folder, lambda *_: None) as engine:
        yield engine


@pytest.fixture(scope="module")
def original(data_dir: Path) -> Path:
    """A film that takes some seconds to encode, in the store."""
    film = make(data_dir / "film.mp4", "-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=50:duration=16", *H264)
    asyncio.run(LocalStore(data_dir / "store").put_file(original_key(ORIGINAL), film))
    return film


async def planned(engine: Engine, job_id: str) -> EncodePlan:
    found = await engine.run(Order(job_id, PROBE, ORIGINAL, "film.mp4", None), light=True, priority=9)
    return plan_encode(
        found,
        title_id="T" * 22,
        version=job_id,
        original_id=ORIGINAL,
        original_sha256="0" * 64,
        sidecars=(),
        ladder=SMALL_LADDER,
        settings=QUICK,
        workers=1,
    )


def word_of(engine: Engine) -> str:
    """What only ffmpegs of this engine have among their arguments."""
    return f"file:{engine.folder.parent}/work/originals/{ORIGINAL}"


async def begun(engine: Engine, plan: EncodePlan, job_id: str) -> "asyncio.Task[dict[str, object]]":
    """A chunk whose ffmpeg is at work."""
    order = Order(job_id, "video-1", ORIGINAL, "", plan)
    running = asyncio.create_task(engine.run(order, light=False, priority=1))
    deadline_s = time.monotonic() + 20
    while not processes_with(word_of(engine)):
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.05)
    return running


async def test_the_engine_has_no_problem_once_it_is_up(engine: Engine) -> None:
    deadline_s = time.monotonic() + 60
    while problems := await engine.problems():
        assert time.monotonic() < deadline_s, problems
        await asyncio.sleep(0.2)


async def test_errors_of_a_task_come_back_as_they_were(engine: Engine, original: Path) -> None:
    with pytest.raises(ObjectNotFound, match="originals/missing"):
        await engine.run(Order("none", PROBE, "missing", "x", None), light=True, priority=1)


async def test_a_worker_killed_in_the_middle_is_told_at_once_and_replaced(
    engine: Engine, engine_process: EngineProcess, original: Path
) -> None:
    plan = await planned(engine, "v1")
    running = await begun(engine, plan, "v1")
    for pid in engine_process.workers():
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerDied):
        await asyncio.wait_for(running, 20)
    assert gone(word_of(engine)), "ffmpeg outlived its worker"
    again = Order("v1", "video-1", ORIGINAL, "", plan)
    made = await asyncio.wait_for(engine.run(again, light=False, priority=1), 120)
    assert set(made["outputs"]) == {"v180", "v90"}


async def test_a_cancelled_job_ends_its_ffmpeg_and_what_waits_never_begins(engine: Engine, original: Path) -> None:
    plan = await planned(engine, "v2")
    running = await begun(engine, plan, "v2")
    waiting = [
        asyncio.create_task(engine.run(Order("v2", f"video-{n}", ORIGINAL, "", plan), light=False, priority=0))
        for n in (2, 2, 2)
    ]
    await engine.stop("v2")
    for task in (running, *waiting):
        with pytest.raises(Cancelled):
            await asyncio.wait_for(task, 20)
    assert gone(word_of(engine))


async def test_a_worker_that_dies_takes_only_its_own_order_with_it(
    engine: Engine, engine_process: EngineProcess, original: Path
) -> None:
    plan = await planned(engine, "v4")
    running = await begun(engine, plan, "v4")
    orders = [Order("v4", f"video-{number}", ORIGINAL, "", plan) for number in (2, 3, 4, 2, 3, 4)]
    others = [asyncio.create_task(engine.run(order, light=False, priority=0)) for order in orders]
    await asyncio.sleep(0)
    os.kill(engine_process.workers()[0], signal.SIGKILL)
    await asyncio.wait({running, *others}, return_when=asyncio.FIRST_EXCEPTION, timeout=30)
    assert [task.done() for task in (running, *others)].count(True) == 1
    await engine.stop("v4")
    ends = await asyncio.wait_for(asyncio.gather(running, *others, return_exceptions=True), 60)
    assert [type(end) for end in ends].count(WorkerDied) == 1
    assert [type(end) for end in ends].count(Cancelled) == len(orders)


async def test_what_another_client_had_begun_is_stopped_too(
    engine: Engine, engine_process: EngineProcess, original: Path
) -> None:
    async with open_engine(engine_process.folder, lambda *_: None) as gone_client:
        plan = await planned(gone_client, "v5")
        running = await begun(gone_client, plan, "v5")
        running.cancel()
    assert processes_with(word_of(engine))
    await asyncio.wait_for(engine.stop("v5"), 30)
    assert not processes_with(word_of(engine))


async def test_an_engine_that_is_asked_to_end_in_the_middle_costs_no_attempt(
    tmp_path: Path, data_dir: Path, original: Path
) -> None:
    (tmp_path / "store").symlink_to(data_dir / "store")
    own = EngineProcess(tmp_path)
    async with open_engine(own.folder, lambda *_: None) as engine:
        deadline_s = time.monotonic() + 60
        while await engine.problems():
            assert time.monotonic() < deadline_s
            await asyncio.sleep(0.2)
        plan = await planned(engine, "v6")
        orders = [await begun(engine, plan, "v6")]
        orders += [asyncio.create_task(engine.run(Order("v6", "video-2", ORIGINAL, "", plan), light=False, priority=0))]
        await asyncio.sleep(0.5)
        started_s = time.monotonic()
        assert await asyncio.to_thread(own.end) == 0
        assert time.monotonic() - started_s < 15
        ends = await asyncio.wait_for(asyncio.gather(*orders, return_exceptions=True), 60)
        assert [type(end) for end in ends] == [EngineLost, EngineLost]
        assert gone(word_of(engine))


async def test_an_engine_that_dies_is_said_to_be_lost_and_nothing_of_it_is_left(
    engine: Engine, engine_process: EngineProcess, original: Path
) -> None:
    plan = await planned(engine, "v3")
    running = await begun(engine, plan, "v3")
    engine_process.process.kill()
    engine_process.process.wait()
    with pytest.raises(EngineLost):
        await asyncio.wait_for(running, 60)
    assert gone(word_of(engine), within_s=20)
    assert await engine.problems() == ["the encoding engine does not answer"]
