"""The pages: `/`, `/studio` and what they are made of, below `/web/`.

Everything is read once, at start, and served from memory. Names carry no hash, so a browser asks every time and hears
304 while nothing changed: an update is seen at once and two versions never mix for longer than one page load.
"""

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp import web

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".LICENSE": "text/plain; charset=utf-8",
}
PAGES = {"/": "index.html", "/studio": "studio.html"}


@dataclass(frozen=True, slots=True)
class Page:
    """One file, as it leaves."""

    body: bytes
    gzipped: bytes
    content_type: str
    etag: str
    "Strong validator of the body, without quotes; the compressed form has its own."


def pages_routes(media_origins: Sequence[str] = ()) -> list[web.RouteDef]:
    """The routes of the pages.

    media_origins: where media and artwork come from if not from the pages' own origin, as `https://cdn.example.org`.
    """
    found = read_pages(files("streamer").joinpath("web"))
    headers = security_headers(media_origins)

    async def page(request: web.Request) -> web.Response:
        return answer(request, found[PAGES[request.path]], headers)

    async def asset(request: web.Request) -> web.Response:
        file = found.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound(text="there is no such file among the pages")
        return answer(request, file, headers)

    return [*(web.get(path, page) for path in PAGES), web.get("/web/{name:.+}", asset)]


def read_pages(folder: Traversable, prefix: str = "") -> dict[str, Page]:
    """Every file of a known type in the folder and below it, by its path from there."""
    found: dict[str, Page] = {}
    for entry in folder.iterdir():
        content_type = CONTENT_TYPES.get(f".{entry.name.rpartition('.')[2]}")
        if entry.is_dir() and not entry.name.startswith("."):
            found |= read_pages(entry, f"{prefix}{entry.name}/")
        elif entry.is_file() and content_type is not None:
            found[prefix + entry.name] = _page(entry.read_bytes(), content_type)
    return found


def answer(request: web.Request, page: Page, headers: Mapping[str, str]) -> web.Response:
    """200 with the page, or 304 where the browser has it already (RFC 9110, 13.1.2)."""
    gzipped = "gzip" in request.headers.get("Accept-Encoding", "")
    etag = f"{page.etag}-gzip" if gzipped else page.etag
    known = request.if_none_match or ()
    fresh = any(tag.value in ("*", etag) for tag in known)
    response = web.Response(status=304) if fresh else web.Response(body=page.gzipped if gzipped else page.body)
    response.headers.update(headers)
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "no-cache"
    response.etag = etag
    if not fresh:
        response.headers["Content-Type"] = page.content_type
        if gzipped:
            response.headers["Content-Encoding"] = "gzip"
    return response


def security_headers(media_origins: Sequence[str]) -> dict[str, str]:
    """What the browser must not let the pages do, whatever slips into them."""
    media = " ".join(["'self'", *media_origins])
    policy = {
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": media,
        "img-src": f"{media} data: blob:",
        "media-src": f"{media} blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _page(body: bytes, content_type: str) -> Page:
    digest = hashlib.sha256(body).hexdigest()[:32]
    # `mtime=0`: the same bytes at every start, since the validator says so.
    return Page(body, gzip.compress(body, compresslevel=6, mtime=0), content_type, digest)
