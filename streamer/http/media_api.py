"""Manifests and segments for whoever holds a token for them."""

from aiohttp import web

from streamer.edge.authorise import authorise
from streamer.edge.paths import (
    InitSegment,
    MediaPath,
    MediaPlaylist,
    MediaSegment,
    Mpd,
    Multivariant,
    TextFile,
    TextSegment,
    parse_media_path,
)
from streamer.http.requests import SERVICES
from streamer.http.sending import send
from streamer.members.playback_tokens import Grant
from streamer.origin.origin import Made, Origin, StoredRange

ONE_YEAR_S = 31536000


def media_routes() -> list[web.RouteDef]:
    # One route for all: the grammar wants the path as it came, and the router would have decoded it.
    return [web.get("/m/{path:.*}", media)]


async def media(request: web.Request) -> web.StreamResponse:
    services = request.app[SERVICES]
    path = parse_media_path(request.raw_path)
    grant = services.gate.grant(path.token, services.now().timestamp())
    authorise(grant, path)
    content = await find(services.origin, grant, path)
    reach = "public" if services.settings.playback.shared_cache else "private"
    caching = f"{reach}, max-age={ONE_YEAR_S}, immutable"
    response, sent_bytes = await send(request, content, caching, services.store, services.settings.http.idle_timeout_s)
    services.metrics.media_bytes.labels(type(path.resource).__name__).inc(sent_bytes)
    return response


async def find(origin: Origin, grant: Grant, path: MediaPath) -> Made | StoredRange:
    """What a path names."""
    version, scheme = (path.title_id, path.version), grant.scheme
    match path.resource:
        case Multivariant():
            return await origin.multivariant(*version, grant.track_ids, scheme)
        case MediaPlaylist(track_id):
            return await origin.playlist(*version, grant.track_ids, scheme, track_id)
        case Mpd():
            return await origin.mpd(*version, grant.track_ids, scheme)
        case InitSegment(_, track_id):
            return await origin.init(*version, scheme, track_id)
        case MediaSegment(_, track_id, number):
            return await origin.segment(*version, scheme, track_id, number)
        case TextSegment(_, track_id, number):
            return await origin.text_segment(*version, scheme, track_id, number)
        case TextFile(_, track_id):
            return await origin.text_file(*version, scheme, track_id)
