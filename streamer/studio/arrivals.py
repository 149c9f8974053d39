"""From a complete upload to an original with its job."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import ObjectNotFound, UploadNotFound
from storage.store import ObjectStore
from streamer.database import Sessions
from streamer.errors import NotFound
from streamer.studio.digests import stored_digest
from streamer.studio.ledger import Ledger
from streamer.studio.upload_headers import read_metadata
from streamer.studio.upload_rows import PARTIAL, UploadRows, upload_key
from streamer.tables import OriginalRow, TitleRow, UploadRow


class Arrivals:
    def __init__(
        self, sessions: Sessions, rows: UploadRows, store: ObjectStore, ledger: Ledger, now: Callable[[], datetime]
    ) -> None:
        self._sessions = sessions
        self._rows = rows
        self._store = store
        self._ledger = ledger
        self._now = now

    async def finish(self, row: UploadRow, sha256: str) -> None:
        """Make the upload an object, and in one transaction write down the original, its job and that it is done.

        Again is no error, so a crash in the middle does no harm. A partial upload becomes an object alone.

        sha256: of all bytes; empty where they passed before we were started, then it is read again.

        Raises NotFound where upload or title are gone.
        """
        try:
            await self._store.finish_upload(upload_key(row), row.store_upload_id)
        except UploadNotFound:
            await self._check_stored(row)
        is_original = row.concat != PARTIAL
        if is_original:
            sha256 = sha256 or await stored_digest(self._store, upload_key(row))
        async with self._sessions.begin() as session:
            kept = await session.get_one(UploadRow, row.id, with_for_update=True)
            if is_original and not kept.finished_at:
                await self._add_original(session, kept, sha256)
            kept.offset_bytes = kept.length_bytes or 0
            kept.finished_at = row.finished_at = kept.finished_at or self._now()
            kept.expires_at = row.expires_at = self._rows.expiry()

    async def _check_stored(self, row: UploadRow) -> None:
        try:
            await self._store.head(upload_key(row))
        except ObjectNotFound as error:
            raise NotFound("there is no such upload") from error

    async def _add_original(self, session: AsyncSession, row: UploadRow, sha256: str) -> None:
        if await session.get(TitleRow, row.title_id) is None:
            raise NotFound("the title was deleted meanwhile")
        is_subtitles = read_metadata(row.metadata_header).is_subtitles
        original = OriginalRow(
            id=row.original_id,
            title_id=row.title_id,
            filename=row.filename,
            size_bytes=row.length_bytes or 0,
            sha256=sha256,
            is_subtitles=is_subtitles,
            created_at=self._now(),
        )
        session.add(original)
        await session.flush()  # The ledger looks for it.
        if not is_subtitles:
            await self._ledger.add_job_in(session, original.id, row.publish, row.member_id)
