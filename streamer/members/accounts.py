"""Members: who they are, and the check of their passwords."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from config.settings import AuthSettings
from streamer.database import Sessions
from streamer.errors import EmailTaken, InvalidRequest, NotFound, WrongPassword
from streamer.identifiers import new_id
from streamer.members.attempts import FailedAttempts
from streamer.tables import MemberRow

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1024
LONGEST_EMAIL = 254
PARALLEL_HASHES = 4  # each takes 64 MiB


class Role(StrEnum):
    VIEWER = "viewer"
    STUDIO = "studio"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Member:
    """Someone with an account. Admins may do what studio members may."""

    id: str
    email: str
    role: Role
    plan_id: str

    @property
    def is_studio(self) -> bool:
        return self.role in (Role.STUDIO, Role.ADMIN)


class Accounts:
    """The members in the database."""

    def __init__(self, sessions: Sessions, settings: AuthSettings, hasher: PasswordHasher | None = None) -> None:
        self._sessions = sessions
        self._hasher = hasher or PasswordHasher()
        self._hashing = asyncio.Semaphore(PARALLEL_HASHES)
        self._attempts = FailedAttempts(settings.login_attempts, settings.login_window_s)
        self._nobody = self._hasher.hash("nobody's password")

    async def add(self, email: str, password: str, role: Role, plan_id: str, now: datetime) -> Member:
        """Raises EmailTaken, InvalidRequest."""
        email = canonical_email(email)
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise InvalidRequest(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
        member = Member(new_id(), email, role, plan_id)
        row = MemberRow(id=member.id, email=email, role=role, plan=plan_id, created_at=now)
        row.password_hash = await self._hash(password)
        try:
            async with self._sessions.begin() as session:
                session.add(row)
        except IntegrityError as error:
            raise EmailTaken(f"{email} is a member already") from error
        return member

    async def get(self, member_id: str) -> Member:
        """Raises NotFound."""
        async with self._sessions() as session:
            row = await session.get(MemberRow, member_id)
        if row is None:
            raise NotFound("there is no such member")
        return _member(row)

    async def sign_in(self, email: str, password: str, address: str, now_s: float) -> Member:
        """The member whose password this is. Takes as long for an unknown address as for a wrong password.

        address: where the request came from; failures are counted by it and by account.

        Raises WrongPassword, TooManyAttempts.
        """
        email = email.strip().casefold()
        by_address, by_account = f"address {address}", f"account {email[:LONGEST_EMAIL]}"
        for key in (by_address, by_account):
            self._attempts.check(key, now_s)
            # Counted before the slow check: many guesses at once must not all get in.
            self._attempts.failed(key, now_s)
        async with self._sessions() as session:
            row = await session.scalar(select(MemberRow).where(MemberRow.email == email))
        matches = await self._matches(row.password_hash if row else self._nobody, password)
        if row is None or not matches:
            raise WrongPassword("this e-mail address and password do not belong together")
        self._attempts.forget(by_account)
        # Not forgotten whole: an attacker with an account of their own could begin anew after every guess.
        self._attempts.withdraw(by_address)
        await self._renew_hash(row, password)
        return _member(row)

    async def _hash(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _matches(self, password_hash: str, password: str) -> bool:
        async with self._hashing:
            try:
                return await asyncio.to_thread(self._hasher.verify, password_hash, password[:LONGEST_PASSWORD])
            except VerifyMismatchError:
                return False

    async def _renew_hash(self, row: MemberRow, password: str) -> None:
        if not self._hasher.check_needs_rehash(row.password_hash):
            return
        renewed = await self._hash(password)
        async with self._sessions.begin() as session:
            await session.execute(update(MemberRow).where(MemberRow.id == row.id).values(password_hash=renewed))


def canonical_email(email: str) -> str:
    """As it is stored and compared. Raises InvalidRequest for what cannot be an address."""
    email = email.strip().casefold()
    name, at, host = email.rpartition("@")
    if not (name and at and host) or len(email) > LONGEST_EMAIL or any(char.isspace() for char in email):
        raise InvalidRequest(f"{email[:60]!r} is not an e-mail address")
    return email


def _member(row: MemberRow) -> Member:
    return Member(row.id, row.email, Role(row.role), row.plan)
