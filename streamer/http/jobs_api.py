"""What an encode does or waits for, as JSON and as a stream of events; its end on request."""

import asyncio
import contextlib

from aiohttp import hdrs, web

from streamer.http.bodies import JobBody, JobList, ReasonBody
from streamer.http.requests import SERVICES, answer, path_id, studio_member
from streamer.studio.ledger import ACTIVE, AUTOMATIC
from streamer.tables import JobRow

LOOK_EVERY_S = 0.5
"How often the ledger is asked for news; jobs report there about once a second."
SILENCE_S = 15.0
"A comment is sent after so long without news, so that nothing between takes the stream for dead."


STOPPING = web.AppKey("stopping", asyncio.Event)
"Set when the server is asked to stop: streams of events would otherwise keep it for all of its grace."


def jobs_routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/jobs", jobs),
        web.get("/api/v1/titles/{id}/job", job),
        web.get("/api/v1/titles/{id}/job/events", job_events),
        web.delete("/api/v1/titles/{id}/job", cancel),
    ]


async def jobs(request: web.Request) -> web.Response:
    await studio_member(request)
    rows = await request.app[SERVICES].ledger.jobs()
    return answer(JobList(items=[_body(row) for row in rows]))


async def job(request: web.Request) -> web.Response:
    await studio_member(request)
    return answer(_body(await request.app[SERVICES].ledger.job_of(path_id(request, "id"))))


async def cancel(request: web.Request) -> web.Response:
    await studio_member(request)
    return answer(_body(await request.app[SERVICES].owner.cancel(path_id(request, "id"))))


async def job_events(request: web.Request) -> web.StreamResponse:
    """Server-sent events (WHATWG HTML, 9.2): the job whenever it changes; the last one when it has ended."""
    await studio_member(request)
    ledger, title_id, stopping = request.app[SERVICES].ledger, path_id(request, "id"), request.app[STOPPING]
    row = await ledger.job_of(title_id)
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream", hdrs.CACHE_CONTROL: "no-store"})
    await response.prepare(request)
    told, silent_s = "", 0.0
    while True:
        news = _body(row).model_dump_json()
        if news != told:
            await response.write(f"event: job\ndata: {news}\n\n".encode())
            told, silent_s = news, 0.0
        elif silent_s >= SILENCE_S:
            await response.write(b": still here\n\n")
            silent_s = 0.0
        if stopping.is_set() or not _goes_on(row):
            return response
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), LOOK_EVERY_S)
        silent_s += LOOK_EVERY_S
        row = await ledger.job_of(title_id)


def _goes_on(row: JobRow) -> bool:
    """Whether there is more to come by itself, and soon."""
    return row.state in ACTIVE or (row.state == "ready" and row.publish == AUTOMATIC)


def _body(row: JobRow) -> JobBody:
    reason = ReasonBody(code=row.reason_code, sentence=row.reason_sentence) if row.reason_code else None
    return JobBody(
        title_id=row.title_id,
        job_id=row.id,
        version=row.version,
        state=row.state,
        progress=row.progress,
        playable=row.state in ("ready", "published"),
        reason=reason,
        stage=row.stage,
        notes=list(row.plan["notes"]) if row.plan else [],
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
