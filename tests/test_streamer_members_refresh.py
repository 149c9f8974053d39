import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from config.settings import AuthSettings
from streamer.database import Sessions
from streamer.errors import RefreshRefused
from streamer.members.accounts import Accounts, Role
from streamer.members.refresh import ANSWER_LOST, RefreshTokens, SignIn
from streamer.tables import RefreshTokenRow
from tests.streamer_helpers import CHEAP_HASHER, NOW, PASSWORD

LATER = NOW + timedelta(seconds=101)


@pytest.fixture
def tokens(sessions: Sessions) -> RefreshTokens:
    return RefreshTokens(sessions, life_s=100)


@pytest.fixture
async def sign_in(sessions: Sessions, tokens: RefreshTokens) -> SignIn:
    accounts = Accounts(sessions, AuthSettings(), CHEAP_HASHER)
    anna = await accounts.add("anna@example.org", PASSWORD, Role.VIEWER, "free", NOW)
    return await tokens.begin(anna.id, NOW)


async def test_a_token_is_exchanged_for_the_next_of_the_same_sign_in(tokens: RefreshTokens, sign_in: SignIn) -> None:
    second = await tokens.rotate(sign_in.refresh_token, NOW)
    assert (second.member_id, second.family) == (sign_in.member_id, sign_in.family)
    assert second.refresh_token != sign_in.refresh_token
    await tokens.rotate(second.refresh_token, NOW)


async def test_a_second_use_of_a_token_ends_all_of_its_sign_in_and_no_other(
    tokens: RefreshTokens, sign_in: SignIn
) -> None:
    other = await tokens.begin(sign_in.member_id, NOW)
    second = await tokens.rotate(sign_in.refresh_token, NOW)
    later = NOW + ANSWER_LOST + timedelta(seconds=1)
    with pytest.raises(RefreshRefused, match="used before"):
        await tokens.rotate(sign_in.refresh_token, later)
    with pytest.raises(RefreshRefused):
        await tokens.rotate(second.refresh_token, later)
    assert not await tokens.is_alive(sign_in.family, later)
    assert await tokens.is_alive(other.family, later)


async def test_a_token_whose_answer_was_lost_is_taken_again_within_seconds_of_its_first_use(
    tokens: RefreshTokens, sign_in: SignIn
) -> None:
    uses = await asyncio.gather(*(tokens.rotate(sign_in.refresh_token, NOW) for _ in range(5)))
    assert len({use.refresh_token for use in uses}) == 5
    await tokens.rotate(sign_in.refresh_token, NOW + ANSWER_LOST)
    with pytest.raises(RefreshRefused):  # using it again does not begin the seconds anew
        await tokens.rotate(sign_in.refresh_token, NOW + 2 * ANSWER_LOST)


@pytest.mark.parametrize("token", ["", "nonsense", "\0", "ä"])
async def test_an_unknown_token_is_refused(tokens: RefreshTokens, token: str) -> None:
    with pytest.raises(RefreshRefused, match="not known"):
        await tokens.rotate(token, NOW)


async def test_an_expired_token_is_refused_and_forgotten(
    tokens: RefreshTokens, sign_in: SignIn, sessions: Sessions
) -> None:
    with pytest.raises(RefreshRefused):
        await tokens.rotate(sign_in.refresh_token, LATER)
    assert not await tokens.is_alive(sign_in.family, LATER)
    await tokens.forget_expired(LATER)
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(RefreshTokenRow)) == 0


async def test_an_ended_sign_in_says_its_name_once(tokens: RefreshTokens, sign_in: SignIn) -> None:
    assert await tokens.end(sign_in.refresh_token) == sign_in.family
    assert await tokens.end(sign_in.refresh_token) is None
    assert not await tokens.is_alive(sign_in.family, NOW)


async def test_tokens_are_kept_nowhere_only_their_digests(sign_in: SignIn, sessions: Sessions) -> None:
    async with sessions() as session:
        row = await session.scalar(select(RefreshTokenRow))
    assert row is not None
    assert sign_in.refresh_token not in repr({name: value for name, value in vars(row).items()})
