"""Originals on their way in: the rules of resumable uploads. It knows no HTTP; that is in `http/uploads_api.py`."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from datetime import datetime

import structlog

from config.settings import UploadSettings
from storage.errors import OffsetMismatch, StorageError, UploadBusy, UploadNotFound
from storage.store import ObjectStore
from streamer.database import Sessions
from streamer.errors import NotFound, StreamerError
from streamer.studio.arrivals import Arrivals
from streamer.studio.digests import RunningDigest
from streamer.studio.errors import TooLarge, UploadForbidden, UploadLocked, WrongOffset
from streamer.studio.ledger import Ledger
from streamer.studio.upload_headers import Checksum, UploadMetadata, read_metadata
from streamer.studio.upload_rows import FINAL, PARTIAL, Upload, UploadRows, upload_key, upload_of
from streamer.tables import UploadRow

log = structlog.get_logger()


class Uploads:
    """Uploads of all members; one is known to the member who began it alone.

    Bytes are in the object store, which knows best how many came; the database says what they are for. A partial upload
    becomes an object below `partials/`, which lives until the final upload has it, or its time is over.
    """

    def __init__(
        self,
        sessions: Sessions,
        store: ObjectStore,
        ledger: Ledger,
        settings: UploadSettings,
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        """wake: told when there is a new job."""
        self._store = store
        self._settings = settings
        self._now = now
        self._wake = wake
        self._rows = UploadRows(sessions, settings.expires_s, now)
        self._arrivals = Arrivals(sessions, self._rows, store, ledger, now)
        self._busy: set[str] = set()
        self._digests: dict[str, RunningDigest] = {}

    async def create(self, member_id: str, length_bytes: int, metadata_header: str, *, partial: bool = False) -> Upload:
        """Begin an upload; one of no bytes is finished at once. Raises InvalidRequest, NotFound, TooLarge."""
        metadata = None if partial else read_metadata(metadata_header)
        row = await self._add(member_id, length_bytes, metadata_header, metadata, PARTIAL if partial else "")
        if length_bytes == 0:
            with self._alone(row.id):
                await self._finish(row)
        return upload_of(row, 0)

    async def join(self, member_id: str, part_ids: Sequence[str], metadata_header: str) -> Upload:
        """Make one upload of finished partial ones. Raises InvalidRequest, NotFound, TooLarge, UploadForbidden."""
        metadata = read_metadata(metadata_header)
        parts = [await self._rows.get(member_id, part_id) for part_id in part_ids]
        if any(part.concat != PARTIAL or not part.finished_at for part in parts):
            raise UploadForbidden("only partial uploads that are complete can be joined")
        length_bytes = sum(part.length_bytes or 0 for part in parts)
        row = await self._add(member_id, length_bytes, metadata_header, metadata, FINAL + " ".join(part_ids))
        with self._alone(row.id):
            try:
                await self._append(row, 0, _chained(self._store, [upload_key(part) for part in parts]), None)
                await self._finish(row)
            except BaseException:
                # Its address was never said, so the client will not go on with this one but join the parts again.
                with suppress(StorageError, StreamerError):
                    await self._drop(row)
                raise
        for part in parts:
            await self._drop(part)
        return upload_of(row, length_bytes)

    async def get(self, member_id: str, upload_id: str) -> Upload:
        """How far an upload is; one that has all its bytes becomes an original now, if it did not before.

        Raises NotFound, UploadGone.
        """
        row = await self._rows.get(member_id, upload_id)
        if row.finished_at:
            return upload_of(row, row.length_bytes or 0)
        size = await self._kept_bytes(row)
        if size == row.length_bytes and upload_id not in self._busy:
            with self._alone(upload_id):
                await self._finish(row)
        return upload_of(row, size)

    async def append(
        self,
        member_id: str,
        upload_id: str,
        offset: int,
        blocks: AsyncIterable[bytes],
        *,
        announced_bytes: int = 0,
        checksum: Checksum | None = None,
    ) -> Upload:
        """Add bytes at the end, and finish the upload with the last.

        announced_bytes: how many are going to come; 0 where that is not known.
        checksum: of these bytes; where it does not match, none is kept.

        Raises NotFound, UploadGone, UploadForbidden, UploadLocked, WrongOffset, WrongChecksum, TooLarge, and whatever
        `blocks` raises; what had come before is kept then.
        """
        with self._alone(upload_id):
            row = await self._rows.get(member_id, upload_id)
            length = row.length_bytes or 0
            if row.concat.startswith(FINAL):
                raise UploadForbidden("a final upload is made of its parts alone")
            if row.finished_at and offset != length:
                raise WrongOffset(f"upload offset is {length}, not {offset}")
            if offset + announced_bytes > length:
                raise TooLarge(f"the upload has {length} bytes, and these would end at {offset + announced_bytes}")
            if row.finished_at:
                return upload_of(row, length)
            size = await self._append(row, offset, _at_most(blocks, length - offset), checksum)
            if size == length:
                await self._finish(row)
            return upload_of(row, size)

    async def terminate(self, member_id: str, upload_id: str) -> None:
        """Drop an upload and its bytes. Raises NotFound, UploadGone, UploadForbidden, UploadLocked."""
        with self._alone(upload_id):
            row = await self._rows.get(member_id, upload_id)
            if row.finished_at and row.concat != PARTIAL:
                raise UploadForbidden("the upload is complete: its original belongs to the title now")
            await self._drop(row)

    async def expire(self) -> None:
        """Drop what stood still for too long; finish what has all its bytes and was kept from it by an outage."""
        for row in await self._rows.due():
            if row.id in self._busy:
                continue
            with self._alone(row.id):
                try:
                    await self._tidy_up(row)
                except (StorageError, StreamerError) as error:
                    log.warning("an upload cannot be tidied up", upload_id=row.id, error=str(error))

    async def _tidy_up(self, row: UploadRow) -> None:
        if row.expires_at <= self._now():
            return await self._drop(row)
        try:
            await self._finish(row)
        except NotFound:  # Its bytes or its title are gone.
            await self._drop(row)

    async def _add(
        self, member_id: str, length_bytes: int, metadata_header: str, metadata: UploadMetadata | None, concat: str
    ) -> UploadRow:
        if length_bytes > self._settings.max_bytes:
            raise TooLarge(f"{length_bytes} bytes are more than the {self._settings.max_bytes} that we take")
        if metadata:
            await self._rows.check_title(metadata.title_id)
        row = self._rows.draft(member_id, length_bytes, metadata_header, metadata, concat)
        row.store_upload_id = await self._store.begin_upload(upload_key(row))
        await self._rows.add(row)
        return row

    async def _kept_bytes(self, row: UploadRow) -> int:
        try:
            return await self._store.upload_size(upload_key(row), row.store_upload_id)
        except UploadNotFound:
            # A crash came between the store's last step and ours: then the object is there already.
            return (await self._store.head(upload_key(row))).size_bytes

    async def _append(
        self, row: UploadRow, offset: int, blocks: AsyncIterable[bytes], checksum: Checksum | None
    ) -> int:
        before = self._digests.pop(row.id, RunningDigest())
        running = before.copy() if before.size_bytes == offset else RunningDigest()
        watched = running.watch(blocks, checksum)
        try:
            size = await self._store.append(
                upload_key(row), row.store_upload_id, offset, watched, whole=checksum is not None
            )
        except OffsetMismatch as error:
            self._digests[row.id] = before
            raise WrongOffset(str(error)) from error
        except UploadBusy as error:
            raise UploadLocked("the upload is in use by another request") from error
        except UploadNotFound:
            size = await self._kept_bytes(row)  # It is an object already; what is left is to finish it.
        except StreamerError:
            await self._note(row, await self._kept_bytes(row), running, before)
            raise
        await self._note(row, size, running, before)
        return size

    async def _note(self, row: UploadRow, size: int, *digests: RunningDigest) -> None:
        """Write down how far an upload is, and keep the digest that is as far."""
        for digest in digests:
            if digest.size_bytes == size:
                self._digests[row.id] = digest
        await self._rows.note(row, size)

    async def _finish(self, row: UploadRow) -> None:
        digest = self._digests.get(row.id, RunningDigest())
        await self._arrivals.finish(row, digest.hexdigest() if digest.size_bytes == row.length_bytes else "")
        self._digests.pop(row.id, None)
        self._wake()

    async def _drop(self, row: UploadRow) -> None:
        """Forget an upload. Its bytes go too, unless they are an original."""
        self._digests.pop(row.id, None)
        await self._store.abort_upload(upload_key(row), row.store_upload_id)
        if row.concat == PARTIAL or not row.finished_at:
            await self._store.delete(upload_key(row))
        await self._rows.forget(row)

    @contextmanager
    def _alone(self, upload_id: str) -> Iterator[None]:
        if upload_id in self._busy:
            raise UploadLocked("the upload is in use by another request")
        self._busy.add(upload_id)
        try:
            yield
        finally:
            self._busy.discard(upload_id)


async def _at_most(blocks: AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
    async for block in blocks:
        size -= len(block)
        if size < 0:
            raise TooLarge("more bytes came than the upload has")
        yield block


async def _chained(store: ObjectStore, keys: Sequence[str]) -> AsyncIterator[bytes]:
    for key in keys:
        async with aclosing(store.stream(key)) as blocks:
            async for block in blocks:
                yield block
