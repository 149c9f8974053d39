"""The interface of an object store. Objects are put once and never changed."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

BLOCK_BYTES = 2**20
"The largest block that `stream` gives."


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a store knows of an object without reading it."""

    key: str
    size_bytes: int


class ObjectStore(Protocol):
    """Objects by key. A key is one or more names of `[A-Za-z0-9._-]` that do not begin with a dot, joined by `/`;
    no key is the folder of another.

    Every method may raise InvalidKey and StoreUnavailable; those that write, StoreFull.
    """

    async def put(self, key: str, data: bytes) -> None:
        """Store a small object whole. Raises ObjectExists if the key is taken (its bytes stay as they were)."""

    async def put_file(self, key: str, path: Path) -> None:
        """Store a file of any size. Raises ObjectExists."""

    async def head(self, key: str) -> ObjectInfo:
        """Raises ObjectNotFound."""

    async def get(self, key: str) -> bytes:
        """A small object, whole. Raises ObjectNotFound."""

    def stream(self, key: str, offset: int = 0, size: int | None = None) -> AsyncGenerator[bytes, None]:
        """Bytes from `offset`, `size` of them (to the end without it), in blocks of at most 1 MiB.

        Whoever may leave before the end closes it (`contextlib.aclosing`).

        Raises ObjectNotFound before the first block; StoreUnavailable if the object ends early.
        """

    async def get_file(self, key: str, path: Path) -> None:
        """Give an object a file, which appears only when it is whole, in place of one that was there.

        The file is for reading: on one disk it is the object itself under another name.

        Raises ObjectNotFound.
        """

    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Objects whose keys begin with `prefix`, in order of their keys."""

    async def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""

    async def check(self) -> None:
        """Raises StoreUnavailable, with the reason, where the store could not be read and written now."""

    # Resumable uploads: bytes come in order, and those that `append` counted survive a crash of any process.
    # While one call is at work on an upload, another raises UploadBusy; across processes only the local store can see
    # that, so whoever has several processes lets one at a time work on an upload.

    async def begin_upload(self, key: str) -> str:
        """An id for a new upload to `key`."""

    async def upload_size(self, key: str, upload_id: str) -> int:
        """How many bytes of an upload are kept. Raises UploadNotFound."""

    async def append(self, key: str, upload_id: str, offset: int, blocks: AsyncIterable[bytes], *, whole: bool) -> int:
        """Add bytes at the end; gives the upload's new size once they are kept.

        offset: where the caller thinks the end is.
        whole: if `blocks` raises or the task or process ends before it, keep nothing of this call (a checksum did not
            match); otherwise what had come is kept.

        Raises OffsetMismatch, UploadNotFound, and whatever `blocks` raises.
        """

    async def finish_upload(self, key: str, upload_id: str) -> None:
        """Turn the upload into the object `key`. Raises ObjectExists, UploadNotFound.

        After a crash it may be called again, and is then done or raises UploadNotFound with the object in its place.
        """

    async def abort_upload(self, key: str, upload_id: str) -> None:
        """Forget an upload and its bytes; one that is not there is no error."""
