import pytest

from config.settings import AuthSettings
from streamer.members.accounts import Role
from tests.streamer_helpers import PASSWORD, House, open_house


async def _post(house: House, path: str, body: object) -> tuple[int, dict[str, object]]:
    async with house.client.post(f"/api/v1/auth/{path}", json=body) as response:
        return response.status, await response.json() if response.status != 204 else {}


async def test_signing_in_gives_tokens_that_speak_for_the_member(house: House) -> None:
    headers = await house.sign_in("anna", "free", Role.STUDIO)
    async with house.client.get("/api/v1/me", headers=headers) as response:
        me = await response.json()
    assert me.pop("id")
    assert me == {"email": "anna@example.org", "role": "studio", "plan": {"id": "free", "name": "Free"}}
    tokens = await house.login("anna")
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)


async def test_a_plan_that_is_gone_is_called_by_its_id(house: House) -> None:
    headers = await house.sign_in("anna", "gone")
    async with house.client.get("/api/v1/me", headers=headers) as response:
        assert (await response.json())["plan"] == {"id": "gone", "name": "gone"}


async def test_a_wrong_password_is_401_and_too_many_are_429_with_the_time_to_wait(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = AuthSettings(login_attempts=2, login_window_s=60)
    async with open_house(tmp_path_factory.mktemp("house"), auth=settings) as house:
        await house.services.accounts.add("anna@example.org", PASSWORD, Role.VIEWER, "free", house.clock())
        wrong = {"email": "anna@example.org", "password": "wrong-wrong"}
        for _ in range(2):
            status, problem = await _post(house, "login", wrong)
            assert (status, problem["code"]) == (401, "wrong-password")
        async with house.client.post("/api/v1/auth/login", json=wrong) as response:
            assert response.status == 429
            assert 1 <= int(response.headers["Retry-After"]) <= 60
            assert (await response.json())["code"] == "too-many-attempts"


async def test_a_refresh_token_is_exchanged_for_another(house: House) -> None:
    await house.sign_in()
    first = await house.login()
    status, second = await _post(house, "refresh", {"refresh_token": first["refresh_token"]})
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    status, problem = await _post(house, "refresh", {"refresh_token": "unknown"})
    assert (status, problem["code"]) == (401, "refresh-refused")


async def test_signing_out_ends_the_access_token_and_the_playback_at_once(house: House) -> None:
    await house.sign_in()
    title_id = await house.add_title()
    tokens = await house.login()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    session = await house.play(headers, title_id)
    manifest = session["base"] + "dash/manifest.mpd"
    assert (await house.get(manifest))[0].status == 200
    assert (await _post(house, "logout", {"refresh_token": tokens["refresh_token"]}))[0] == 204
    assert (await house.get(manifest))[0].status == 403
    assert (await house.get("/api/v1/me", headers=headers))[0].status == 401
    assert (await _post(house, "logout", {"refresh_token": tokens["refresh_token"]}))[0] == 204


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer x", "Bearer a.b.c", "bearer \t"]
)
async def test_without_a_good_token_nobody_is_signed_in(house: House, authorization: str) -> None:
    response, _ = await house.get("/api/v1/me", headers={"Authorization": authorization} if authorization else {})
    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"{",
        b'{"email": 1, "password": "x"}',
        b'{"email": "a", "password": "b", "c": 1}',
        b"\xff",
    ],
)
async def test_a_body_of_another_shape_is_400_and_names_the_member(house: House, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with house.client.post("/api/v1/auth/login", data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["code"] == "invalid-request"


async def test_a_body_that_is_not_json_is_415(house: House) -> None:
    async with house.client.post("/api/v1/auth/login", data={"email": "a", "password": "b"}) as response:
        assert (response.status, (await response.json())["code"]) == (415, "unsupported-media-type")


async def test_a_body_that_is_too_large_is_413(house: House) -> None:
    async with house.client.post("/api/v1/auth/login", json={"email": "a" * 100_000, "password": "b"}) as response:
        assert (response.status, (await response.json())["code"]) == (413, "too-large")
