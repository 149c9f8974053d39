"""For the operator and for machines: health, readiness, metrics, public keys, the API's description."""

import asyncio

from aiohttp import web
from sqlalchemy import text

from storage.errors import StorageError
from streamer.errors import DatabaseUnavailable
from streamer.http.bodies import Health, Jwks, Readiness, ReadyReason
from streamer.http.openapi import describe
from streamer.http.requests import SERVICES, answer
from streamer.services import Services

CHECK_TIMEOUT_S = 5.0
METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8"


def system_routes() -> list[web.RouteDef]:
    return [
        web.get("/healthz", healthz),
        web.get("/readyz", readyz),
        web.get("/metrics", metrics),
        web.get("/.well-known/jwks.json", jwks),
        web.get("/api/v1/openapi.json", openapi),
    ]


async def healthz(_request: web.Request) -> web.Response:
    return answer(Health(status="ok"))


async def readyz(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    found = await asyncio.gather(_database(services), _store(services), _engine(services))
    reasons = [reason for part in found for reason in part]
    body = Readiness(ready=not reasons, reasons=reasons, confinement=services.jail.describe())
    return answer(body, 503 if reasons else 200, {"Retry-After": "2"} if reasons else None)


async def metrics(request: web.Request) -> web.Response:
    body = request.app[SERVICES].metrics.exposition()
    return web.Response(body=body, headers={"Content-Type": METRICS_TYPE})


async def jwks(request: web.Request) -> web.Response:
    return answer(Jwks(**request.app[SERVICES].keys.jwks()), headers={"Cache-Control": "public, max-age=300"})


async def openapi(request: web.Request) -> web.Response:
    return web.json_response(describe())


async def _database(services: Services) -> list[ReadyReason]:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S), services.sessions() as session:
            await session.execute(text("SELECT 1"))
    except (DatabaseUnavailable, TimeoutError) as error:
        return [ReadyReason(part="database", reason=str(error) or "the database does not answer")]
    return []


async def _store(services: Services) -> list[ReadyReason]:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await services.store.check()
    except (StorageError, TimeoutError) as error:
        return [ReadyReason(part="store", reason=str(error) or "the store does not answer")]
    return []


async def _engine(services: Services) -> list[ReadyReason]:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return [ReadyReason(part="engine", reason=reason) for reason in await services.engine.problems()]
    except TimeoutError:
        return [ReadyReason(part="engine", reason="the encoding engine does not answer")]
