import pytest
from sqlalchemy import update

from streamer.errors import NotEntitled, NotFound
from streamer.members.accounts import Member, Role
from streamer.members.decision import decide
from streamer.playback import SignedIn
from streamer.tables import MemberRow
from tests.streamer_helpers import PASSWORD, House

NEAR_THE_END_S = 6 * 3600 - 600


async def _viewer(house: House, plan: str = "premium", role: Role = Role.VIEWER) -> SignedIn:
    member = await house.services.accounts.add(f"{role}@example.org", PASSWORD, role, plan, house.clock())
    sign_in = await house.services.refresh_tokens.begin(member.id, house.clock())
    return SignedIn(member, sign_in.family)


async def _change_plan(house: House, member: Member, plan: str) -> Member:
    async with house.services.sessions.begin() as session:
        await session.execute(update(MemberRow).where(MemberRow.id == member.id).values(plan=plan))
    return await house.services.accounts.get(member.id)


async def test_a_session_carries_what_was_decided_when_it_began(house: House) -> None:
    viewer, title_id = await _viewer(house, "free"), await house.add_title()
    playing = await house.services.playback.begin(viewer, title_id, None, "shaka")
    title = await house.services.catalogue.get(title_id)
    index = await house.services.playback.index(title)
    decided = decide(viewer.member, house.services.plans["free"], "film", index.tracks)
    assert playing.session.track_ids == decided.track_ids == ("v540", "a-en-1", "t-de-1")
    assert (playing.session.version, playing.session.player) == ("v1-p1", "shaka")
    grant = house.services.gate.grant(playing.token, house.clock().timestamp())
    assert grant == playing.session.grant


async def test_a_narrower_plan_applies_to_the_next_session_and_ends_the_renewal_of_this_one(house: House) -> None:
    viewer, title_id = await _viewer(house), await house.add_title()
    playback = house.services.playback
    playing = await playback.begin(viewer, title_id, None, "shaka")
    member = await _change_plan(house, viewer.member, "free")
    assert (await playback.heartbeat(member, playing.session.id, 1.0)).session == playing.session
    again = await playback.begin(SignedIn(member, viewer.sign_in), title_id, None, "shaka")
    assert "v1080" not in again.session.track_ids
    house.clock.pass_s(NEAR_THE_END_S)
    assert (await playback.heartbeat(member, playing.session.id, 1.0)).token == ""
    assert (await playback.heartbeat(member, again.session.id, 1.0)).token != ""


async def test_a_title_that_the_plan_does_not_open_says_why(house: House) -> None:
    viewer, title_id = await _viewer(house, "music"), await house.add_title()
    with pytest.raises(NotEntitled) as raised:
        await house.services.playback.begin(viewer, title_id, None, "shaka")
    assert [reason.code for reason in raised.value.reasons] == ["plan-kind"]


async def test_a_draft_exists_for_the_studio_alone(house: House) -> None:
    draft = await house.services.catalogue.create("film", "A draft")
    with pytest.raises(NotFound, match="no such title"):
        await house.services.playback.visible_title((await _viewer(house)).member, draft.id)
    studio = await _viewer(house, role=Role.STUDIO)
    assert await house.services.playback.visible_title(studio.member, draft.id) == draft
    with pytest.raises(NotFound, match="no finished version"):
        await house.services.playback.begin(studio, draft.id, None, "shaka")
