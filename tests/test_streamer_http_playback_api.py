from typing import Any

import pytest

from config.settings import HttpSettings, PlaybackSettings
from streamer.identifiers import new_id
from streamer.members.accounts import Role
from tests.streamer_helpers import House, open_house


async def _begin(house: House, headers: dict[str, str], title_id: str, body: Any = None) -> tuple[int, Any]:
    async with house.client.post(f"/api/v1/titles/{title_id}/playback", headers=headers, json=body) as response:
        return response.status, await response.json()


async def _beat(house: House, headers: dict[str, str], session_id: str, position_s: float = 5.0) -> tuple[int, Any]:
    body = {"position_s": position_s, "state": "playing"}
    async with house.client.post(f"/api/v1/playback/{session_id}/heartbeat", headers=headers, json=body) as response:
        return response.status, await response.json()


async def test_a_session_comes_with_addresses_that_play_as_they_stand(house: House) -> None:
    title_id = await house.add_title()
    status, session = await _begin(house, await house.sign_in(plan="free"), title_id, {"device": {"player": "shaka"}})
    assert status == 201
    assert session["licence_urls"] == {"clearkey": None, "widevine": None, "playready": None, "fairplay": None}
    assert (session["heartbeat_s"], session["resume_s"]) == (30, 0)
    assert session["expires_at"] == "2026-11-22T14:00:12Z"
    for name in ("hls_url", "dash_url"):
        assert session[name].startswith(str(house.client.make_url("/m/URISigningPackage=")))
        async with house.client.session.get(session[name]) as response:
            text = await response.text()
        assert response.status == 200
        assert ("v540" in text, "v1080" in text) == (True, False)


async def test_the_public_address_of_the_settings_goes_before_the_requests(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    http = HttpSettings(public_url="https://watch.example.org/")
    async with open_house(tmp_path_factory.mktemp("house"), http=http) as house:
        title_id = await house.add_title()
        _, session = await _begin(house, await house.sign_in(), title_id)
        assert session["hls_url"].startswith("https://watch.example.org/m/URISigningPackage=")


async def test_a_refusal_carries_its_reasons(house: House) -> None:
    title_id = await house.add_title()
    status, problem = await _begin(house, await house.sign_in(plan="music"), title_id)
    assert (status, problem["code"]) == (403, "not-entitled")
    assert problem["reasons"] == [{"code": "plan-kind", "sentence": "The plan Music does not include films."}]


async def test_what_is_not_published_is_for_the_studio_alone(house: House) -> None:
    title_id = await house.add_title()
    await house.add_version(title_id, 2)
    viewer, studio = await house.sign_in(), await house.sign_in("studio", "music", Role.STUDIO)
    assert "/v1-p1/" in (await _begin(house, viewer, title_id, {"version": 2}))[1]["hls_url"]
    assert "/v1-p1/" in (await _begin(house, studio, title_id))[1]["hls_url"]
    assert "/v2-p1/" in (await _begin(house, studio, title_id, {"version": 2}))[1]["hls_url"]
    assert (await _begin(house, studio, title_id, {"version": 3}))[0] == 404
    await house.services.catalogue.unpublish(title_id)
    assert (await _begin(house, viewer, title_id))[0] == 404
    assert "/v2-p1/" in (await _begin(house, studio, title_id))[1]["hls_url"]


async def test_a_title_without_a_version_and_an_unknown_title_are_404(house: House) -> None:
    studio = await house.sign_in("studio", role=Role.STUDIO)
    draft = await house.services.catalogue.create("film", "A draft")
    for title_id in (draft.id, new_id(), "nonsense"):
        assert (await _begin(house, studio, title_id))[0] == 404


@pytest.mark.parametrize(
    "body",
    [{"device": {"player": "winamp"}}, {"device": 1}, {"version": 0}, {"colour": 1}, {"device": {"model": "x" * 201}}],
)
async def test_a_bad_wish_is_400(house: House, body: Any) -> None:
    title_id = await house.add_title()
    assert (await _begin(house, await house.sign_in(), title_id, body))[0] == 400


async def test_an_earlier_version_stays_playable_for_the_sessions_that_have_it(house: House) -> None:
    title_id, headers = await house.add_title(), await house.sign_in()
    session = await house.play(headers, title_id)
    await house.add_version(title_id, 2)
    await house.services.shelf.publish(title_id, 2)
    assert (await house.get(session["base"] + "clear/v540/1.m4s"))[0].status == 200
    await house.services.shelf.unpublish(title_id)
    assert (await house.get(session["base"] + "clear/v540/2.m4s"))[0].status == 200


async def test_heartbeats_keep_the_place(house: House) -> None:
    title_id, headers = await house.add_title(), await house.sign_in()
    session = await house.play(headers, title_id)
    status, beat = await _beat(house, headers, session["session_id"], 7.25)
    assert status == 200
    assert beat == {"expires_at": session["expires_at"], "heartbeat_s": 30, "hls_url": None, "dash_url": None}
    assert (await house.play(headers, title_id))["resume_s"] == 7.25


async def test_near_its_end_a_session_is_renewed_with_new_addresses(house: House) -> None:
    title_id, headers = await house.add_title(), await house.sign_in()
    session = await house.play(headers, title_id)
    house.clock.pass_s(6 * 3600 - 600)
    headers = {"Authorization": f"Bearer {(await house.login())['access_token']}"}
    _, beat = await _beat(house, headers, session["session_id"])
    assert beat["expires_at"] > session["expires_at"]
    house.clock.pass_s(700)
    assert (await house.get(session["base"] + "dash/manifest.mpd"))[0].status == 403
    async with house.client.session.get(beat["dash_url"]) as response:
        assert response.status == 200


async def test_a_session_is_not_renewed_once_the_title_is_no_longer_offered(house: House) -> None:
    title_id, headers = await house.add_title(), await house.sign_in()
    session = await house.play(headers, title_id)
    house.clock.pass_s(6 * 3600 - 600)
    await house.services.shelf.unpublish(title_id)
    headers = {"Authorization": f"Bearer {(await house.login())['access_token']}"}
    status, beat = await _beat(house, headers, session["session_id"])
    assert (status, beat["expires_at"], beat["hls_url"]) == (200, session["expires_at"], None)
    house.clock.pass_s(700)
    headers = {"Authorization": f"Bearer {(await house.login())['access_token']}"}
    status, problem = await _beat(house, headers, session["session_id"])
    assert (status, problem["code"]) == (403, "session-ended")


async def test_a_deleted_session_is_refused_everywhere_at_once(house: House) -> None:
    title_id, headers = await house.add_title(), await house.sign_in()
    session, other = await house.play(headers, title_id), await house.play(headers, title_id)
    segment = session["base"] + "clear/v540/1.m4s"
    assert (await house.get(segment))[0].status == 200
    for _ in range(2):
        async with house.client.delete(f"/api/v1/playback/{session['session_id']}", headers=headers) as response:
            assert response.status == 204
    response, body = await house.get(segment)
    assert (response.status, b"session-ended" in body) == (403, True)
    assert (await _beat(house, headers, session["session_id"]))[0] == 403
    assert (await house.get(other["base"] + "clear/v540/1.m4s"))[0].status == 200


async def test_a_session_is_nobody_elses(house: House) -> None:
    session = await house.play(await house.sign_in(), await house.add_title())
    other = await house.sign_in("other")
    assert (await _beat(house, other, session["session_id"]))[0] == 404
    async with house.client.delete(f"/api/v1/playback/{session['session_id']}", headers=other) as response:
        assert response.status == 404


@pytest.mark.parametrize("body", [{}, {"position_s": -1}, {"position_s": "x"}, {"position_s": 1, "state": "asleep"}])
async def test_a_bad_heartbeat_is_400(house: House, body: Any) -> None:
    headers = await house.sign_in()
    async with house.client.post(f"/api/v1/playback/{new_id()}/heartbeat", headers=headers, json=body) as response:
        assert response.status == 400


async def test_no_token_lives_longer_than_the_settings_allow(tmp_path_factory: pytest.TempPathFactory) -> None:
    playback = PlaybackSettings(grace_s=3600, longest_s=600)
    async with open_house(tmp_path_factory.mktemp("house"), playback=playback) as house:
        session = await house.play(await house.sign_in(), await house.add_title())
        assert session["expires_at"] == "2026-11-22T08:10:00Z"
        house.clock.pass_s(600)
        assert (await house.get(session["base"] + "dash/manifest.mpd"))[0].status == 403
