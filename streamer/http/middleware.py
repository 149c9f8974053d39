"""What happens to every request, around its handler."""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Collection

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from config.settings import HttpSettings
from streamer.edge.paths import hide_token
from streamer.http.problems import DEFECT, error_response, http_exception_response, problem_of
from streamer.telemetry import Metrics

log = structlog.get_logger()

REQUEST_ID = web.RequestKey("request_id", str)
STARTED = web.RequestKey("started", bool)
"The answer's header is out."
_GIVEN_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
QUIET_ROUTES = ("/healthz", "/readyz", "/metrics")

API_METHODS = "GET, HEAD, POST, PATCH, DELETE, OPTIONS"
API_HEADERS = (
    "Authorization, Content-Type, X-Request-Id, X-HTTP-Method-Override, "
    "Tus-Resumable, Upload-Length, Upload-Offset, Upload-Metadata, Upload-Checksum, Upload-Concat, Upload-Defer-Length"
)
API_EXPOSED = (
    "Location, Retry-After, X-Request-Id, "
    "Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, "
    "Upload-Length, Upload-Offset, Upload-Expires, Upload-Metadata, Upload-Concat"
)
MEDIA_HEADERS = "Range, If-Range, If-Match, If-None-Match, Cache-Control, X-Request-Id"
MEDIA_EXPOSED = "Content-Length, Content-Range, Accept-Ranges, ETag, Retry-After, X-Request-Id"
PREFLIGHT_S = "86400"


def observe(metrics: Metrics) -> Middleware:
    """Give each request an id, count it, and log it without its token."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = request[REQUEST_ID] = given if _GIVEN_ID.fullmatch(given) else secrets.token_urlsafe(12)
        resource = request.match_info.route.resource
        route = resource.canonical if resource else "none"
        started_s = time.perf_counter()
        status = 499  # the client left before there was an answer
        metrics.running.inc()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                response = await handler(request)
                status = response.status
                return response
            finally:
                metrics.running.dec()
                duration_s = time.perf_counter() - started_s
                metrics.requests.labels(route, _known_method(request), str(status)).inc()
                metrics.request_seconds.labels(route).observe(duration_s)
                (log.debug if route in QUIET_ROUTES else log.info)(
                    "request",
                    method=request.method,
                    path=hide_token(request.raw_path),
                    status=status,
                    duration_ms=round(duration_s * 1000, 1),
                    remote=request.remote,
                )

    return middleware


def _known_method(request: web.Request) -> str:
    # A client could otherwise make as many time series as it can invent methods.
    return request.method if request.method in hdrs.METH_ALL else "other"


def turn_errors_into_problems() -> Middleware:
    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        request_id = request[REQUEST_ID]
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return http_exception_response(error, request_id)
        except ConnectionError:
            raise  # the client has gone, nobody is there to answer
        except Exception as error:
            problem = problem_of(error)
            if STARTED in request:
                log.warning("answer broken off", code=problem.code, error=str(error))
                if request.transport is not None:
                    request.transport.abort()  # a polite end would look like the end of the body
                raise ConnectionResetError("answer broken off") from error
            if problem is DEFECT:
                log.exception("defect", route=request.match_info.route.resource)
            elif problem.status >= 500:
                log.warning("cannot answer", code=problem.code, error=str(error))
            return error_response(error, request_id)

    return middleware


def limit_time(settings: HttpSettings) -> Middleware:
    """Give up on what is not a transfer after `request_timeout_s`; transfers watch their own progress."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_transfer(request.path):
            return await handler(request)
        async with asyncio.timeout(settings.request_timeout_s):
            return await handler(request)

    return middleware


def is_transfer(path: str) -> bool:
    return path.startswith(("/m/", "/api/v1/uploads", "/api/v1/artwork/")) or path.endswith("/events")


def answer_preflights(api_origins: Collection[str]) -> Middleware:
    """Answer what browsers ask before they let a page of another origin call us."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method != hdrs.METH_OPTIONS or hdrs.ACCESS_CONTROL_REQUEST_METHOD not in request.headers:
            return await handler(request)
        response = web.Response(status=204)
        if request.path.startswith("/m/"):
            allowed = {"Methods": "GET, HEAD, OPTIONS", "Headers": MEDIA_HEADERS, "Max-Age": PREFLIGHT_S}
        elif request.headers.get(hdrs.ORIGIN) in api_origins:
            allowed = {"Methods": API_METHODS, "Headers": API_HEADERS, "Max-Age": PREFLIGHT_S}
        else:
            allowed = {}
        for name, value in allowed.items():
            response.headers[f"Access-Control-{'' if name == 'Max-Age' else 'Allow-'}{name}"] = value
        return response

    return middleware


def add_headers(api_origins: Collection[str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Headers of all answers, for `on_response_prepare`: a stream is out before a middleware sees it."""

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        request[STARTED] = True
        headers = response.headers
        headers["Server"] = "Marquee"  # and no version of anything
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "no-referrer")
        if REQUEST_ID in request:
            headers["X-Request-Id"] = request[REQUEST_ID]
        if request.path.startswith("/m/"):
            headers["Access-Control-Allow-Origin"] = "*"
            headers["Access-Control-Expose-Headers"] = MEDIA_EXPOSED
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            headers["Timing-Allow-Origin"] = "*"
        elif request.path.startswith("/api/"):
            headers.setdefault("Cache-Control", "no-store")
            headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
            if api_origins:
                headers.add("Vary", "Origin")
            if (origin := request.headers.get(hdrs.ORIGIN, "")) in api_origins:
                headers["Access-Control-Allow-Origin"] = origin
                headers["Access-Control-Expose-Headers"] = API_EXPOSED

    return on_prepare
