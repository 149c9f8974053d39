import asyncio
import json

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import LogCapture

from config.settings import HttpSettings
from streamer.http.middleware import limit_time, observe, turn_errors_into_problems
from streamer.telemetry import Metrics, redact
from tests.streamer_helpers import House, open_house


async def test_a_request_id_is_taken_over_if_it_is_harmless_and_made_otherwise(house: House) -> None:
    response, _ = await house.get("/healthz", headers={"X-Request-Id": "from-the-proxy-1"})
    assert response.headers["X-Request-Id"] == "from-the-proxy-1"
    for odd in ("short", "x" * 65, 'with "quotes" in it', "with spaces in it"):
        response, _ = await house.get("/healthz", headers={"X-Request-Id": odd})
        assert response.headers["X-Request-Id"] != odd
        assert len(response.headers["X-Request-Id"]) == 16


async def test_the_log_has_a_line_for_each_request_and_no_secret_in_it(house: House) -> None:
    session = await house.play(await house.sign_in(), await house.add_title())
    token = session["base"].split("/")[2].removeprefix("URISigningPackage=")
    capture = LogCapture()
    before = structlog.get_config()["processors"]
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, redact, capture])
    try:
        response, _ = await house.get(session["base"] + "dash/manifest.mpd?key=secret")
        await house.get(f"/m/urisigningpackage={token}/../x")
        await house.get("/api/v1/titles?q=secret")
    finally:
        structlog.configure(processors=before)
    lines = json.dumps(capture.entries)
    assert token not in lines
    assert token.split(".")[1] not in lines
    assert "secret" not in lines
    line = capture.entries[0]
    assert (line["event"], line["method"], line["status"]) == ("request", "GET", 200)
    assert line["path"].startswith("/m/URISigningPackage=***/")
    assert line["request_id"] == response.headers["X-Request-Id"]
    assert len(capture.entries) == 3


async def test_the_api_allows_the_origins_of_the_settings_and_no_other(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    http = HttpSettings(cors_origins=("https://watch.example.org",))
    async with open_house(tmp_path_factory.mktemp("house"), http=http) as house:
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        for origin, is_allowed in (
            ("https://watch.example.org", True),
            ("https://evil.example", False),
            ("null", False),
        ):
            response, _ = await house.get("/api/v1/titles", headers={"Origin": origin})
            assert (response.headers.get("Access-Control-Allow-Origin") == origin) is is_allowed
            assert response.headers["Vary"] == "Origin"
            async with house.client.options("/api/v1/titles", headers={"Origin": origin, **asked}) as preflight:
                assert preflight.status == 204
                assert ("Access-Control-Allow-Methods" in preflight.headers) is is_allowed
                assert (preflight.headers.get("Access-Control-Allow-Origin") == origin) is is_allowed


async def test_without_origins_in_the_settings_no_other_page_may_call(house: House) -> None:
    response, _ = await house.get("/api/v1/titles", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_answers_of_the_api_are_not_kept_not_sniffed_and_not_framed(house: House) -> None:
    response, _ = await house.get("/api/v1/titles")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Server"] == "Marquee"


async def test_a_method_that_a_route_does_not_have_is_405_and_names_those_it_has(house: House) -> None:
    async with house.client.put("/api/v1/titles", json={}) as response:
        assert (response.status, (await response.json())["code"]) == (405, "method-not-allowed")
        assert "GET" in response.headers["Allow"]


async def _client(handler: object, path: str = "/x") -> TestClient[web.Request, web.Application]:
    settings = HttpSettings(request_timeout_s=0.1)
    app = web.Application(middlewares=[observe(Metrics()), turn_errors_into_problems(), limit_time(settings)])
    app.router.add_get(path, handler)  # type: ignore[arg-type]
    client = TestClient(TestServer(app))
    await client.start_server()
    return client


async def test_a_handler_that_takes_too_long_is_503_unless_it_is_a_transfer() -> None:
    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(0.3)
        return web.Response()

    for path, status in (("/x", 503), ("/api/v1/uploads/x", 200), ("/api/v1/titles/x/job/events", 200)):
        client = await _client(slow, path)
        async with client.get(path) as response:
            assert response.status == status
        await client.close()


async def test_a_defect_is_a_500_that_tells_nothing() -> None:
    async def broken(_request: web.Request) -> web.Response:
        raise ZeroDivisionError("secret")

    client = await _client(broken)
    async with client.get("/x") as response:
        assert (response.status, response.content_type) == (500, "application/problem+json")
        assert "secret" not in await response.text()
    await client.close()
