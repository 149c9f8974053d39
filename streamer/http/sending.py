"""How bytes with a strong ETag leave: conditions, ranges, and streams that never hold more than a block."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import hdrs, web

from storage.store import ObjectStore
from streamer.edge.ranges import Span, Unsatisfiable, is_precondition_met, is_unchanged, requested_span
from streamer.origin.origin import Made, StoredRange


async def send(
    request: web.Request,
    content: Made | StoredRange,
    caching: str,
    store: ObjectStore,
    idle_timeout_s: float,
) -> tuple[web.StreamResponse, int]:
    """Answer GET or HEAD; gives the response and how many bytes of content it carries.

    caching: the value of Cache-Control.
    idle_timeout_s: how long a client may take nothing of what it asked for.

    Raises ObjectNotFound, StoreUnavailable.
    """
    headers: dict[str, str] = {
        hdrs.CONTENT_TYPE: content.content_type,
        hdrs.CACHE_CONTROL: caching,
        hdrs.ETAG: content.etag,
        hdrs.ACCEPT_RANGES: "bytes",
    }
    size = len(content.body) if isinstance(content, Made) else content.size_bytes
    if not is_precondition_met(request.headers.get(hdrs.IF_MATCH), content.etag):
        return web.Response(status=412, headers=_uncached(headers)), 0
    if is_unchanged(request.headers.get(hdrs.IF_NONE_MATCH), content.etag):
        return web.Response(status=304, headers=headers), 0
    if request.method == hdrs.METH_HEAD:
        return web.Response(headers={**headers, hdrs.CONTENT_LENGTH: str(size)}), 0
    try:
        given = request.headers.get(hdrs.RANGE), request.headers.get(hdrs.IF_RANGE)
        part = requested_span(*given, content.etag, size)
    except Unsatisfiable:
        return web.Response(status=416, headers={**_uncached(headers), hdrs.CONTENT_RANGE: f"bytes */{size}"}), 0
    span = part or Span(0, size)
    if part:
        headers[hdrs.CONTENT_RANGE] = f"bytes {span.offset}-{span.offset + span.size - 1}/{size}"
    status = 206 if part else 200
    if isinstance(content, Made):
        return web.Response(
            body=content.body[span.offset : span.offset + span.size], status=status, headers=headers
        ), span.size
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = span.size
    blocks = store.stream(content.object_key, content.offset_bytes + span.offset, span.size)
    await _stream(request, response, blocks, idle_timeout_s)
    return response, span.size


async def _stream(
    request: web.Request, response: web.StreamResponse, blocks: AsyncGenerator[bytes, None], idle_timeout_s: float
) -> None:
    async with aclosing(blocks):
        # Before the header goes out, so that a store that is away is still a 503.
        block = await anext(blocks, b"")
        await response.prepare(request)
        while block:
            async with asyncio.timeout(idle_timeout_s):
                await response.write(block)
            block = await anext(blocks, b"")
        await response.write_eof()


def _uncached(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, hdrs.CACHE_CONTROL: "no-store"}
