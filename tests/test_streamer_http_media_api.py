import asyncio
from pathlib import Path
from typing import Any

import pytest

from config.settings import PlaybackSettings
from tests.postgres import postgres_server
from tests.streamer_helpers import House, open_house
from tests.titles import VTT, segment_bytes

SEGMENT = "clear/v540/2.m4s"
BODY = segment_bytes("v540", 2)
FOREVER = "private, max-age=31536000, immutable"


@pytest.fixture
async def base(house: House) -> str:
    """Path of the media of a session on the free plan, which gives 540 rows."""
    session = await house.play(await house.sign_in(plan="free"), await house.add_title())
    return str(session["base"])


async def _raw(house: House, target: str, method: str = "GET", *headers: str) -> tuple[int, dict[str, str], bytes]:
    """A request as it stands, past all that a client library would tidy up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.client.port)
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    return int(status.split()[1]), {name.lower(): value for name, _, value in (f.partition(": ") for f in fields)}, body


@pytest.mark.parametrize(
    ("resource", "content_type", "content"),
    [
        ("hls/multivariant.m3u8", "application/vnd.apple.mpegurl", b"#EXTM3U"),
        ("hls/v540.m3u8", "application/vnd.apple.mpegurl", b"#EXTM3U"),
        ("dash/manifest.mpd", "application/dash+xml", b"<?xml"),
        ("clear/v540/init.mp4", "video/mp4", b"init of v540"),
        ("clear/a-en-1/init.mp4", "audio/mp4", b"init of a-en-1"),
        ("clear/v540/2.m4s", "video/mp4", BODY),
        ("clear/a-en-1/3.m4s", "audio/mp4", segment_bytes("a-en-1", 3)),
        ("clear/t-de-1/1.vtt", "text/vtt; charset=utf-8", b"WEBVTT"),
        ("clear/t-de-1/all.vtt", "text/vtt; charset=utf-8", VTT),
    ],
)
async def test_every_resource_of_the_session_is_served_to_any_origin_and_kept_for_ever(
    house: House, base: str, resource: str, content_type: str, content: bytes
) -> None:
    response, body = await house.get(base + resource, headers={"Origin": "https://anywhere.example"})
    assert response.status == 200
    assert body.startswith(content)
    headers = response.headers
    assert headers["Content-Type"] == content_type
    assert headers["Cache-Control"] == FOREVER
    assert headers["Content-Length"] == str(len(body))
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Content-Range" in headers["Access-Control-Expose-Headers"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Timing-Allow-Origin"] == "*"
    assert headers["Accept-Ranges"] == "bytes"
    again, _ = await house.get(base + resource, headers={"If-None-Match": headers["ETag"]})
    assert (again.status, again.headers["ETag"], again.headers["Cache-Control"]) == (304, headers["ETag"], FOREVER)


@pytest.mark.parametrize("resource", ["hls/v1080.m3u8", "clear/v1080/init.mp4", "clear/v1080/1.m4s", "cenc/v540/1.m4s"])
async def test_what_the_token_does_not_name_is_403(house: House, base: str, resource: str) -> None:
    response, body = await house.get(base + resource)
    assert (response.status, b"not-authorised" in body) == (403, True)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_token_opens_no_other_title_or_version(house: House, base: str) -> None:
    other = await house.add_title("Another")
    title = base.split("/")[3]
    for changed in (base.replace(title, other), base.replace("/v1-p1/", "/v2-p1/"), base.replace("-p1/", "-p2/")):
        assert (await house.get(changed + SEGMENT))[0].status == 403


@pytest.mark.parametrize(
    "resource", ["clear/v540/4.m4s", "clear/v540/1.vtt", "clear/v540/all.vtt", "clear/t-de-1/1.m4s"]
)
async def test_what_the_title_does_not_have_is_404(house: House, base: str, resource: str) -> None:
    assert (await house.get(base + resource))[0].status == 404


async def test_a_token_that_was_changed_or_has_expired_is_403(house: House, base: str) -> None:
    token = base.split("/")[2]
    for changed in (token[:-4] + "AAAA", token[:-1], "URISigningPackage=a.b.c"):
        response, body = await house.get(base.replace(token, changed) + SEGMENT)
        assert (response.status, b"token-refused" in body) == (403, True)
    house.clock.pass_s(7 * 3600)
    assert (await house.get(base + SEGMENT))[0].status == 403


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.replace("/clear/", "/../clear/"),
        lambda path: path.replace("/clear/", "/hls/../clear/"),
        lambda path: path.replace("/clear/", "/./clear/"),
        lambda path: path.replace("/clear/", "//clear/"),
        lambda path: path.replace("/clear/", "/%2e%2e/clear/"),
        lambda path: path.replace("/clear/", "%2fclear%2f"),
        lambda path: path.replace("/clear/", "/clear%2F"),
        lambda path: path.replace("/clear/", "/CLEAR/"),
        lambda path: path.replace("/clear/", "/%63lear/"),
        lambda path: path.replace("/clear/", "\\clear\\"),
        lambda path: path.replace("/2.m4s", "/02.m4s"),
        lambda path: path.replace("/2.m4s", "/0.m4s"),
        lambda path: path.replace("/2.m4s", "/%32.m4s"),
        lambda path: path.replace("/2.m4s", "/2.m4s%00"),
        lambda path: path.replace("/2.m4s", "/2.m4s/"),
        lambda path: path.replace("/2.m4s", "/2.m4s;x=y"),
        lambda path: path.replace("/2.m4s", "/2.M4S"),
        lambda path: path.replace("/m/", "/m//"),
        lambda path: path.replace("/m/", "/m/x/../"),
        lambda path: path.replace("/m/", "/%6d/"),
        lambda path: path.replace("URISigningPackage=", "URISigningPackage%3d"),
        lambda path: path.replace("-p1/", "-p01/"),
        lambda path: "http://localhost" + path,
        lambda path: "/m/../api/v1/me",
        lambda path: "/m/..%2f..%2f..%2fetc%2fpasswd",
    ],
)
async def test_a_path_that_is_not_exactly_of_the_grammar_is_400(house: House, base: str, change: Any) -> None:
    status, headers, body = await _raw(house, change(base + SEGMENT))
    assert (status, b"bad-path" in body) == (400, True)
    assert headers["cache-control"] == "no-store"


async def test_a_path_is_looked_at_before_the_token(house: House) -> None:
    status, _, body = await _raw(house, "/m/URISigningPackage=a.b.c/../x")
    assert (status, b"bad-path" in body) == (400, True)


async def test_a_query_changes_nothing(house: House, base: str) -> None:
    assert (await house.get(base + SEGMENT + "?CMCD=bl%3D1000"))[1] == BODY


async def test_head_tells_what_get_would_send(house: House, base: str) -> None:
    for resource, size in ((SEGMENT, len(BODY)), ("clear/v540/init.mp4", len(b"init of v540"))):
        status, headers, body = await _raw(house, base + resource, "HEAD", "Range: bytes=0-1")
        assert (status, headers["content-length"], body) == (200, str(size), b"")
        assert headers["etag"] == (await house.get(base + resource))[0].headers["ETag"]


@pytest.mark.parametrize("resource", [SEGMENT, "dash/manifest.mpd"])
async def test_ranges_are_honoured_as_rfc_9110_says(house: House, base: str, resource: str) -> None:
    whole, body = await house.get(base + resource)
    etag, size = whole.headers["ETag"], len(body)
    for header, first, end in (
        ("bytes=10-19", 10, 20),
        ("bytes=-7", size - 7, size),
        (f"bytes={size - 1}-", size - 1, size),
    ):
        response, part = await house.get(base + resource, headers={"Range": header})
        assert response.status == 206
        assert part == body[first:end]
        assert response.headers["Content-Range"] == f"bytes {first}-{end - 1}/{size}"
        assert response.headers["Content-Length"] == str(end - first)
        assert response.headers["ETag"] == etag
    response, _ = await house.get(base + resource, headers={"Range": f"bytes={size}-"})
    assert (response.status, response.headers["Content-Range"]) == (416, f"bytes */{size}")
    for headers, status in (
        ({"Range": "bytes=0-1,3-4"}, 200),
        ({"Range": "bytes=0-1", "If-Range": etag}, 206),
        ({"Range": "bytes=0-1", "If-Range": '"other"'}, 200),
        ({"Range": "bytes=0-1", "If-Range": f"W/{etag}"}, 200),
        ({"If-Match": etag}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-None-Match": f'"other", W/{etag}'}, 304),
        ({"If-None-Match": etag, "Range": "bytes=0-1"}, 304),
    ):
        response, got = await house.get(base + resource, headers=headers)
        assert response.status == status, headers
        if status == 200:
            assert got == body


async def test_a_player_of_another_origin_may_ask_for_ranges(house: House, base: str) -> None:
    asked = {"Origin": "null", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    async with house.client.options(base + SEGMENT, headers=asked) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "GET" in response.headers["Access-Control-Allow-Methods"]
        assert "Range" in response.headers["Access-Control-Allow-Headers"]
        assert response.headers["Access-Control-Max-Age"] == "86400"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_media_are_read_only(house: House, base: str, method: str) -> None:
    async with house.client.request(method, base + SEGMENT) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD")


async def test_behind_a_cdn_that_checks_tokens_itself_media_may_be_public(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    playback = PlaybackSettings(shared_cache=True)
    async with open_house(tmp_path_factory.mktemp("house"), playback=playback) as house:
        session = await house.play(await house.sign_in(), await house.add_title())
        response, _ = await house.get(session["base"] + SEGMENT)
        assert response.headers["Cache-Control"] == FOREVER.replace("private", "public")


async def test_many_viewers_get_their_segments_at_the_same_time(house: House, base: str) -> None:
    bodies = await asyncio.gather(*(house.get(f"{base}clear/v540/{1 + n % 3}.m4s") for n in range(60)))
    assert all(body == segment_bytes("v540", 1 + n % 3) for n, (_, body) in enumerate(bodies))


async def test_while_the_store_is_away_answers_are_503_and_then_all_is_well_by_itself(
    house: House, base: str, tmp_path: Path
) -> None:
    headers, unread = await house.sign_in("other"), await house.add_title("Whose index is not in memory")
    (tmp_path / "store").rename(tmp_path / "gone")
    for method, path in (("GET", base + SEGMENT), ("POST", f"/api/v1/titles/{unread}/playback")):
        async with house.client.request(method, path, headers=headers) as response:
            assert (response.status, (await response.json())["code"]) == (503, "store-unavailable")
            assert int(response.headers["Retry-After"]) > 0
            assert response.headers["Cache-Control"] == "no-store"
    assert (await house.get(base + "dash/manifest.mpd"))[0].status == 200
    response, body = await house.get("/readyz")
    assert (response.status, b'"store"' in body) == (503, True)
    (tmp_path / "gone").rename(tmp_path / "store")
    assert (await house.get(base + SEGMENT))[0].status == 200
    await house.play(headers, unread)


async def test_while_the_database_is_away_the_api_is_503_media_go_on_and_then_all_is_well_by_itself(
    tmp_path: Path,
) -> None:
    with postgres_server() as server:
        async with open_house(tmp_path, database={"url": server.create_database(), "timeout_s": 5}) as house:
            title_id, headers = await house.add_title(), await house.sign_in()
            session = await house.play(headers, title_id)
            server.stop()
            response, body = await house.get("/api/v1/titles", headers=headers)
            assert (response.status, b"database-unavailable" in body) == (503, True)
            assert int(response.headers["Retry-After"]) > 0
            assert (await house.get(session["base"] + SEGMENT))[1] == BODY
            response, body = await house.get("/readyz")
            assert (response.status, b'"database"' in body) == (503, True)
            server.start()
            assert (await house.get("/api/v1/titles", headers=headers))[0].status == 200
