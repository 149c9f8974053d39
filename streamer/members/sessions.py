"""Playback sessions: each carries its decision for as long as it lives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, update

from drm.scheme import Scheme
from streamer.database import Sessions
from streamer.errors import NotFound, SessionEnded
from streamer.members.playback_tokens import Grant
from streamer.tables import PlaybackSessionRow

FINISHED_SHARE = 0.95  # credits: who saw so much begins anew next time


class EndedSessions:
    """Ids of sessions that were ended before their tokens expired, in memory."""

    def __init__(self) -> None:
        self._expiry_s: dict[str, float] = {}

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._expiry_s

    def add(self, sessions: Iterable[tuple[str, datetime]]) -> None:
        """sessions: ids, and when the last token of each expires."""
        self._expiry_s.update((session_id, expires_at.timestamp()) for session_id, expires_at in sessions)

    def forget_expired(self, now_s: float) -> None:
        self._expiry_s = {name: expiry_s for name, expiry_s in self._expiry_s.items() if expiry_s > now_s}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackSession:
    """A session as it stands."""

    id: str
    member_id: str
    sign_in: str
    "The sign-in it came from, which ends it."
    title_id: str
    version: str
    "As in URLs: `v7-p1`."
    scheme: Scheme
    track_ids: tuple[str, ...]
    player: str
    expires_at: datetime

    @property
    def grant(self) -> Grant:
        expires_s = int(self.expires_at.timestamp())
        return Grant(self.title_id, self.version, self.scheme, self.track_ids, self.id, self.player, expires_s)


class PlaybackSessions:
    """The sessions in the database; those that were ended also in memory."""

    def __init__(self, sessions: Sessions, ended: EndedSessions) -> None:
        self._sessions = sessions
        self._ended = ended

    async def load_ended(self, now: datetime) -> None:
        """What was ended before this process began."""
        ended = PlaybackSessionRow.ended_at.is_not(None), PlaybackSessionRow.expires_at > now
        query = select(PlaybackSessionRow.id, PlaybackSessionRow.expires_at).where(*ended)
        async with self._sessions() as session:
            self._ended.add([(row.id, row.expires_at) for row in await session.execute(query)])

    async def begin(self, begun: PlaybackSession, now: datetime) -> None:
        row = PlaybackSessionRow(
            id=begun.id,
            member_id=begun.member_id,
            sign_in=begun.sign_in,
            title_id=begun.title_id,
            version=begun.version,
            scheme=begun.scheme,
            track_ids=list(begun.track_ids),
            player=begun.player,
            created_at=now,
            seen_at=now,
            expires_at=begun.expires_at,
        )
        async with self._sessions.begin() as session:
            session.add(row)

    async def seen(self, session_id: str, member_id: str, position_s: float, now: datetime) -> PlaybackSession:
        """A player's sign of life.

        Raises NotFound, also for another member's session; SessionEnded for one that was ended or has lapsed.
        """
        async with self._sessions.begin() as session:
            row = await session.get(PlaybackSessionRow, session_id, with_for_update=True)
            if row is None or row.member_id != member_id:
                raise NotFound("there is no such playback session")
            if row.ended_at is not None or row.expires_at <= now:
                raise SessionEnded("the playback session has ended")
            row.seen_at, row.position_s = now, position_s
        return _session(row)

    async def renew(self, session_id: str, expires_at: datetime) -> None:
        """Let a session that stands live longer."""
        stands = PlaybackSessionRow.id == session_id, PlaybackSessionRow.ended_at.is_(None)
        async with self._sessions.begin() as session:
            await session.execute(update(PlaybackSessionRow).where(*stands).values(expires_at=expires_at))

    async def end(self, session_id: str, member_id: str, now: datetime) -> None:
        """End a session; again is no error. Raises NotFound, also for another member's session."""
        own = PlaybackSessionRow.id == session_id, PlaybackSessionRow.member_id == member_id
        async with self._sessions() as session:
            if await session.scalar(select(PlaybackSessionRow.id).where(*own)) is None:
                raise NotFound("there is no such playback session")
        await self._end(own, now)

    async def end_all(self, sign_in: str, now: datetime) -> None:
        """End the sessions of one sign-in."""
        await self._end([PlaybackSessionRow.sign_in == sign_in, PlaybackSessionRow.expires_at > now], now)

    async def resume_s(self, member_id: str, title_id: str, duration_s: float) -> float:
        """Where a member left a title; 0 if they saw it to the end."""
        own = PlaybackSessionRow.member_id == member_id, PlaybackSessionRow.title_id == title_id
        # A session that was opened and left at once says nothing about the place.
        last = select(PlaybackSessionRow.position_s).where(*own, PlaybackSessionRow.position_s > 0)
        async with self._sessions() as session:
            position_s = await session.scalar(last.order_by(PlaybackSessionRow.seen_at.desc()).limit(1)) or 0.0
        return 0.0 if position_s >= duration_s * FINISHED_SHARE else position_s

    async def _end(self, which: Sequence[ColumnElement[bool]], now: datetime) -> None:
        ended = update(PlaybackSessionRow).where(*which, PlaybackSessionRow.ended_at.is_(None)).values(ended_at=now)
        async with self._sessions.begin() as session:
            rows = await session.execute(ended.returning(PlaybackSessionRow.id, PlaybackSessionRow.expires_at))
            sessions = [(row.id, row.expires_at) for row in rows]
        self._ended.add(sessions)


def _session(row: PlaybackSessionRow) -> PlaybackSession:
    return PlaybackSession(
        id=row.id,
        member_id=row.member_id,
        sign_in=row.sign_in,
        title_id=row.title_id,
        version=row.version,
        scheme=Scheme(row.scheme),
        track_ids=tuple(row.track_ids),
        player=row.player,
        expires_at=row.expires_at,
    )
