from dataclasses import replace
from datetime import timedelta

import pytest

from config.settings import AuthSettings
from drm.scheme import Scheme
from streamer.catalogue.catalogue import Catalogue
from streamer.database import Sessions
from streamer.errors import NotFound, SessionEnded
from streamer.identifiers import new_id
from streamer.members.accounts import Accounts, Role
from streamer.members.sessions import EndedSessions, PlaybackSession, PlaybackSessions
from tests.streamer_helpers import CHEAP_HASHER, NOW, PASSWORD

END = NOW + timedelta(hours=1)


@pytest.fixture
def ended() -> EndedSessions:
    return EndedSessions()


@pytest.fixture
def playing(sessions: Sessions, ended: EndedSessions) -> PlaybackSessions:
    return PlaybackSessions(sessions, ended)


@pytest.fixture
async def session(sessions: Sessions) -> PlaybackSession:
    accounts = Accounts(sessions, AuthSettings(), CHEAP_HASHER)
    member = await accounts.add("anna@example.org", PASSWORD, Role.VIEWER, "free", NOW)
    title = await Catalogue(sessions, lambda: NOW).create("film", "A film")
    return PlaybackSession(
        id=new_id(),
        member_id=member.id,
        sign_in="familyAAAAAAAAAAAAAAAA",
        title_id=title.id,
        version="v7-p1",
        scheme=Scheme.CLEAR,
        track_ids=("v540", "a-en-1"),
        player="shaka",
        expires_at=END,
    )


async def test_a_session_carries_its_decision(playing: PlaybackSessions, session: PlaybackSession) -> None:
    await playing.begin(session, NOW)
    assert await playing.seen(session.id, session.member_id, 5.0, NOW) == session
    assert session.grant.expires_s == int(END.timestamp())
    assert session.grant.track_ids == session.track_ids


async def test_a_session_is_nobody_elses(playing: PlaybackSessions, session: PlaybackSession) -> None:
    await playing.begin(session, NOW)
    with pytest.raises(NotFound):
        await playing.seen(session.id, "somebody else", 5.0, NOW)
    with pytest.raises(NotFound):
        await playing.end(session.id, "somebody else", NOW)
    with pytest.raises(NotFound):
        await playing.end(new_id(), session.member_id, NOW)


async def test_an_ended_session_is_known_at_once_and_after_a_restart(
    playing: PlaybackSessions, session: PlaybackSession, ended: EndedSessions, sessions: Sessions
) -> None:
    await playing.begin(session, NOW)
    assert session.id not in ended
    await playing.end(session.id, session.member_id, NOW)
    await playing.end(session.id, session.member_id, NOW)
    assert session.id in ended
    with pytest.raises(SessionEnded):
        await playing.seen(session.id, session.member_id, 5.0, NOW)
    after = EndedSessions()
    await PlaybackSessions(sessions, after).load_ended(NOW)
    assert session.id in after
    after.forget_expired(END.timestamp())
    assert session.id not in after


async def test_a_sign_out_ends_the_sessions_of_that_sign_in_alone(
    playing: PlaybackSessions, session: PlaybackSession, ended: EndedSessions
) -> None:
    other = replace(session, id=new_id(), sign_in="otherAAAAAAAAAAAAAAAAA")
    for each in (session, other):
        await playing.begin(each, NOW)
    await playing.end_all(session.sign_in, NOW)
    assert session.id in ended
    assert other.id not in ended


async def test_a_session_lapses_unless_it_is_renewed(playing: PlaybackSessions, session: PlaybackSession) -> None:
    await playing.begin(session, NOW)
    with pytest.raises(SessionEnded):
        await playing.seen(session.id, session.member_id, 5.0, END)
    await playing.renew(session.id, END + timedelta(hours=1))
    await playing.seen(session.id, session.member_id, 5.0, END)


async def test_the_place_is_kept_until_the_title_was_seen(playing: PlaybackSessions, session: PlaybackSession) -> None:
    async def resume_s() -> float:
        return await playing.resume_s(session.member_id, session.title_id, 100.0)

    assert await resume_s() == 0
    await playing.begin(session, NOW)
    await playing.seen(session.id, session.member_id, 42.5, NOW)
    assert await resume_s() == 42.5
    await playing.begin(replace(session, id=new_id()), NOW + timedelta(seconds=5))
    assert await resume_s() == 42.5
    await playing.seen(session.id, session.member_id, 96.0, NOW)
    assert await resume_s() == 0
