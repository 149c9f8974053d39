from pathlib import Path

import pytest
from sqlalchemy import delete

from config.settings import AuthSettings
from streamer.database import Sessions
from streamer.errors import NotSignedIn
from streamer.members.access_tokens import access_profile
from streamer.members.accounts import Accounts, Role
from streamer.members.gatekeeper import Gatekeeper
from streamer.members.refresh import RefreshTokens
from streamer.members.signing_keys import open_signing_keys
from streamer.tables import MemberRow
from tests.streamer_helpers import CHEAP_HASHER, NOW, PASSWORD, Clock


async def test_a_token_speaks_for_a_member_until_it_expires_is_signed_out_or_the_member_goes(
    sessions: Sessions, tmp_path: Path
) -> None:
    clock, settings = Clock(), AuthSettings(access_token_s=60)
    accounts, refresh = Accounts(sessions, settings, CHEAP_HASHER), RefreshTokens(sessions, 1000)
    keys = open_signing_keys(tmp_path / "keys", NOW)
    gatekeeper = Gatekeeper(access_profile("marquee", settings), keys, accounts, refresh, clock)
    anna = await accounts.add("anna@example.org", PASSWORD, Role.VIEWER, "free", NOW)
    first, second = await refresh.begin(anna.id, NOW), await refresh.begin(anna.id, NOW)
    token = gatekeeper.access_token(anna.id, first.family)
    assert await gatekeeper.member(token) == (anna, first.family)

    clock.pass_s(61)
    with pytest.raises(NotSignedIn, match="expired"):
        await gatekeeper.member(token)

    token = gatekeeper.access_token(anna.id, first.family)
    await refresh.end(first.refresh_token)
    with pytest.raises(NotSignedIn, match="has ended"):
        await gatekeeper.member(token)

    token = gatekeeper.access_token(anna.id, second.family)
    async with sessions.begin() as session:
        await session.execute(delete(MemberRow))
    with pytest.raises(NotSignedIn):
        await gatekeeper.member(token)
