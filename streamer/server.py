"""The server process: `python -m streamer.server`, started by the supervisor."""

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

from config.errors import ConfigError
from config.settings import Settings, load_settings
from storage.errors import StorageError
from streamer.errors import CannotStart, DatabaseUnavailable
from streamer.http.app import create_app
from streamer.services import Services, open_services
from streamer.supervisor import EXIT_CONFIG
from streamer.telemetry import configure_logs
from transcoder.errors import JailUnavailable

log = structlog.get_logger()

SAFE_AIOHTTP = (3, 14, 3)
HOUSEKEEPING_EVERY_S = 60.0
TRY_AGAIN_S = 5.0


async def serve(settings: Settings) -> None:
    """Serve until cancelled, then let running requests end within `shutdown_grace_s`.

    Raises what `open_services` raises, and CannotStart.
    """
    check_aiohttp()
    async with open_services(settings) as services, _background(services):
        runner = web.AppRunner(
            create_app(services),
            access_log=None,  # ours has no tokens in it
            auto_decompress=False,  # an upload is kept as it came
            keepalive_timeout=settings.http.idle_timeout_s,
            shutdown_timeout=settings.http.shutdown_grace_s,
        )
        await runner.setup()
        try:
            with _announced(settings.data_dir, await _listen(runner, settings)):
                log.info("confinement of foreign media", **services.jail.describe())
                await asyncio.Event().wait()
        finally:
            log.info("stopping")
            await runner.cleanup()


@asynccontextmanager
async def _background(services: Services) -> AsyncIterator[None]:
    tasks = [
        asyncio.create_task(_persistently("jobs", services.owner.run)),
        asyncio.create_task(_persistently("housekeeping", lambda: _keep_house(services))),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def check_aiohttp() -> None:
    """Raises CannotStart for an aiohttp with known holes, or with the slow parser, which is another one."""
    version = tuple(int(part) for part in re.findall(r"\d+", aiohttp.__version__)[:3])
    if version < SAFE_AIOHTTP:
        raise CannotStart(
            f"aiohttp {aiohttp.__version__} is not safe; install {'.'.join(map(str, SAFE_AIOHTTP))} or later"
        )
    if HttpRequestParser is HttpRequestParserPy:
        raise CannotStart("aiohttp has no C parser here; install it from a wheel, and unset AIOHTTP_NO_EXTENSIONS")


async def _listen(runner: web.AppRunner, settings: Settings) -> str:
    """Gives the address that the outside of this process can use."""
    host, port = settings.http.host, settings.http.port
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise CannotStart(f"cannot listen on {host}, port {port}: {error.strerror}") from error
    bound_host, bound_port = runner.addresses[0][:2]
    return f"http://{f'[{bound_host}]' if ':' in bound_host else bound_host}:{bound_port}"


@contextmanager
def _announced(data_dir: Path, address: str) -> Iterator[None]:
    """`{data_dir}/server.json` says where we listen, while we do."""
    file = data_dir / "server.json"
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"address": address, "pid": os.getpid()}))
    fresh.replace(file)
    log.info("serving", address=address)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


async def _persistently(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do something without an end; if it fails, say so and begin again."""
    while True:
        try:
            await work()
        except (DatabaseUnavailable, StorageError) as error:
            log.warning("background work waits", work=name, error=str(error))
        except Exception:
            log.exception("background work broke", work=name)
        await asyncio.sleep(TRY_AGAIN_S)


async def _keep_house(services: Services) -> None:
    while True:
        await asyncio.sleep(HOUSEKEEPING_EVERY_S)
        now = services.now()
        services.ended_sessions.forget_expired(now.timestamp())
        await services.refresh_tokens.forget_expired(now)
        await services.uploads.expire()


async def _run(settings: Settings) -> None:
    serving = asyncio.create_task(serve(settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, help="settings file")
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", type=int, help="port to listen on")
    arguments = parser.parse_args()
    given = {name: value for name in ("host", "port") if (value := getattr(arguments, name)) is not None}
    try:
        settings = load_settings(arguments.config, **({"http": given} if given else {}))
        configure_logs(settings.log_level)
        asyncio.run(_run(settings))
    except (ConfigError, CannotStart, JailUnavailable) as error:
        sys.stderr.write(f"marquee: {error}\n")
        sys.exit(EXIT_CONFIG)
    except (DatabaseUnavailable, StorageError) as error:
        sys.stderr.write(f"marquee: cannot start yet: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
