import jwt

from tests.streamer_helpers import House


async def test_alive_is_alive_whatever_else_is_away(house: House) -> None:
    await house.services.database.dispose()
    response, body = await house.get("/healthz")
    assert (response.status, body) == (200, b'{"status":"ok"}')


async def test_without_an_engine_the_server_is_not_ready_and_says_so(house: House) -> None:
    async with house.client.get("/readyz") as response:
        assert response.status == 503
        readiness = await response.json()
    assert not readiness["ready"]
    assert [reason["part"] for reason in readiness["reasons"]] == ["engine"]
    assert "landlock_abi" in readiness["confinement"]


async def test_metrics_count_requests_by_route_and_not_by_path(house: House) -> None:
    for path in ("/healthz", "/api/v1/titles/secret-1", "/nowhere/secret-2"):
        await house.get(path)
    async with house.client.request("SECRET3", "/healthz"):
        pass
    response, body = await house.get("/metrics")
    text = body.decode()
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert 'marquee_http_requests_total{method="GET",route="/healthz",status="200"} 1.0' in text
    assert 'route="/api/v1/titles/{id}",status="401"' in text
    assert "secret" not in text.lower()


async def test_the_key_set_verifies_our_tokens_for_anyone(house: House) -> None:
    headers = await house.sign_in()
    async with house.client.get("/.well-known/jwks.json") as response:
        keys = jwt.PyJWKSet.from_dict(await response.json())
        assert response.headers["Cache-Control"] == "public, max-age=300"
    token = headers["Authorization"].removeprefix("Bearer ")
    key = keys[jwt.get_unverified_header(token)["kid"]]
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    claims = jwt.decode(token, key, ["EdDSA"], audience="marquee-api", options=options)  # type: ignore[arg-type]
    assert claims["iss"] == "marquee"
