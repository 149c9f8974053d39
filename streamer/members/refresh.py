"""Refresh tokens: each is used once and replaced; a second use ends all of its sign-in (RFC 9700, 4.14.2)."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Select, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from streamer.database import Sessions
from streamer.errors import RefreshRefused
from streamer.identifiers import new_id
from streamer.tables import RefreshTokenRow

ANSWER_LOST = timedelta(seconds=10)
"So long after its first use a token is taken once more: a page that is loaded anew loses the answer on its way."


class SignIn(NamedTuple):
    """One sign-in, on one device."""

    member_id: str
    family: str
    "What all its refresh tokens have in common."
    refresh_token: str


class RefreshTokens:
    """The refresh tokens in the database, by their digests."""

    def __init__(self, sessions: Sessions, life_s: int) -> None:
        self._sessions = sessions
        self._life = timedelta(seconds=life_s)

    async def begin(self, member_id: str, now: datetime) -> SignIn:
        async with self._sessions.begin() as session:
            return self._issue(session, member_id, new_id(), now)

    async def rotate(self, token: str, now: datetime) -> SignIn:
        """The next token in exchange for this one. Raises RefreshRefused."""
        async with self._sessions.begin() as session:
            row = await session.scalar(_by_token(token).with_for_update())
            replayed = row is not None and row.replaced_at is not None and now - row.replaced_at > ANSWER_LOST
            if row is not None and replayed:
                await session.execute(delete(RefreshTokenRow).where(RefreshTokenRow.family == row.family))
            elif row is not None and row.expires_at > now:
                row.replaced_at = row.replaced_at or now
                return self._issue(session, row.member_id, row.family, now)
        # Raised after the commit: a family ended by a replay stays ended.
        raise RefreshRefused("the refresh token was used before" if replayed else "the refresh token is not known")

    async def end(self, token: str) -> str | None:
        """End the sign-in that a token belongs to; gives its family, None if there is none."""
        async with self._sessions.begin() as session:
            row = await session.scalar(_by_token(token))
            if row is None:
                return None
            await session.execute(delete(RefreshTokenRow).where(RefreshTokenRow.family == row.family))
            return row.family

    async def is_alive(self, family: str, now: datetime) -> bool:
        """Whether a sign-in still stands."""
        alive = exists().where(RefreshTokenRow.family == family, RefreshTokenRow.expires_at > now)
        async with self._sessions() as session:
            return bool(await session.scalar(select(alive)))

    async def forget_expired(self, now: datetime) -> None:
        async with self._sessions.begin() as session:
            await session.execute(delete(RefreshTokenRow).where(RefreshTokenRow.expires_at <= now))

    def _issue(self, session: AsyncSession, member_id: str, family: str, now: datetime) -> SignIn:
        token = secrets.token_urlsafe(32)
        row = RefreshTokenRow(digest=_digest(token), family=family, member_id=member_id, expires_at=now + self._life)
        session.add(row)
        return SignIn(member_id, family, token)


def _by_token(token: str) -> Select[RefreshTokenRow]:
    return select(RefreshTokenRow).where(RefreshTokenRow.digest == _digest(token))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
