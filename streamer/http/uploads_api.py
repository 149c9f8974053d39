"""Resumable uploads over HTTP: tus 1.0.0 (https://tus.io/protocols/resumable-upload) and its extensions."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from email.utils import format_datetime

from aiohttp import ClientError, hdrs, web

from streamer.errors import InvalidRequest
from streamer.http.requests import SERVICES, path_id, studio_member
from streamer.studio.errors import BodyCut, BodyStalled, UnknownProtocol, WrongContentType
from streamer.studio.upload_headers import CHECKSUMS, read_checksum, read_parts, read_size
from streamer.studio.upload_rows import FINAL, PARTIAL, Upload

FOLDER = "/api/v1/uploads"
VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration,concatenation"
BODY_TYPE = "application/offset+octet-stream"
BLOCK_BYTES = 128 * 1024


def uploads_routes() -> list[web.RouteDef]:
    return [
        web.options(FOLDER, abilities),
        web.post(FOLDER, create),
        web.options(FOLDER + "/{id}", abilities),
        web.post(FOLDER + "/{id}", override),
        web.head(FOLDER + "/{id}", look),
        web.patch(FOLDER + "/{id}", append),
        web.delete(FOLDER + "/{id}", terminate),
    ]


async def add_tus_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Headers of all answers, problems among them; for the signal `on_response_prepare`."""
    if request.path.startswith(FOLDER):
        response.headers["Tus-Resumable"] = VERSION
        if response.status == 412:
            response.headers["Tus-Version"] = VERSION


async def abilities(request: web.Request) -> web.Response:
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(request.app[SERVICES].settings.upload.max_bytes),
        "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
    }
    return web.Response(status=204, headers=headers)


async def create(request: web.Request) -> web.Response:
    """Begin an upload, with the first bytes of it where the body has some; or join partial uploads."""
    uploads, member_id = request.app[SERVICES].uploads, await _member_id(request)
    metadata, concat = request.headers.get("Upload-Metadata", ""), request.headers.get("Upload-Concat", "")
    if concat.startswith(FINAL):
        upload = await uploads.join(member_id, read_parts(concat, FOLDER), metadata)
    elif concat in ("", PARTIAL):
        length = read_size(request.headers.get("Upload-Length", ""), "Upload-Length")
        upload = await uploads.create(member_id, length, metadata, partial=concat == PARTIAL)
        if request.content_type == BODY_TYPE and request.body_exists:
            upload = await _take_body(request, member_id, upload.id, 0)
    else:
        raise InvalidRequest("Upload-Concat must be partial, or final; and addresses")
    # Relative: whichever way the client came to us, it finds us again.
    return web.Response(status=201, headers={hdrs.LOCATION: f"{FOLDER}/{upload.id}", **_progress(upload)})


async def look(request: web.Request) -> web.Response:
    member_id = await _member_id(request)
    upload = await request.app[SERVICES].uploads.get(member_id, path_id(request, "id"))
    headers = {"Upload-Length": str(upload.length_bytes), hdrs.CACHE_CONTROL: "no-store", **_progress(upload)}
    if upload.metadata_header:
        headers["Upload-Metadata"] = upload.metadata_header
    if upload.concat.startswith(FINAL):
        parts = upload.concat.removeprefix(FINAL).split()
        headers["Upload-Concat"] = FINAL + " ".join(f"{FOLDER}/{part}" for part in parts)
    elif upload.concat:
        headers["Upload-Concat"] = upload.concat
    return web.Response(headers=headers)


async def append(request: web.Request) -> web.Response:
    member_id = await _member_id(request)
    if request.content_type != BODY_TYPE:
        raise WrongContentType(f"the body of a PATCH must be {BODY_TYPE}")
    offset = read_size(request.headers.get("Upload-Offset", ""), "Upload-Offset")
    upload = await _take_body(request, member_id, path_id(request, "id"), offset)
    return web.Response(status=204, headers=_progress(upload))


async def terminate(request: web.Request) -> web.Response:
    member_id = await _member_id(request)
    await request.app[SERVICES].uploads.terminate(member_id, path_id(request, "id"))
    return web.Response(status=204)


async def override(request: web.Request) -> web.Response:
    """PATCH or DELETE for clients behind something that knows only POST (tus 1.0.0, X-HTTP-Method-Override)."""
    handlers = {"PATCH": append, "DELETE": terminate}
    method = request.headers.get("X-HTTP-Method-Override", "").upper()
    if method not in handlers:
        raise web.HTTPMethodNotAllowed(request.method, ["HEAD", "PATCH", "DELETE", "OPTIONS"])
    return await handlers[method](request)


async def _member_id(request: web.Request) -> str:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise UnknownProtocol(f"Tus-Resumable must be {VERSION}")
    return (await studio_member(request)).member.id


async def _take_body(request: web.Request, member_id: str, upload_id: str, offset: int) -> Upload:
    services, checksum = request.app[SERVICES], request.headers.get("Upload-Checksum")
    return await services.uploads.append(
        member_id,
        upload_id,
        offset,
        _blocks(request, services.settings.upload.idle_timeout_s),
        announced_bytes=request.content_length or 0,
        checksum=read_checksum(checksum) if checksum else None,
    )


async def _blocks(request: web.Request, idle_timeout_s: float) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(idle_timeout_s):
                block = await request.content.read(BLOCK_BYTES)
        except TimeoutError as error:
            raise BodyStalled(f"no byte came for {idle_timeout_s:g} s; what had come is kept") from error
        except (ClientError, ConnectionError, web.RequestPayloadError) as error:
            raise BodyCut("the connection broke; what had come is kept") from error
        if not block:
            return
        yield block


def _progress(upload: Upload) -> dict[str, str]:
    headers = {"Upload-Offset": str(upload.offset_bytes)}
    return headers if upload.finished else headers | {"Upload-Expires": _http_time(upload.expires_at)}


def _http_time(time: datetime) -> str:
    return format_datetime(time, usegmt=True)
