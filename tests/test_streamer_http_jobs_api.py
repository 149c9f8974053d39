"""What an encode does or waits for, as JSON and as a stream of events; its end on request."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from config.ladders import load_ladder
from streamer.http.app import create_app
from streamer.http.jobs_api import STOPPING
from streamer.identifiers import new_id
from streamer.members.accounts import Role
from streamer.studio.job_driver import Workplace
from streamer.studio.job_owner import JobOwner
from streamer.tables import JobRow, OriginalRow
from tests.encodes import encode_of
from tests.streamer_helpers import House
from tests.studio_helpers import BenchEngine


@pytest.fixture
async def studio(house: House) -> dict[str, str]:
    return await house.sign_in("studio", role=Role.STUDIO)


async def add_job(house: House, title_id: str = "", publish: str = "manual") -> JobRow:
    services = house.services
    title_id = title_id or (await services.catalogue.create("film", "A film")).id
    original = OriginalRow(
        id=new_id(), title_id=title_id, filename="x", size_bytes=1, sha256="0" * 64, created_at=house.clock()
    )
    async with services.sessions.begin() as session:
        session.add(original)
    house.clock.pass_s(1)
    return await services.ledger.add_job(original.id, publish, "m" * 22)


async def told(house: House, path: str, headers: dict[str, str]) -> Any:
    response, body = await house.get(path, headers=headers)
    assert response.status == 200, body
    return json.loads(body)


async def test_a_job_tells_its_state_its_progress_and_what_it_does(house: House, studio: dict[str, str]) -> None:
    job = await add_job(house)
    await house.services.ledger.fix_plan(job.id, {"notes": ["Two streams were left out."]}, [])
    await house.services.ledger.report(job.id, stage="Encoding: 1 of 2 parts done", progress=0.5)
    body = await told(house, f"/api/v1/titles/{job.title_id}/job", studio)
    assert (body["state"], body["progress"], body["playable"], body["reason"]) == ("encoding", 0.5, False, None)
    assert (body["stage"], body["notes"]) == ("Encoding: 1 of 2 parts done", ["Two streams were left out."])
    assert (body["title_id"], body["version"]) == (job.title_id, 1)


async def test_a_job_that_failed_tells_why(house: House, studio: dict[str, str]) -> None:
    job = await add_job(house)
    await house.services.ledger.end(job.id, "rejected", code="playlist", sentence="It is a playlist.", stage="x")
    body = await told(house, f"/api/v1/titles/{job.title_id}/job", studio)
    assert body["reason"] == {"code": "playlist", "sentence": "It is a playlist."}


async def test_all_jobs_are_listed_the_newest_first(house: House, studio: dict[str, str]) -> None:
    jobs = [await add_job(house) for _ in range(3)]
    body = await told(house, "/api/v1/jobs", studio)
    assert [item["job_id"] for item in body["items"]] == [job.id for job in reversed(jobs)]


@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("DELETE", ""), ("GET", "/events")])
async def test_a_title_without_a_job_has_none(house: House, studio: dict[str, str], method: str, end: str) -> None:
    title = await house.services.catalogue.create("film", "A film")
    for title_id in (title.id, "x" * 22, "no-id"):
        async with house.client.request(method, f"/api/v1/titles/{title_id}/job{end}", headers=studio) as response:
            assert (response.status, (await response.json())["code"]) == (404, "not-found")


@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("DELETE", ""), ("GET", "/events")])
async def test_jobs_are_for_the_studio_alone(house: House, method: str, end: str) -> None:
    job, viewer = await add_job(house), await house.sign_in()
    for headers, status in ((viewer, 403), ({}, 401)):
        async with house.client.request(method, f"/api/v1/titles/{job.title_id}/job{end}", headers=headers) as response:
            assert response.status == status
    assert (await house.services.ledger.job(job.id)).state == "probing"


async def next_event(response: ClientResponse) -> dict[str, Any]:
    async with asyncio.timeout(30):
        assert await response.content.readline() == b"event: job\n"
        data = await response.content.readline()
        assert data.startswith(b"data: ")
        assert await response.content.readline() == b"\n"
    event: dict[str, Any] = json.loads(data.removeprefix(b"data: "))
    return event


@asynccontextmanager
async def listening(house: House, job: JobRow, headers: dict[str, str]) -> AsyncIterator[ClientResponse]:
    async with house.client.get(f"/api/v1/titles/{job.title_id}/job/events", headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        yield response


async def test_events_tell_each_change_and_end_with_the_job(house: House, studio: dict[str, str]) -> None:
    job = await add_job(house)
    async with listening(house, job, studio) as response:
        assert (await next_event(response))["state"] == "probing"
        await house.services.ledger.report(job.id, stage="Encoding", progress=0.25)
        assert (await next_event(response))["progress"] == 0.25
        await house.services.ledger.end(job.id, "failed", code="encode-failed", sentence="It broke.")
        assert (await next_event(response))["reason"]["sentence"] == "It broke."
        assert await response.content.read() == b""


async def test_events_go_on_until_a_job_is_published_that_is_to_be(house: House, studio: dict[str, str]) -> None:
    job = await add_job(house, publish="auto")
    async with listening(house, job, studio) as response:
        await next_event(response)
        async with house.services.ledger.finishing(job.id):
            pass
        assert (await next_event(response))["state"] == "ready"
        await house.add_version(job.title_id, 1)
        await house.services.shelf.publish(job.title_id, 1)
        assert (await next_event(response))["state"] == "published"
        assert await response.content.read() == b""


async def test_events_of_a_job_that_is_ready_for_a_person_end(house: House, studio: dict[str, str]) -> None:
    job = await add_job(house, publish="manual")
    async with house.services.ledger.finishing(job.id):
        pass
    async with listening(house, job, studio) as response:
        assert (await next_event(response))["state"] == "ready"
        assert await response.content.read() == b""


async def test_a_server_that_stops_does_not_wait_for_listeners(house: House, studio: dict[str, str]) -> None:
    job = await add_job(house)
    async with listening(house, job, studio) as response:
        await next_event(response)
        house.client.app[STOPPING].set()
        async with asyncio.timeout(5):
            assert await response.content.read() == b""


async def test_a_cancelled_job_says_so_and_cannot_be_cancelled_again(
    house: House, studio: dict[str, str], tmp_path: Path
) -> None:
    services, job = house.services, await add_job(house)
    async with encode_of(Path(__file__), tmp_path / "encode") as encode:
        workplace = Workplace(
            ledger=services.ledger,
            store=services.store,
            engine=BenchEngine(encode.workshop),
            shelf=services.shelf,
            ladder=load_ladder(""),
            settings=services.settings.encode,
            workers=2,
        )
        app = create_app(replace(services, owner=JobOwner(workplace, house.clock)))
        async with TestClient(TestServer(app)) as client:
            path = f"/api/v1/titles/{job.title_id}/job"
            async with client.delete(path, headers=studio) as response:
                assert (response.status, (await response.json())["state"]) == (200, "cancelled")
            async with client.delete(path, headers=studio) as response:
                assert (response.status, (await response.json())["code"]) == (409, "conflict")
