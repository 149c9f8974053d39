"""Objects put once into S3, whole or in parts."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.errors import ObjectExists, ObjectNotFound, UploadNotFound
from storage.s3_requests import Refused, S3Requests


@dataclass(frozen=True, slots=True)
class Part:
    """One stored part of a multipart upload."""

    etag: str
    size_bytes: int


def part_size_bytes(smallest_bytes: int, stored: int) -> int:
    """How large the next part should be, when so many are stored.

    S3 takes 10,000 parts; growing ones let that hold 55,000 times the smallest.
    """
    return smallest_bytes * (1 + stored // 1000)


class S3Once:
    """Puts objects whose keys must be free.

    Who puts an object marks it in its metadata: where an answer is lost on the way and we put again, the mark tells our
    own object from another's that was first.

    The condition is `If-None-Match: *`. Whether two puts at the same moment are told apart is up to the server:
    Amazon's does; Swift may say yes to both, and keeps the later.
    """

    def __init__(self, requests: S3Requests) -> None:
        self._requests = requests

    async def put(self, name: str, data: bytes, mark: str) -> None:
        """Raises ObjectExists, unless the object has this mark."""
        try:
            await self._requests.send(
                f"object {name}", "put_object", data, Key=name, IfNoneMatch="*", Metadata={"put": mark}
            )
        except ObjectExists:
            if await self.mark(name) != mark:
                raise

    async def begin(self, name: str, mark: str) -> str:
        """Open a multipart upload; gives what S3 calls it."""
        answer = await self._requests.control(
            f"object {name}", "create_multipart_upload", Key=name, Metadata={"put": mark}
        )
        return str(answer["UploadId"])

    async def put_part(self, name: str, multipart: str, number: int, data: bytes) -> Part:
        answer = await self._requests.send(
            f"object {name}", "upload_part", data, Key=name, UploadId=multipart, PartNumber=number
        )
        return Part(answer.headers["ETag"], len(data))

    async def transfer_part(self, name: str, multipart: str, number: int, data: bytes) -> Part:
        """As `put_part`, through boto3 in a thread: for workers, who move files and have nothing else to do."""
        answer = await self._requests.control(
            f"object {name}", "upload_part", Key=name, UploadId=multipart, PartNumber=number, Body=data
        )
        return Part(answer["ETag"], len(data))

    async def complete(self, name: str, multipart: str, parts: Sequence[Part], mark: str) -> None:
        """Make the object of its parts. Raises ObjectExists, unless the object has this mark; UploadNotFound."""
        # Asked first, because not every server heeds the condition when an upload is completed.
        found = await self.mark(name)
        if found == mark:
            return
        if found is not None:
            raise ObjectExists(f"object {name} exists")
        try:
            await self._complete(name, multipart, parts)
        except (ObjectExists, UploadNotFound):
            if await self.mark(name) != mark:
                raise

    async def abort(self, name: str, multipart: str) -> None:
        try:
            await self._requests.control(f"object {name}", "abort_multipart_upload", Key=name, UploadId=multipart)
        except (UploadNotFound, ObjectNotFound):
            pass  # What was to be achieved.

    async def _complete(self, name: str, multipart: str, parts: Sequence[Part]) -> None:
        listed = [{"PartNumber": number, "ETag": part.etag} for number, part in enumerate(parts, 1)]
        arguments = {"Key": name, "UploadId": multipart, "MultipartUpload": {"Parts": listed}}
        what, operation = f"object {name}", "complete_multipart_upload"
        try:
            await self._requests.control(what, operation, **arguments, IfNoneMatch="*")
        except Refused as error:
            if error.code != "NotImplemented":
                raise
            await self._requests.control(what, operation, **arguments)

    async def mark(self, name: str) -> str | None:
        """The mark of an object, empty where it has none; None where there is no object."""
        try:
            answer = await self._requests.send(f"object {name}", "head_object", Key=name)
        except ObjectNotFound:
            return None
        return answer.headers.get("x-amz-meta-put", "")
