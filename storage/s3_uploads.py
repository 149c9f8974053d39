"""Resumable uploads in S3.

S3 keeps parts of at least 5 MiB, but an upload may pause at any byte. So the truth about an upload is one small object,
put anew at each step: a line of JSON that lists the parts that count, and after it the tail, those bytes that do not
fill a part yet. A part that this object does not list was never counted; its number is used again.
"""

import json
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from storage.errors import ObjectNotFound, OffsetMismatch, StorageError, UploadBusy, UploadNotFound
from storage.keys import is_id, new_id
from storage.s3_once import Part, S3Once, part_size_bytes
from storage.s3_requests import S3Requests


@dataclass(frozen=True, slots=True)
class Progress:
    """What an upload has kept so far."""

    multipart: str = ""
    "What S3 calls its multipart upload; empty until the first part is full."
    parts: tuple[Part, ...] = ()
    tail: bytes = b""

    @property
    def size_bytes(self) -> int:
        return sum(part.size_bytes for part in self.parts) + len(self.tail)

    def to_bytes(self) -> bytes:
        fields = {"multipart": self.multipart, "parts": [asdict(part) for part in self.parts]}
        return json.dumps(fields).encode() + b"\n" + self.tail

    @staticmethod
    def from_bytes(data: bytes) -> "Progress":
        line, _, tail = data.partition(b"\n")
        fields = json.loads(line)
        return Progress(fields["multipart"], tuple(Part(**part) for part in fields["parts"]), tail)


class S3Uploads:
    def __init__(self, requests: S3Requests, once: S3Once, folder: str, part_bytes: int) -> None:
        """folder: how the names of the objects begin that keep the progress."""
        self._requests = requests
        self._once = once
        self._folder = folder
        self._part_bytes = part_bytes
        self._busy: set[str] = set()

    async def begin(self) -> str:
        upload_id = new_id()
        await self._save(upload_id, Progress())
        return upload_id

    async def size(self, upload_id: str) -> int:
        name = self._name(upload_id)
        try:
            answer = await self._requests.send(f"upload {upload_id}", "head_object", Key=name)
        except ObjectNotFound as error:
            raise UploadNotFound(f"there is no upload {upload_id}") from error
        return int(answer.headers["x-amz-meta-size"])

    async def append(self, name: str, upload_id: str, offset: int, blocks: AsyncIterable[bytes], *, whole: bool) -> int:
        with self._alone(upload_id):
            progress = await self._load(upload_id)
            if offset != progress.size_bytes:
                raise OffsetMismatch(offset, progress.size_bytes)
            tail = bytearray(progress.tail)
            try:
                async for block in blocks:
                    tail += block
                    while len(tail) >= (full := part_size_bytes(self._part_bytes, len(progress.parts))):
                        progress = await self._store_part(name, upload_id, progress, bytes(tail[:full]))
                        del tail[:full]
                        if not whole:
                            await self._save(upload_id, progress)
            except StorageError:
                raise  # The store is in trouble: what it counts is saved already, and more cannot be.
            except BaseException:
                if not whole:
                    await self._save(upload_id, replace(progress, tail=bytes(tail)))
                raise
            progress = replace(progress, tail=bytes(tail))
            await self._save(upload_id, progress)
            return progress.size_bytes

    async def finish(self, name: str, upload_id: str) -> None:
        with self._alone(upload_id):
            progress = await self._load(upload_id)
            if progress.parts:
                if progress.tail:
                    progress = await self._store_part(name, upload_id, progress, progress.tail)
                await self._once.complete(name, progress.multipart, progress.parts, mark=upload_id)
            else:
                await self._once.put(name, progress.tail, mark=upload_id)
            await self._forget(upload_id)

    async def abort(self, name: str, upload_id: str) -> None:
        with self._alone(upload_id):
            try:
                progress = await self._load(upload_id)
            except UploadNotFound:
                return
            # After a crash in `finish` the object may be there already, and its parts belong to it.
            if progress.multipart and await self._once.mark(name) != upload_id:
                await self._once.abort(name, progress.multipart)
            await self._forget(upload_id)

    async def _store_part(self, name: str, upload_id: str, progress: Progress, data: bytes) -> Progress:
        """Store the tail and what came after it as the next part. It counts once the progress is saved."""
        if not progress.multipart:
            progress = replace(progress, multipart=await self._once.begin(name, mark=upload_id))
            await self._save(upload_id, progress)
        part = await self._once.put_part(name, progress.multipart, len(progress.parts) + 1, data)
        return replace(progress, parts=(*progress.parts, part), tail=b"")

    async def _load(self, upload_id: str) -> Progress:
        try:
            answer = await self._requests.send(f"upload {upload_id}", "get_object", Key=self._name(upload_id))
        except ObjectNotFound as error:
            raise UploadNotFound(f"there is no upload {upload_id}") from error
        return Progress.from_bytes(answer.body)

    async def _save(self, upload_id: str, progress: Progress) -> None:
        size = {"size": str(progress.size_bytes)}
        what, name = f"upload {upload_id}", self._name(upload_id)
        await self._requests.send(what, "put_object", progress.to_bytes(), Key=name, Metadata=size)

    async def _forget(self, upload_id: str) -> None:
        await self._requests.control(f"upload {upload_id}", "delete_object", Key=self._name(upload_id))

    def _name(self, upload_id: str) -> str:
        if not is_id(upload_id):
            raise UploadNotFound(f"there is no upload {upload_id[:80]!r}")
        return self._folder + upload_id

    @contextmanager
    def _alone(self, upload_id: str) -> Iterator[None]:
        if upload_id in self._busy:
            raise UploadBusy(f"upload {upload_id} is being written")
        self._busy.add(upload_id)
        try:
            yield
        finally:
            self._busy.discard(upload_id)
