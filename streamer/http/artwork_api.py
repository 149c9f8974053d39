"""Posters, by the digest of their bytes: whoever knows it may see it, and it never changes."""

from aiohttp import web

from streamer.http.requests import SERVICES
from streamer.http.sending import send
from streamer.origin.origin import StoredRange

CACHING = "public, max-age=31536000, immutable"


def artwork_routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/artwork/{digest:[0-9a-f]{64}}.jpg", artwork)]


async def artwork(request: web.Request) -> web.StreamResponse:
    services, digest = request.app[SERVICES], request.match_info["digest"]
    key = await services.catalogue.artwork_key(digest)
    content = StoredRange(key, 0, (await services.store.head(key)).size_bytes, f'"{digest}"', "image/jpeg")
    response, _ = await send(request, content, CACHING, services.store, services.settings.http.idle_timeout_s)
    return response
