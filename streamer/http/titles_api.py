"""The catalogue: lists, titles, and what the studio does with them."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from config.plans import TITLE_KINDS
from manifests.index import Track
from streamer.catalogue.pages import LONGEST_PAGE
from streamer.catalogue.titles import Title
from streamer.errors import InvalidRequest, Reason, RoleRequired
from streamer.http.bodies import (
    Artwork,
    NewTitle,
    Publish,
    ReasonBody,
    TitleChanges,
    TitleDetail,
    TitleItem,
    TitlePage,
    TrackBody,
    VersionBody,
)
from streamer.http.requests import SERVICES, answer, path_id, read_body, read_number, signed_in, studio_member
from streamer.members.accounts import Member
from streamer.members.decision import reasons_against

DEFAULT_PAGE = 50


def titles_routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/titles", titles),
        web.post("/api/v1/titles", create),
        web.get("/api/v1/titles/{id}", title),
        web.patch("/api/v1/titles/{id}", change),
        web.post("/api/v1/titles/{id}/publish", publish),
        web.post("/api/v1/titles/{id}/unpublish", unpublish),
    ]


async def titles(request: web.Request) -> web.Response:
    member = (await signed_in(request)).member
    kind, show_all = request.query.get("kind", ""), request.query.get("all") == "1"
    if kind and kind not in TITLE_KINDS:
        raise InvalidRequest(f"kind is one of {', '.join(TITLE_KINDS)}")
    if show_all and not member.is_studio:
        raise RoleRequired("only the studio sees what is not published")
    page = await request.app[SERVICES].catalogue.list(
        text=request.query.get("q", "").strip()[:200],
        kind=kind,
        cursor=request.query.get("cursor", "")[:200],
        limit=read_number(request, "limit", DEFAULT_PAGE, LONGEST_PAGE),
        only_published=not show_all,
    )
    items = [_item(request, member, each) for each in page.titles]
    return answer(TitlePage(items=items, next_cursor=page.next_cursor))


async def create(request: web.Request) -> web.Response:
    member = (await studio_member(request)).member
    body = await read_body(request, NewTitle)
    created = await request.app[SERVICES].catalogue.create(
        body.kind, body.name, description=body.description, artist=body.artist, album=body.album
    )
    location = {"Location": f"/api/v1/titles/{created.id}"}
    return answer(await _detail(request, member, created), 201, location)


async def title(request: web.Request) -> web.Response:
    member = (await signed_in(request)).member
    shown = await request.app[SERVICES].playback.visible_title(member, path_id(request, "id"))
    return answer(await _detail(request, member, shown))


async def change(request: web.Request) -> web.Response:
    member = (await studio_member(request)).member
    changes = (await read_body(request, TitleChanges)).model_dump(exclude_none=True)
    changed = await request.app[SERVICES].catalogue.change(path_id(request, "id"), changes)
    return answer(await _detail(request, member, changed))


async def publish(request: web.Request) -> web.Response:
    member = (await studio_member(request)).member
    body = await read_body(request, Publish)
    services, title_id = request.app[SERVICES], path_id(request, "id")
    await services.shelf.publish(title_id, body.version)
    return answer(await _detail(request, member, await services.catalogue.get(title_id)))


async def unpublish(request: web.Request) -> web.Response:
    member = (await studio_member(request)).member
    services, title_id = request.app[SERVICES], path_id(request, "id")
    await services.shelf.unpublish(title_id)
    return answer(await _detail(request, member, await services.catalogue.get(title_id)))


def _item(request: web.Request, member: Member, shown: Title) -> TitleItem:
    reasons = reasons_against(member, request.app[SERVICES].plans.get(member.plan_id), shown.kind)
    return TitleItem(**_common(shown), allowed=not reasons, reasons=_reasons(reasons))


async def _detail(request: web.Request, member: Member, shown: Title) -> TitleDetail:
    services = request.app[SERVICES]
    item, tracks = _item(request, member, shown), []
    if shown.version is not None:
        index = await services.playback.index(shown)
        decision = services.playback.decision(member, shown, index)
        item = item.model_copy(update={"allowed": decision.is_allowed, "reasons": _reasons(decision.reasons)})
        tracks = [_track(track) for track in index.tracks]
    return TitleDetail(
        **dict(item),
        description=shown.description,
        created_at=shown.created_at,
        published_at=shown.published_at,
        tracks=tracks,
        versions=await _versions(request, shown) if member.is_studio else None,
    )


def _common(shown: Title) -> dict[str, Any]:
    version = shown.version
    poster = f"/api/v1/artwork/{version.poster}.jpg" if version and version.poster else None
    return {
        "id": shown.id,
        "kind": shown.kind,
        "name": shown.name,
        "artist": shown.artist,
        "album": shown.album,
        "duration_s": version.duration_s if version else None,
        "artwork": Artwork(poster=poster),
        "state": shown.state,
    }


def _reasons(reasons: Sequence[Reason]) -> list[ReasonBody]:
    return [ReasonBody(code=reason.code, sentence=reason.sentence) for reason in reasons]


def _track(track: Track) -> TrackBody:
    return TrackBody(
        id=track.id,
        kind=track.kind.value,
        codec=track.codec,
        width=track.width or None,
        height=track.height or None,
        bandwidth_bps=track.peak_bps,
        language=track.language,
        role=track.role,
    )


async def _versions(request: web.Request, shown: Title) -> list[VersionBody]:
    return [
        VersionBody(
            version=version.number,
            duration_s=version.duration_s,
            height=version.height,
            created_at=version.created_at,
            published=version.number == shown.published_version,
        )
        for version in await request.app[SERVICES].catalogue.versions(shown.id)
    ]
