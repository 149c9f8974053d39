"""The application: all routes, and what stands around them."""

import asyncio

from aiohttp import web

from streamer.http.artwork_api import artwork_routes
from streamer.http.auth_api import auth_routes
from streamer.http.jobs_api import STOPPING, jobs_routes
from streamer.http.media_api import media_routes
from streamer.http.middleware import add_headers, answer_preflights, limit_time, observe, turn_errors_into_problems
from streamer.http.pages_api import pages_routes
from streamer.http.playback_api import playback_routes
from streamer.http.requests import SERVICES
from streamer.http.system_api import system_routes
from streamer.http.titles_api import titles_routes
from streamer.http.uploads_api import add_tus_headers, uploads_routes
from streamer.services import Services

LARGEST_BODY = 64 * 1024
"Of a request that is read whole; uploads and downloads are streams."


def create_app(services: Services) -> web.Application:
    origins, public_url = services.settings.http.cors_origins, services.settings.http.public_url
    app = web.Application(
        middlewares=[
            observe(services.metrics),
            turn_errors_into_problems(),
            answer_preflights(origins),
            limit_time(services.settings.http),
        ],
        client_max_size=LARGEST_BODY,
    )
    app[SERVICES] = services
    app[STOPPING] = asyncio.Event()
    app.on_shutdown.append(_tell_streams)
    app.on_response_prepare.append(add_headers(origins))
    app.on_response_prepare.append(add_tus_headers)
    for routes in (
        system_routes(),
        auth_routes(),
        titles_routes(),
        uploads_routes(),
        jobs_routes(),
        playback_routes(),
        artwork_routes(),
        media_routes(),
        pages_routes([public_url] if public_url else []),
    ):
        app.add_routes(routes)
    return app


async def _tell_streams(app: web.Application) -> None:
    app[STOPPING].set()
