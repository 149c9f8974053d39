from typing import Any

import pytest

from streamer.identifiers import new_id
from streamer.members.accounts import Role
from tests.streamer_helpers import House
from tests.titles import FILM, SONG, make_index


async def _json(house: House, method: str, path: str, headers: dict[str, str], body: Any = None) -> tuple[int, Any]:
    async with house.client.request(method, f"/api/v1/titles{path}", headers=headers, json=body) as response:
        return response.status, await response.json()


async def test_a_viewer_sees_what_is_published_and_whether_the_plan_opens_it(house: House) -> None:
    film = await house.add_title("A film")
    house.clock.pass_s(1)
    song = await house.add_title("A song", "song", index=make_index(tracks=SONG))
    house.clock.pass_s(1)
    await house.services.catalogue.create("film", "A draft")
    status, page = await _json(house, "GET", "", await house.sign_in(plan="music"))
    assert status == 200
    assert page["next_cursor"] is None
    assert [(item["id"], item["allowed"]) for item in page["items"]] == [(song, True), (film, False)]
    assert page["items"][1] == {
        "id": film,
        "kind": "film",
        "name": "A film",
        "artist": "",
        "album": "",
        "duration_s": 12.0,
        "artwork": {"poster": None},
        "state": "published",
        "allowed": False,
        "reasons": [{"code": "plan-kind", "sentence": "The plan Music does not include films."}],
    }


async def test_lists_are_filtered_and_paged(house: House) -> None:
    for name in ("One", "Two", "Three"):
        await house.add_title(name)
        house.clock.pass_s(1)
    headers = await house.sign_in()
    assert [item["name"] for item in (await _json(house, "GET", "?q=tw&kind=film", headers))[1]["items"]] == ["Two"]
    first = (await _json(house, "GET", "?limit=2", headers))[1]
    second = (await _json(house, "GET", f"?limit=2&cursor={first['next_cursor']}", headers))[1]
    assert [item["name"] for item in first["items"] + second["items"]] == ["Three", "Two", "One"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "query", ["kind=opera", "limit=0", "limit=101", "limit=x", "limit=-1", "limit=%D9%A1", "cursor=x"]
)
async def test_a_bad_query_is_400(house: House, query: str) -> None:
    status, problem = await _json(house, "GET", f"?{query}", await house.sign_in())
    assert (status, problem["code"]) == (400, "invalid-request")


async def test_only_the_studio_sees_drafts(house: House) -> None:
    draft = await house.services.catalogue.create("film", "A draft")
    viewer, studio = await house.sign_in(), await house.sign_in("studio", role=Role.STUDIO)
    assert (await _json(house, "GET", "?all=1", viewer))[0] == 403
    assert [item["state"] for item in (await _json(house, "GET", "?all=1", studio))[1]["items"]] == ["draft"]
    assert (await _json(house, "GET", "", studio))[1]["items"] == []
    assert (await _json(house, "GET", f"/{draft.id}", viewer))[0] == 404
    assert (await _json(house, "GET", f"/{draft.id}", studio))[1]["tracks"] == []


async def test_a_title_tells_its_tracks_and_the_state_of_its_entitlement(house: House) -> None:
    film = await house.add_title()
    status, detail = await _json(house, "GET", f"/{film}", await house.sign_in(plan="free"))
    assert status == 200
    assert [track["id"] for track in detail["tracks"]] == [track.id for track in FILM]
    assert detail["tracks"][0] == {
        "id": "v1080",
        "kind": "video",
        "codec": "avc1.640028",
        "width": 1920,
        "height": 1080,
        "bandwidth_bps": 1200000,
        "language": "und",
        "role": "main",
    }
    assert detail["allowed"]
    assert [reason["code"] for reason in detail["reasons"]] == ["plan-height"]
    assert detail["versions"] is None
    assert detail["published_at"].startswith("2026-11-22T08:00:00")


@pytest.mark.parametrize("path", ["/nonsense", "/" + "A" * 22, "/..%2f..%2fetc", "/" + "A" * 23])
async def test_an_unknown_title_is_404(house: House, path: str) -> None:
    status, problem = await _json(house, "GET", path, await house.sign_in())
    assert (status, problem["code"]) == (404, "not-found")


async def test_the_studio_makes_changes_publishes_and_unpublishes(house: House) -> None:
    headers = await house.sign_in("studio", role=Role.STUDIO)
    status, made = await _json(house, "POST", "", headers, {"name": " A film ", "kind": "film", "artist": "Nina"})
    assert (status, made["name"], made["state"], made["artist"]) == (201, "A film", "draft", "Nina")
    path = f"/{made['id']}"
    assert (await _json(house, "PATCH", path, headers, {"name": "B", "description": "d"}))[1]["name"] == "B"
    status, problem = await _json(house, "POST", f"{path}/publish", headers)
    assert (status, problem["code"]) == (409, "conflict")
    for number in (1, 2):
        await house.add_version(made["id"], number)
    assert (await _json(house, "POST", f"{path}/publish", headers))[1]["state"] == "published"
    status, detail = await _json(house, "POST", f"{path}/publish", headers, {"version": 1})
    assert [(version["version"], version["published"]) for version in detail["versions"]] == [(2, False), (1, True)]
    assert (await _json(house, "POST", f"{path}/publish", headers, {"version": 3}))[0] == 404
    status, detail = await _json(house, "POST", f"{path}/unpublish", headers)
    assert (status, detail["state"], detail["published_at"]) == (200, "ready", None)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "", {"name": "A", "kind": "film"}),
        ("PATCH", "/" + "A" * 22, {"name": "A"}),
        ("POST", "/" + "A" * 22 + "/publish", None),
        ("POST", "/" + "A" * 22 + "/unpublish", None),
    ],
)
async def test_viewers_change_nothing(house: House, method: str, path: str, body: Any) -> None:
    status, problem = await _json(house, method, path, await house.sign_in(), body)
    assert (status, problem["code"]) == (403, "role-required")
    assert (await _json(house, method, path, {}, body))[0] == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "A"},
        {"name": " ", "kind": "film"},
        {"name": "A", "kind": "opera"},
        {"name": "A" * 301, "kind": "film"},
    ],
)
async def test_a_title_needs_a_name_and_a_kind(house: House, body: Any) -> None:
    headers = await house.sign_in("studio", role=Role.STUDIO)
    assert (await _json(house, "POST", "", headers, body))[0] == 400


async def test_what_is_done_to_an_unknown_title_is_404(house: House) -> None:
    headers = await house.sign_in("studio", role=Role.STUDIO)
    for method, path in (("PATCH", ""), ("POST", "/publish"), ("POST", "/unpublish")):
        assert (await _json(house, method, f"/{new_id()}{path}", headers, {}))[0] == 404
