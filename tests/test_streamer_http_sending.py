import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientPayloadError, web
from aiohttp.test_utils import TestClient, TestServer

from storage.errors import StoreUnavailable
from storage.local import LocalStore
from streamer.http.middleware import add_headers, observe, turn_errors_into_problems
from streamer.http.sending import send
from streamer.origin.origin import StoredRange
from streamer.telemetry import Metrics

MIB = 2**20
CONTENT = StoredRange("a", 0, 64 * MIB, '"etag"', "video/mp4")


class Blocks(LocalStore):
    """Gives zeros in blocks of a mebibyte, and counts them; is away after so many."""

    given = 0
    closed = False

    def __init__(self, root: Path, away_after: int = 1000) -> None:
        super().__init__(root)
        self._away_after = away_after

    async def stream(self, key: str, offset: int = 0, size: int | None = None) -> AsyncGenerator[bytes, None]:
        try:
            for _ in range((size or 0) // MIB):
                if self.given == self._away_after:
                    raise StoreUnavailable("away")
                self.given += 1
                yield bytes(MIB)
        finally:
            self.closed = True


@asynccontextmanager
async def serving(
    store: Blocks, idle_timeout_s: float = 10.0
) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    async def handler(request: web.Request) -> web.StreamResponse:
        response, _ = await send(request, CONTENT, "private", store, idle_timeout_s)
        return response

    app = web.Application(middlewares=[observe(Metrics()), turn_errors_into_problems()])
    app.on_response_prepare.append(add_headers(()))
    app.router.add_get("/", handler)
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_no_more_is_read_than_the_client_takes(tmp_path: Path) -> None:
    store = Blocks(tmp_path)
    async with serving(store) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port, limit=MIB)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.3)
        assert store.given < 16
        writer.close()
        await writer.wait_closed()
        for _ in range(100):
            if store.closed:
                break
            await asyncio.sleep(0.02)
        assert store.closed


async def test_a_store_that_is_away_before_the_first_block_is_503(tmp_path: Path) -> None:
    async with serving(Blocks(tmp_path, away_after=0)) as client, client.get("/") as response:
        assert response.status == 503
        assert (await response.json())["code"] == "store-unavailable"


async def test_a_store_that_goes_away_later_breaks_the_answer_off(tmp_path: Path) -> None:
    async with serving(Blocks(tmp_path, away_after=3)) as client, client.get("/") as response:
        assert response.status == 200
        with pytest.raises((ClientPayloadError, ConnectionError)):
            await response.read()


async def test_a_client_that_takes_nothing_is_left(tmp_path: Path) -> None:
    store = Blocks(tmp_path)
    async with serving(store, idle_timeout_s=0.2) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(100):
            if store.closed:
                break
            await asyncio.sleep(0.05)
        assert store.closed
        assert store.given < 64
        writer.close()


async def test_a_range_reads_no_more_than_itself(tmp_path: Path) -> None:
    store = Blocks(tmp_path)
    async with serving(store) as client, client.get("/", headers={"Range": "bytes=0-1048575"}) as response:
        assert response.status == 206
        assert len(await response.read()) == MIB
        assert store.given == 1
