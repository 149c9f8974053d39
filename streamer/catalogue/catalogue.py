"""The catalogue: titles, their versions, and which of these is published."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.plans import TitleKind
from streamer.catalogue.pages import LONGEST_PAGE, Page, after, cursor_of, matching
from streamer.catalogue.titles import Title, Version, in_state, titles_query
from streamer.database import Sessions
from streamer.errors import Conflict, NotFound
from streamer.identifiers import new_id
from streamer.tables import TitleRow, VersionRow


class Catalogue:
    """The titles in the database."""

    def __init__(self, sessions: Sessions, now: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._now = now

    async def create(
        self, kind: TitleKind, name: str, *, description: str = "", artist: str = "", album: str = ""
    ) -> Title:
        row = TitleRow(
            id=new_id(),
            kind=kind,
            name=name,
            description=description,
            artist=artist,
            album=album,
            created_at=self._now(),
        )
        async with self._sessions.begin() as session:
            session.add(row)
        return await self.get(row.id)

    async def get(self, title_id: str) -> Title:
        """Raises NotFound."""
        async with self._sessions() as session:
            row = (await session.execute(titles_query().where(TitleRow.id == title_id))).one_or_none()
        if row is None:
            raise NotFound("there is no such title")
        return in_state(*row)

    async def change(self, title_id: str, changes: dict[str, str]) -> Title:
        """changes: new values of name, description, artist and album. Raises NotFound."""
        if changes:
            async with self._sessions.begin() as session:
                await session.execute(update(TitleRow).where(TitleRow.id == title_id).values(**changes))
        return await self.get(title_id)

    async def list(
        self,
        *,
        text: str = "",
        kind: str = "",
        cursor: str = "",
        limit: int = LONGEST_PAGE,
        only_published: bool = True,
    ) -> Page:
        """A page of titles, the newest first.

        text: part of the name, artist or album.
        cursor: `next_cursor` of the page before.

        Raises InvalidRequest for a cursor that we did not make.
        """
        query = titles_query().order_by(TitleRow.created_at.desc(), TitleRow.id.desc()).limit(limit + 1)
        query = query.where(*matching(text, kind), *after(cursor))
        if only_published:
            query = query.where(TitleRow.published_version.is_not(None))
        async with self._sessions() as session:
            rows = (await session.execute(query)).all()
        titles = [in_state(*row) for row in rows]
        return Page(tuple(titles[:limit]), cursor_of(titles[limit - 1]) if len(titles) > limit else None)

    async def versions(self, title_id: str) -> tuple[Version, ...]:
        """All finished encodes of a title, the newest first."""
        query = select(VersionRow).where(VersionRow.title_id == title_id).order_by(VersionRow.number.desc())
        async with self._sessions() as session:
            return tuple(Version.of(row) for row in await session.scalars(query))

    async def version(self, title_id: str, number: int) -> Version:
        """Raises NotFound."""
        async with self._sessions() as session:
            row = await session.get(VersionRow, (title_id, number))
        if row is None:
            raise NotFound(f"the title has no version {number}")
        return Version.of(row)

    async def fill_in(self, title_id: str, *, artist: str, album: str) -> None:
        """What the original's tags say, where nobody has said it."""
        async with self._sessions.begin() as session:
            for column, value in ((TitleRow.artist, artist), (TitleRow.album, album)):
                unsaid = update(TitleRow).where(TitleRow.id == title_id, column == "")
                await session.execute(unsaid.values({column: value}))

    async def add_version(
        self,
        *,
        title_id: str,
        number: int,
        original_id: str,
        duration_s: float,
        height: int,
        poster: str,
        session: AsyncSession | None = None,
    ) -> None:
        """Enter a finished encode; nothing happens if it is there already.

        height: of the best rung; 0 for music.
        poster: digest of the poster's bytes; empty: none.
        session: a transaction of the caller's to do it in; None: one of our own.
        """
        row = VersionRow(
            title_id=title_id,
            number=number,
            original_id=original_id,
            duration_s=duration_s,
            height=height,
            poster=poster,
            created_at=self._now(),
        )
        async with nullcontext(session) if session else self._sessions.begin() as writing:
            if await writing.get(VersionRow, (title_id, number)) is None:
                writing.add(row)

    async def publish(self, title_id: str, number: int | None = None, *, only_newer: bool = False) -> int:
        """Make a version the one that viewers get, in one step; gives the number of the one they get from now on.

        number: None for the newest.
        only_newer: leave it as it is if a later version is published.

        Raises NotFound; Conflict if the title has no version yet.
        """
        async with self._sessions.begin() as session:
            title = await session.get(TitleRow, title_id, with_for_update=True)
            if title is None:
                raise NotFound("there is no such title")
            if number is None:
                newest = select(func.max(VersionRow.number)).where(VersionRow.title_id == title_id)
                number = await session.scalar(newest)
                if number is None:
                    raise Conflict("the title has no finished version to publish")
            elif await session.get(VersionRow, (title_id, number)) is None:
                raise NotFound(f"the title has no version {number}")
            if only_newer and title.published_version is not None and title.published_version > number:
                return title.published_version
            if title.published_version != number:
                title.published_version, title.published_at = number, self._now()
            return number

    async def unpublish(self, title_id: str) -> None:
        """Viewers no longer get the title; sessions that have it keep it. Raises NotFound."""
        async with self._sessions.begin() as session:
            title = await session.get(TitleRow, title_id, with_for_update=True)
            if title is None:
                raise NotFound("there is no such title")
            title.published_version = title.published_at = None

    async def artwork_key(self, digest: str) -> str:
        """Key of the object that holds a poster. Raises NotFound."""
        query = select(VersionRow).where(VersionRow.poster == digest).limit(1)
        async with self._sessions() as session:
            row = await session.scalar(query)
        if row is None:
            raise NotFound("there is no such artwork")
        return f"titles/{row.title_id}/v{row.number}/images/{digest}.jpg"
