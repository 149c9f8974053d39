"""Resumable uploads as files that grow.

The length of an upload's file is its size. While an `append` that must be whole is under way, a mark beside the file
says how much of it counts: what a crash leaves after that was never checked.
"""

import os
from collections.abc import AsyncIterable, Callable
from contextlib import ExitStack
from pathlib import Path

from storage.blocking import off_loop
from storage.errors import OffsetMismatch, UploadBusy, UploadNotFound
from storage.files import lock, store_errors, sync_folder, write_all
from storage.keys import is_id, new_id
from storage.store import BLOCK_BYTES


class LocalUploads:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self) -> str:
        upload_id = new_id()
        with store_errors("an upload cannot be begun"):
            os.close(os.open(self._path(upload_id), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
            sync_folder(self.folder)
        return upload_id

    def size(self, upload_id: str) -> int:
        with store_errors(f"upload {upload_id} cannot be read"), ExitStack() as held:
            file = self._open(upload_id, held)
            marked, written = self._marked(upload_id), os.fstat(file).st_size
            os.fsync(file)  # Who is told a size may forget the bytes.
            return written if marked is None else min(marked, written)

    async def append(self, upload_id: str, offset: int, blocks: AsyncIterable[bytes], *, whole: bool) -> int:
        with ExitStack() as held:
            file = await off_loop(self._begin_append, upload_id, offset, whole, held)
            try:
                await _write_blocks(file, blocks)
            except BaseException:
                await off_loop(self._back_to_mark, upload_id, file)
                raise
            return await off_loop(self._keep, upload_id, file)

    def finish(self, upload_id: str, link: Callable[[Path], None]) -> None:
        """link: gives the file its name as an object; does nothing where it has that name already."""
        with store_errors(f"upload {upload_id} cannot be finished"), ExitStack() as held:
            file = self._open_locked(upload_id, held)
            os.fsync(file)
            link(self._path(upload_id))
            self._path(upload_id).unlink()
            os.fchmod(file, 0o444)
            sync_folder(self.folder)

    def abort(self, upload_id: str) -> None:
        with store_errors(f"upload {upload_id} cannot be dropped"):
            self._path(upload_id).unlink(missing_ok=True)
            self._mark_path(upload_id).unlink(missing_ok=True)
            sync_folder(self.folder)

    def _path(self, upload_id: str) -> Path:
        if not is_id(upload_id):
            raise UploadNotFound(f"there is no upload {upload_id[:80]!r}")
        return self.folder / upload_id

    def _open(self, upload_id: str, held: ExitStack) -> int:
        try:
            file = os.open(self._path(upload_id), os.O_RDWR | os.O_APPEND)
        except FileNotFoundError as error:
            if not self.folder.is_dir():
                raise
            raise UploadNotFound(f"there is no upload {upload_id}") from error
        held.callback(os.close, file)
        return file

    def _open_locked(self, upload_id: str, held: ExitStack) -> int:
        file = self._open(upload_id, held)
        if not lock(file, wait=False):
            raise UploadBusy(f"upload {upload_id} is being written")
        if not os.fstat(file).st_nlink:
            raise UploadNotFound(f"there is no upload {upload_id}")
        self._back_to_mark(upload_id, file)
        return file

    def _begin_append(self, upload_id: str, offset: int, whole: bool, held: ExitStack) -> int:
        with store_errors(f"upload {upload_id} cannot be written"):
            file = self._open_locked(upload_id, held)
            if offset != (size := os.fstat(file).st_size):
                raise OffsetMismatch(offset, size)
            if whole:
                self._mark(upload_id, size)
        return file

    def _keep(self, upload_id: str, file: int) -> int:
        with store_errors(f"upload {upload_id} cannot be written"):
            os.fsync(file)
            self._unmark(upload_id)
            if not os.fstat(file).st_nlink:
                raise UploadNotFound(f"upload {upload_id} was dropped meanwhile")
            return os.fstat(file).st_size

    # The mark is a symbolic link that leads nowhere: made with its content in one step, so it is never half there.

    def _mark_path(self, upload_id: str) -> Path:
        return self.folder / f"{upload_id}.whole"

    def _mark(self, upload_id: str, size: int) -> None:
        self._mark_path(upload_id).symlink_to(str(size))
        sync_folder(self.folder)

    def _marked(self, upload_id: str) -> int | None:
        try:
            return int(self._mark_path(upload_id).readlink().name)
        except FileNotFoundError:
            return None

    def _unmark(self, upload_id: str) -> None:
        if self._marked(upload_id) is not None:
            self._mark_path(upload_id).unlink(missing_ok=True)
            sync_folder(self.folder)

    def _back_to_mark(self, upload_id: str, file: int) -> None:
        with store_errors(f"upload {upload_id} cannot be written"):
            if (marked := self._marked(upload_id)) is not None:
                os.ftruncate(file, marked)
                os.fsync(file)
                self._unmark(upload_id)


async def _write_blocks(file: int, blocks: AsyncIterable[bytes]) -> None:
    """Write what comes, in large steps; also what had come when `blocks` raises."""
    gathered = bytearray()
    try:
        async for block in blocks:
            gathered += block
            if len(gathered) >= BLOCK_BYTES:
                # Exchanged first: what a failing write has left of it must not be written again below.
                full, gathered = gathered, bytearray()
                await off_loop(_write, file, full)
    finally:
        await off_loop(_write, file, gathered)


def _write(file: int, data: bytearray) -> None:
    with store_errors("an upload cannot be written"):
        write_all(file, data)
