"""A proxy that hurts the requests that pass through it, for tests of what stands an unreliable server."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Literal

from aiohttp import ClientSession, web
from yarl import URL

Fault = Literal[
    "500", "503 SlowDown", "reset", "lost answer", "stall", "short", "200 error", "507", "403 QuotaExceeded"
]
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length", "expect"}


class FaultyProxy:
    """Passes requests on to one server. The host name stays as the client wrote it, because signatures cover it."""

    def __init__(self, target: str, session: ClientSession) -> None:
        self._target = target
        self._session = session
        self._faults: Iterator[Fault] = iter(())
        self._concerns: Callable[[web.Request], bool] = lambda request: True
        self.url = ""
        self.seen: list[str] = []
        "Method and path of every request."

    def hurt(
        self, *faults: Fault, when: Callable[[web.Request], bool] = lambda request: True, always: bool = False
    ) -> None:
        """The next requests that `when` holds for get these, one each; `always`: again and again."""
        self._faults = cycle(faults) if always else iter(faults)
        self._concerns = when

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(f"{request.method} {request.path}")
        fault = next(self._faults, None) if self._concerns(request) else None
        if fault == "stall":
            await asyncio.sleep(60)
        if fault == "reset":
            return _cut(request)
        if fault in ("500", "503 SlowDown", "507", "403 QuotaExceeded"):
            status, _, code = fault.partition(" ")
            return _error(int(status), code or "InternalError")
        if fault == "200 error":
            return _error(200, "InternalError")
        return await self._pass_on(request, fault)

    async def _pass_on(self, request: web.Request, fault: Fault | None) -> web.StreamResponse:
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        url = URL(self._target + request.raw_path, encoded=True)
        async with self._session.request(
            request.method, url, data=io.BytesIO(body), headers=headers, skip_auto_headers={"Content-Type"}
        ) as answer:
            content = await answer.read()
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            if fault == "lost answer":
                return _cut(request)
            if fault == "short":
                response = web.StreamResponse(status=answer.status, headers=kept)
                response.content_length = len(content)
                await response.prepare(request)
                await response.write(content[: len(content) // 2])
                return _cut(request)
            if request.method == "HEAD":
                kept["Content-Length"] = answer.headers.get("Content-Length", "0")
            return web.Response(status=answer.status, headers=kept, body=content)


def _cut(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.close()
    return web.Response()


def _error(status: int, code: str) -> web.Response:
    text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>hurt</Message></Error>"
    return web.Response(status=status, text=text, content_type="application/xml")


@asynccontextmanager
async def faulty_proxy(target: str) -> AsyncIterator[FaultyProxy]:
    async with ClientSession(auto_decompress=False) as session:
        proxy = FaultyProxy(target, session)
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", proxy.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield proxy
        finally:
            await runner.cleanup()
