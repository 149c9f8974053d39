"""The engine of one machine: a Dask scheduler and its workers, `python -m transcoder.engine_process`.

It runs in a process of its own because Dask has threads, which do not go together with the forks of a web server.
`{data_dir}/engine/address.json` says where it listens; the certificate beside it is the way in.
"""

import argparse
import asyncio
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dask
from distributed import Client, Nanny, Scheduler, Worker

from config.errors import ConfigError
from config.settings import Settings, load_settings
from transcoder.engine_tls import engine_security, make_certificate
from transcoder.errors import JailUnavailable, ToolMissing
from transcoder.jail import Jail
from transcoder.tools import Tools
from transcoder.worker import WorkerContext, WorkerSetup, stop_orders
from transcoder.workshop import TASK_FOLDER

DASK_SETTINGS = {
    "distributed.scheduler.worker-ttl": "30s",
    "distributed.scheduler.allowed-failures": 0,  # tries are counted in the ledger, not here
    "distributed.worker.daemon": False,
    "distributed.worker.memory.target": False,  # results are small; the memory is in ffmpeg, which has its own limit
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",  # the default of 20 ms alone costs an idle machine a tenth of a core
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


def worker_count(settings: Settings) -> int:
    return settings.encode.workers or len(os.sched_getaffinity(0))


def engine_folder(settings: Settings) -> Path:
    return settings.data_dir / "engine"


def clear_leftovers(folder: Path) -> None:
    """Delete what tasks left that were killed with an engine before us: their folders, and originals half fetched."""
    for left in folder.glob(f"{TASK_FOLDER}*"):
        shutil.rmtree(left, ignore_errors=True)
    for half in folder.glob("originals/.*"):
        half.unlink(missing_ok=True)


@asynccontextmanager
async def _cluster(settings: Settings) -> AsyncIterator[str]:
    """Scheduler and workers; gives the scheduler's address.

    One worker for each encode at a time, and one for light tasks, so that looking at an original never waits. Not a
    SpecCluster: that closes a worker some time after its nanny has replaced it.
    """
    folder = settings.data_dir / "work"
    folder.mkdir(parents=True, exist_ok=True)
    clear_leftovers(folder)
    link: dict[str, Any] = {
        "protocol": "tls://",
        "security": engine_security(engine_folder(settings)),
        "host": "127.0.0.1",
        "dashboard_address": "127.0.0.1:0",  # Dask listens in any case; it serves nothing there
    }
    common = link | {"nthreads": 1, "memory_limit": 0, "local_directory": str(folder)}
    async with AsyncExitStack() as opened:
        scheduler = await opened.enter_async_context(Scheduler(**link, port=0, dashboard=False))
        # The light one lives in this process: another would take seconds to start, and its work is done by ffmpeg.
        light = Worker(scheduler.address, name="light", resources={"light": 1}, **common)
        encoders = [
            Nanny(
                scheduler.address,
                name=f"encode-{number}",
                resources={"encode": 1},
                preload=["transcoder.worker_preload"],
                silence_logs=logging.WARNING,
                **common,
            )
            for number in range(worker_count(settings))
        ]
        await asyncio.gather(*map(opened.enter_async_context, [light, *encoders]))
        yield scheduler.address


@contextmanager
def _announced(folder: Path, address: str, workers: int) -> Iterator[None]:
    """Others find the engine by this file, which is there only while it serves."""
    file = folder / "address.json"
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"address": address, "pid": os.getpid(), "workers": workers}))
    fresh.replace(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


async def run_engine(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    folder = engine_folder(settings)
    make_certificate(folder, datetime.now(UTC))
    context = WorkerContext(
        data_dir=settings.data_dir,
        store_url=settings.store_url,
        store=settings.store,
        intake=settings.intake,
        encode=settings.encode,
    )
    security = engine_security(folder)
    async with _cluster(settings) as address:
        async with Client(address, asynchronous=True, security=security, set_as_default=False) as client:
            await client.register_plugin(WorkerSetup(context))
        with _announced(folder, address, worker_count(settings)):
            await stop.wait()
        async with Client(address, asynchronous=True, security=security, set_as_default=False) as client:
            await client.run(stop_orders, None, on_error="ignore")  # Dask would wait for them


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, help="settings file")
    config = parser.parse_args().config
    try:
        settings = load_settings(config)
        Tools.find(settings.intake)
        Jail.detect(settings.intake.insist)
    except (ConfigError, ToolMissing, JailUnavailable) as error:
        sys.stderr.write(f"marquee: {error}\n")
        sys.exit(os.EX_CONFIG)  # to be started again would not help
    logging.getLogger("distributed").setLevel(logging.WARNING)
    with dask.config.set(DASK_SETTINGS):
        asyncio.run(run_engine(settings))


if __name__ == "__main__":
    main()
