"""What the database knows of uploads: whose they are, and for what. How far they are the object store knows best."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update

from streamer.database import Sessions
from streamer.errors import NotFound
from streamer.identifiers import new_id
from streamer.studio.errors import UploadGone
from streamer.studio.upload_headers import UploadMetadata
from streamer.tables import TitleRow, UploadRow
from transcoder.originals import original_key

PARTIAL = "partial"
FINAL = "final;"


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as it stands now."""

    id: str
    offset_bytes: int
    length_bytes: int
    metadata_header: str
    concat: str
    "`partial`, or `final;` and the ids of its parts; empty: neither."
    expires_at: datetime
    finished: bool


def upload_of(row: UploadRow, offset_bytes: int) -> Upload:
    return Upload(
        id=row.id,
        offset_bytes=offset_bytes,
        length_bytes=row.length_bytes or 0,
        metadata_header=row.metadata_header,
        concat=row.concat,
        expires_at=row.expires_at,
        finished=row.finished_at is not None,
    )


def upload_key(row: UploadRow) -> str:
    """Names the object that an upload becomes."""
    return f"partials/{row.original_id}" if row.concat == PARTIAL else original_key(row.original_id)


class UploadRows:
    """Every method is one transaction."""

    def __init__(self, sessions: Sessions, expires_s: float, now: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._expires_s = expires_s
        self._now = now

    def draft(
        self, member_id: str, length_bytes: int, metadata_header: str, metadata: UploadMetadata | None, concat: str
    ) -> UploadRow:
        """A row that is nowhere yet; without metadata it is for no title (a partial upload)."""
        return UploadRow(
            id=new_id(),
            member_id=member_id,
            original_id=new_id(),
            length_bytes=length_bytes,
            offset_bytes=0,
            metadata_header=metadata_header,
            concat=concat,
            title_id=metadata.title_id if metadata else "",
            publish=metadata.publish if metadata else "",
            filename=metadata.filename if metadata else "",
            created_at=self._now(),
            expires_at=self.expiry(),
        )

    def expiry(self) -> datetime:
        return self._now() + timedelta(seconds=self._expires_s)

    async def check_title(self, title_id: str) -> None:
        """Raises NotFound."""
        async with self._sessions() as session:
            if await session.get(TitleRow, title_id) is None:
                raise NotFound("there is no such title; create it first")

    async def add(self, row: UploadRow) -> None:
        async with self._sessions.begin() as session:
            session.add(row)

    async def get(self, member_id: str, upload_id: str) -> UploadRow:
        """Raises NotFound, UploadGone."""
        async with self._sessions() as session:
            row = await session.get(UploadRow, upload_id)
        if row is None or row.member_id != member_id:
            raise NotFound("there is no such upload")
        if row.expires_at <= self._now():
            raise UploadGone("the upload stood still for too long and was dropped")
        return row

    async def note(self, row: UploadRow, size_bytes: int) -> None:
        """Write down how far an upload is; its time begins anew."""
        row.offset_bytes, row.expires_at = size_bytes, self.expiry()
        values = {"offset_bytes": size_bytes, "expires_at": row.expires_at}
        async with self._sessions.begin() as session:
            await session.execute(update(UploadRow).where(UploadRow.id == row.id).values(values))

    async def due(self) -> list[UploadRow]:
        """Uploads whose time is over, and those that have all their bytes and are not finished."""
        complete = UploadRow.finished_at.is_(None) & (UploadRow.offset_bytes == UploadRow.length_bytes)
        async with self._sessions() as session:
            found = select(UploadRow).where(or_(UploadRow.expires_at <= self._now(), complete))
            return list(await session.scalars(found))

    async def forget(self, row: UploadRow) -> None:
        async with self._sessions.begin() as session:
            await session.execute(delete(UploadRow).where(UploadRow.id == row.id))
