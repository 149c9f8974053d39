import asyncio
from typing import Literal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from config.settings import AuthSettings
from streamer.database import Sessions
from streamer.errors import EmailTaken, InvalidRequest, NotFound, TooManyAttempts, WrongPassword
from streamer.members.accounts import Accounts, Member, Role
from streamer.tables import MemberRow
from tests.streamer_helpers import CHEAP_HASHER, NOW, PASSWORD


@pytest.fixture
def accounts(sessions: Sessions) -> Accounts:
    return Accounts(sessions, AuthSettings(login_attempts=3, login_window_s=60), CHEAP_HASHER)


async def _add(accounts: Accounts, email: str = "Anna@Example.org") -> Member:
    return await accounts.add(email, PASSWORD, Role.STUDIO, "free", NOW)


async def test_a_member_signs_in_whatever_the_case_of_the_address(accounts: Accounts) -> None:
    anna = await _add(accounts)
    assert await accounts.sign_in(" ANNA@example.org ", PASSWORD, "10.0.0.1", 0.0) == anna
    assert await accounts.get(anna.id) == anna
    assert anna.is_studio
    assert anna.email == "anna@example.org"


async def test_a_wrong_password_and_an_unknown_address_are_the_same_to_the_outside(accounts: Accounts) -> None:
    await _add(accounts)
    complaints = []
    for email, password in (("anna@example.org", "wrong-wrong"), ("nobody@example.org", PASSWORD), ("", "")):
        with pytest.raises(WrongPassword) as raised:
            await accounts.sign_in(email, password, "10.0.0.1", 0.0)
        complaints.append(str(raised.value))
    assert len(set(complaints)) == 1


class CountingHasher(PasswordHasher):
    """Notes the cost of each check; a stopwatch would measure the machine's other work."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.checks: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.checks.append(str(hash).rsplit("$", 2)[0])
        return super().verify(hash, password)


async def test_an_unknown_address_costs_the_same_work_as_a_wrong_password(sessions: Sessions) -> None:
    hasher = CountingHasher()
    accounts = Accounts(sessions, AuthSettings(), hasher)
    await _add(accounts)
    for email in ("anna@example.org", "nobody@example.org"):
        with pytest.raises(WrongPassword):
            await accounts.sign_in(email, "wrong-wrong", "10.0.0.1", 0.0)
    known, unknown = hasher.checks
    assert known == unknown == "$argon2id$v=19$m=8,t=1,p=1"


async def test_failures_close_the_account_for_every_address(accounts: Accounts) -> None:
    await _add(accounts)
    for number in range(3):
        with pytest.raises(WrongPassword):
            await accounts.sign_in("anna@example.org", "wrong-wrong", f"10.0.0.{number}", 0.0)
    with pytest.raises(TooManyAttempts):
        await accounts.sign_in("anna@example.org", PASSWORD, "10.0.0.9", 1.0)
    await accounts.sign_in("anna@example.org", PASSWORD, "10.0.0.9", 61.0)


async def test_failures_close_the_address_for_every_account(accounts: Accounts) -> None:
    await _add(accounts)
    for number in range(3):
        with pytest.raises(WrongPassword):
            await accounts.sign_in(f"nobody{number}@example.org", "wrong-wrong", "10.0.0.1", 0.0)
    with pytest.raises(TooManyAttempts):
        await accounts.sign_in("anna@example.org", PASSWORD, "10.0.0.1", 1.0)


async def test_an_account_of_ones_own_does_not_make_ones_failures_forgotten(accounts: Accounts) -> None:
    await _add(accounts)
    for number in range(3):
        with pytest.raises(WrongPassword):
            await accounts.sign_in(f"nobody{number}@example.org", "wrong-wrong", "10.0.0.1", 0.0)
        if number < 2:
            await accounts.sign_in("anna@example.org", PASSWORD, "10.0.0.1", 0.0)
    with pytest.raises(TooManyAttempts):
        await accounts.sign_in("anna@example.org", PASSWORD, "10.0.0.1", 1.0)


async def test_guesses_made_at_the_same_time_are_counted_too(accounts: Accounts) -> None:
    await _add(accounts)
    guesses = (accounts.sign_in("anna@example.org", f"guess-{number}", "10.0.0.1", 0.0) for number in range(10))
    outcomes = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(outcome, WrongPassword) for outcome in outcomes) == 3
    assert sum(isinstance(outcome, TooManyAttempts) for outcome in outcomes) == 7


async def test_an_address_belongs_to_one_member(accounts: Accounts) -> None:
    await _add(accounts)
    with pytest.raises(EmailTaken):
        await _add(accounts, "anna@EXAMPLE.org")


@pytest.mark.parametrize("email", ["", "anna", "@example.org", "anna@", "an na@example.org", "a@" + "b" * 300])
async def test_what_cannot_be_an_address_is_refused(accounts: Accounts, email: str) -> None:
    with pytest.raises(InvalidRequest, match="is not an e-mail address"):
        await _add(accounts, email)


@pytest.mark.parametrize("password", ["", "too-short", "x" * 1025])
async def test_a_password_that_is_too_short_or_too_long_is_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(InvalidRequest, match="10 to 1024"):
        await accounts.add("anna@example.org", password, Role.VIEWER, "free", NOW)


async def test_passwords_are_kept_as_argon2id_and_renewed_when_their_cost_rises(
    accounts: Accounts, sessions: Sessions
) -> None:
    await _add(accounts)

    async def stored() -> str:
        async with sessions() as session:
            return str(await session.scalar(select(MemberRow.password_hash)))

    before = await stored()
    assert before.startswith("$argon2id$")
    dearer = Accounts(sessions, AuthSettings(), PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    await dearer.sign_in("anna@example.org", PASSWORD, "10.0.0.1", 0.0)
    assert "m=16,t=2" in await stored()
    await dearer.sign_in("anna@example.org", PASSWORD, "10.0.0.1", 0.0)


async def test_an_unknown_member_is_not_found(accounts: Accounts) -> None:
    with pytest.raises(NotFound):
        await accounts.get("nobody")
