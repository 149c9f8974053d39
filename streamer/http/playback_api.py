"""Playback sessions: begun, kept alive, ended."""

from aiohttp import web

from streamer.edge.paths import media_base
from streamer.http.bodies import BeginPlayback, Heartbeat, HeartbeatBody, LicenceUrls, PlaybackBody
from streamer.http.requests import SERVICES, answer, path_id, public_base, read_body, signed_in
from streamer.playback import Playing


def playback_routes() -> list[web.RouteDef]:
    return [
        web.post("/api/v1/titles/{id}/playback", begin),
        web.post("/api/v1/playback/{session_id}/heartbeat", heartbeat),
        web.delete("/api/v1/playback/{session_id}", end),
    ]


async def begin(request: web.Request) -> web.Response:
    services, viewer = request.app[SERVICES], await signed_in(request)
    body = await read_body(request, BeginPlayback)
    playing = await services.playback.begin(viewer, path_id(request, "id"), body.version, body.device.player)
    services.metrics.sessions_begun.inc()
    base = _base(request, playing)
    session = PlaybackBody(
        session_id=playing.session.id,
        hls_url=f"{base}hls/multivariant.m3u8",
        dash_url=f"{base}dash/manifest.mpd",
        licence_urls=LicenceUrls(),
        expires_at=playing.session.expires_at,
        heartbeat_s=services.settings.playback.heartbeat_s,
        resume_s=playing.resume_s,
    )
    return answer(session, 201)


async def heartbeat(request: web.Request) -> web.Response:
    services, viewer = request.app[SERVICES], await signed_in(request)
    body = await read_body(request, Heartbeat)
    session_id = path_id(request, "session_id")
    playing = await services.playback.heartbeat(viewer.member, session_id, body.position_s)
    base = _base(request, playing)
    beat = HeartbeatBody(
        expires_at=playing.session.expires_at,
        heartbeat_s=services.settings.playback.heartbeat_s,
        hls_url=f"{base}hls/multivariant.m3u8" if playing.token else None,
        dash_url=f"{base}dash/manifest.mpd" if playing.token else None,
    )
    return answer(beat)


async def end(request: web.Request) -> web.Response:
    viewer = await signed_in(request)
    await request.app[SERVICES].playback.end(viewer.member, path_id(request, "session_id"))
    return web.Response(status=204)


def _base(request: web.Request, playing: Playing) -> str:
    session = playing.session
    return public_base(request) + media_base(playing.token, session.title_id, session.version)
