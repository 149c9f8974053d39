"""Objects as files below one folder, which any number of processes may use at the same time."""

import os
import stat
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator
from contextlib import ExitStack, aclosing
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Event

from storage.blocking import off_loop, off_loop_stoppable
from storage.errors import ObjectExists, ObjectNotFound, StorageError, StoreFull, StoreUnavailable
from storage.files import copy_all, new_temporary, store_errors, sweep_temporaries, sync_folder, write_all
from storage.keys import checked_key, checked_prefix, is_key, new_id
from storage.local_uploads import LocalUploads
from storage.store import BLOCK_BYTES, ObjectInfo

LISTED_AT_ONCE = 1000


class LocalStore:
    """The object store on a local disk.

    An object is written to `.tmp/`, synced, and then linked to its name: a link fails where the name is taken, and
    what is not whole has no name. `.tmp/` and `.uploads/` cannot be keys, since no name in a key begins with a dot.
    """

    def __init__(self, root: Path, *, make: bool = True) -> None:
        """Make the folder if it is not there, and clean up after crashes. Raises StoreUnavailable.

        make: False where somebody else does: one that is not there is away then, such as a disk that is not mounted.
        """
        self._root = root.absolute()
        self._temporaries = self._root / ".tmp"
        self._uploads = LocalUploads(self._root / ".uploads")
        if not make:
            self._check_there()
            return
        with store_errors(f"the store's folder {self._root} cannot be used"):
            self._root.mkdir(parents=True, exist_ok=True)
            self._temporaries.mkdir(exist_ok=True)
            self._uploads.folder.mkdir(exist_ok=True)
            sweep_temporaries(self._temporaries)

    async def put(self, key: str, data: bytes) -> None:
        await off_loop(self._put, checked_key(key), data)

    async def put_file(self, key: str, path: Path) -> None:
        await off_loop_stoppable(partial(self._put_file, checked_key(key), path))

    async def head(self, key: str) -> ObjectInfo:
        return await off_loop(self._head, checked_key(key))

    async def get(self, key: str) -> bytes:
        async with aclosing(self.stream(key)) as blocks:
            return b"".join([block async for block in blocks])

    async def stream(self, key: str, offset: int = 0, size: int | None = None) -> AsyncGenerator[bytes, None]:
        with ExitStack() as held:
            file = await off_loop(self._open, checked_key(key), held)
            end = os.fstat(file).st_size if size is None else offset + size
            if max(offset, end) > os.fstat(file).st_size:
                raise StoreUnavailable(f"object {key} ends before byte {max(offset, end)}")
            while offset < end:
                with store_errors(f"object {key} cannot be read"):
                    block = await off_loop(os.pread, file, min(BLOCK_BYTES, end - offset), offset)
                if not block:
                    raise StoreUnavailable(f"object {key} ends before byte {end}")
                offset += len(block)
                yield block

    async def get_file(self, key: str, path: Path) -> None:
        await off_loop_stoppable(partial(self._get_file, checked_key(key), path))

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        folder = checked_prefix(prefix).rpartition("/")[0]
        found = self._walk(self._root / folder, prefix)
        while batch := await off_loop(_take, found):
            for info in batch:
                yield info

    async def delete(self, key: str) -> None:
        await off_loop(self._delete, checked_key(key))

    async def check(self) -> None:
        try:
            await off_loop(self._check)
        except StoreFull as error:
            raise StoreUnavailable(str(error)) from error

    async def begin_upload(self, key: str) -> str:
        checked_key(key)
        return await off_loop(self._uploads.begin)

    async def upload_size(self, key: str, upload_id: str) -> int:
        return await off_loop(self._uploads.size, upload_id)

    async def append(self, key: str, upload_id: str, offset: int, blocks: AsyncIterable[bytes], *, whole: bool) -> int:
        return await self._uploads.append(upload_id, offset, blocks, whole=whole)

    async def finish_upload(self, key: str, upload_id: str) -> None:
        await off_loop(self._uploads.finish, upload_id, lambda path: self._link(path, checked_key(key)))

    async def abort_upload(self, key: str, upload_id: str) -> None:
        await off_loop(self._uploads.abort, upload_id)

    def _put(self, key: str, data: bytes) -> None:
        with store_errors(f"object {key} cannot be stored"), ExitStack() as held:
            file, path = new_temporary(self._temporaries, held)
            write_all(file, data)
            self._sync_and_link(file, path, key)

    def _put_file(self, key: str, source: Path, stop: Event) -> None:
        opened = source.open("rb", buffering=0)  # Outside of store_errors: that file is the caller's.
        with opened, store_errors(f"object {key} cannot be stored"), ExitStack() as held:
            file, path = new_temporary(self._temporaries, held)
            copy_all(opened.fileno(), file, stop)
            self._sync_and_link(file, path, key)

    def _sync_and_link(self, file: int, path: Path, key: str) -> None:
        os.fchmod(file, 0o444)
        os.fsync(file)
        self._link(path, key)

    def _link(self, path: Path, key: str) -> None:
        """Give a written file its key. Raises ObjectExists, unless the object is this very file."""
        target = self._root / key
        try:
            self._make_folders_and_link(path, target)
        except FileExistsError as error:
            if not target.samefile(path):
                raise ObjectExists(f"object {key} exists") from error
        folder = target.parent
        while True:  # Always all of them: another process may have made a folder and not have synced it yet.
            sync_folder(folder)
            if folder == self._root:
                break
            folder = folder.parent

    def _make_folders_and_link(self, path: Path, target: Path) -> None:
        missing = target.parent.relative_to(self._root).parts
        while True:
            folder = self._root
            for name in missing:
                folder /= name
                try:
                    folder.mkdir()
                except FileExistsError:
                    continue
                except FileNotFoundError:
                    break
            try:
                os.link(path, target)
            except FileNotFoundError:
                # Somebody's delete took a folder that was empty for a moment; or the store itself is gone.
                if not self._root.is_dir() or not path.exists():
                    raise
                continue
            return

    def _open(self, key: str, held: ExitStack) -> int:
        try:
            file = os.open(self._root / key, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise self._unread(key, error) from error
        held.callback(os.close, file)
        if not stat.S_ISREG(os.fstat(file).st_mode):  # A folder can be opened as well.
            raise ObjectNotFound(f"there is no object {key}")
        return file

    def _head(self, key: str) -> ObjectInfo:
        with ExitStack() as held:
            return ObjectInfo(key, os.fstat(self._open(key, held)).st_size)

    def _unread(self, key: str, error: OSError) -> StorageError:
        if isinstance(error, FileNotFoundError | NotADirectoryError) and self._temporaries.is_dir():
            return ObjectNotFound(f"there is no object {key}")
        return StoreUnavailable(f"object {key} cannot be read: {error.strerror}")

    def _get_file(self, key: str, path: Path, stop: Event) -> None:
        with ExitStack() as held:
            source = self._open(key, held)
            new = path.with_name(f".{path.name}.{new_id()}")
            held.callback(new.unlink, missing_ok=True)
            try:
                os.link(self._root / key, new)  # No byte is copied where both are in one file system.
            except OSError:
                with (
                    store_errors(f"object {key} cannot be copied to {path}"),
                    new.open("xb", buffering=0) as target,
                ):
                    copy_all(source, target.fileno(), stop)
            new.replace(path)

    def _check_there(self, error: OSError | None = None) -> None:
        """Raises StoreUnavailable where the store is away; a mount point without its disk is an empty folder."""
        if not self._temporaries.is_dir():
            raise StoreUnavailable(f"the store's folder {self._root} is not there") from error

    def _walk(self, folder: Path, prefix: str) -> Iterator[ObjectInfo]:
        try:
            entries = [(entry.name + "/" * entry.is_dir(), entry) for entry in os.scandir(folder)]
        except (FileNotFoundError, NotADirectoryError) as error:
            self._check_there(error)
            return
        # With the slash, because a key goes on after the folder's name: `a-b` comes before `a/c`.
        for name, entry in sorted(entries, key=lambda each: each[0]):
            key = Path(entry.path).relative_to(self._root).as_posix()
            if name.endswith("/") and (f"{key}/".startswith(prefix) or prefix.startswith(f"{key}/")) and is_key(key):
                yield from self._walk(Path(entry.path), prefix)
            elif not name.endswith("/") and key.startswith(prefix) and is_key(key):
                try:
                    yield ObjectInfo(key, entry.stat().st_size)
                except FileNotFoundError:
                    continue  # Deleted meanwhile.

    def _delete(self, key: str) -> None:
        path = self._root / key
        with store_errors(f"object {key} cannot be deleted"):
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                self._check_there(error)
                return
            sync_folder(path.parent)
        for folder in path.parents:
            if folder == self._root:
                break
            try:
                folder.rmdir()
            except OSError:
                break  # Not empty, as a rule.

    def _check(self) -> None:
        with store_errors("the store cannot be written"), ExitStack() as held:
            file, _path = new_temporary(self._temporaries, held)
            write_all(file, b"check")
            os.fsync(file)


def _take(found: Iterator[ObjectInfo]) -> list[ObjectInfo]:
    with store_errors("the store cannot be listed"):
        return list(islice(found, LISTED_AT_ONCE))
