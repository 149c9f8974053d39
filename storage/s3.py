"""Objects in a bucket of Amazon S3 or of a server that speaks its language."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO

import aiohttp
import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError

from config.settings import StoreSettings
from storage.blocking import Stopped, off_loop, off_loop_stoppable
from storage.errors import StorageError, StoreFull, StoreUnavailable
from storage.files import store_errors
from storage.keys import checked_key, checked_prefix, is_key, new_id
from storage.s3_once import Part, S3Once, part_size_bytes
from storage.s3_requests import Refused, S3Requests, boto_error
from storage.s3_uploads import S3Uploads
from storage.store import BLOCK_BYTES, ObjectInfo

# Each of these attempts is several of the client's.
DOWNLOAD = TransferConfig(num_download_attempts=2)


@asynccontextmanager
async def open_s3(settings: StoreSettings, bucket: str, prefix: str) -> AsyncIterator["S3Store"]:
    """A store of the objects below `prefix` (without slashes around it; it may be empty) in a bucket that exists.

    Raises StoreUnavailable where no credentials are found.
    """
    client, refreshable = await off_loop(_client, settings)
    # No limit of connections: a viewer who reads slowly holds one, and must not keep others waiting.
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=settings.timeout_s, sock_read=settings.timeout_s)
    try:
        # As boto3 does, it heeds HTTPS_PROXY and the like.
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False, trust_env=True
        ) as http:
            requests = S3Requests(client, http, bucket, settings.timeout_s, sign_off_loop=refreshable)
            yield S3Store(client, requests, bucket, prefix, settings.part_bytes)
    finally:
        await off_loop(client.close)


def _client(settings: StoreSettings) -> tuple[Any, bool]:
    """boto3's client, and whether its credentials are of a kind that is fetched anew now and then."""
    access_key, secret_key = settings.s3_access_key.get_secret_value(), settings.s3_secret_key.get_secret_value()
    session = boto3.session.Session(
        aws_access_key_id=access_key or None,
        aws_secret_access_key=secret_key or None,
        region_name=settings.s3_region,
    )
    credentials = session.get_credentials()
    if credentials is None:
        raise StoreUnavailable("no S3 credentials: set store.s3_access_key and store.s3_secret_key")
    options = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if settings.s3_path_style else "virtual"},
        connect_timeout=settings.timeout_s,
        read_timeout=settings.timeout_s,
        retries={"mode": "standard", "total_max_attempts": 3},  # Its pauses are longer than ours: up to 3 s in all.
        # Servers other than Amazon's differ in what they know of its newer checksums; we send MD5 with what we put.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    client = session.client("s3", endpoint_url=settings.s3_endpoint or None, config=options)
    return client, isinstance(credentials, RefreshableCredentials)


class S3Store:
    """The object store in S3. `.uploads/` and `.check` cannot be keys, since no name in a key begins with a dot."""

    def __init__(self, client: Any, requests: S3Requests, bucket: str, prefix: str, part_bytes: int) -> None:
        self._client = client
        self._requests = requests
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._part_bytes = part_bytes
        self._once = S3Once(requests)
        self._uploads = S3Uploads(requests, self._once, f"{self._prefix}.uploads/", part_bytes)

    async def put(self, key: str, data: bytes) -> None:
        await self._once.put(self._name(key), data, mark=new_id())

    async def put_file(self, key: str, path: Path) -> None:
        name, mark = self._name(key), new_id()
        with path.open("rb") as file:
            data = await off_loop(file.read, self._part_bytes)
            if len(data) < self._part_bytes:
                await self._once.put(name, data, mark)
            else:
                await self._put_parts(name, mark, data, file)

    async def head(self, key: str) -> ObjectInfo:
        answer = await self._requests.send(f"object {key}", "head_object", Key=self._name(key))
        return ObjectInfo(key, int(answer.headers["Content-Length"]))

    async def get(self, key: str) -> bytes:
        return (await self._requests.send(f"object {key}", "get_object", Key=self._name(key))).body

    async def stream(self, key: str, offset: int = 0, size: int | None = None) -> AsyncGenerator[bytes, None]:
        response = await self._open_range(key, offset, size)
        if response is None:
            return
        async with response:
            left = response.content_length or 0
            if size is not None and left != size:
                raise StoreUnavailable(f"object {key} ends before byte {offset + size}")
            broken = ""
            try:
                async for block in response.content.iter_chunked(BLOCK_BYTES):
                    left -= len(block)
                    yield block
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                broken = f" ({type(error).__name__})"
            if left:  # Not raised above, where it would carry aiohttp's error, which may hold the signed address.
                raise StoreUnavailable(f"object {key}: S3 sent {left} bytes too few{broken}")

    async def get_file(self, key: str, path: Path) -> None:
        await off_loop_stoppable(partial(self._download, key, self._name(key), path))

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        arguments = {"Prefix": self._prefix + checked_prefix(prefix)}
        while True:
            page = await self._requests.control("the list of objects", "list_objects_v2", **arguments)
            for item in page.get("Contents", []):
                key = item["Key"].removeprefix(self._prefix)
                if is_key(key):
                    yield ObjectInfo(key, item["Size"])
            if not page["IsTruncated"]:
                return
            arguments["ContinuationToken"] = page["NextContinuationToken"]

    async def delete(self, key: str) -> None:
        await self._requests.control(f"object {key}", "delete_object", Key=self._name(key))

    async def check(self) -> None:
        name = f"{self._prefix}.check"
        try:
            await self._requests.send("a test of the store", "put_object", b"check", Key=name)
            await self._requests.send("a test of the store", "get_object", Key=name)
        except StoreFull as error:
            raise StoreUnavailable(str(error)) from error

    async def begin_upload(self, key: str) -> str:
        checked_key(key)
        return await self._uploads.begin()

    async def upload_size(self, key: str, upload_id: str) -> int:
        return await self._uploads.size(upload_id)

    async def append(self, key: str, upload_id: str, offset: int, blocks: AsyncIterable[bytes], *, whole: bool) -> int:
        return await self._uploads.append(self._name(key), upload_id, offset, blocks, whole=whole)

    async def finish_upload(self, key: str, upload_id: str) -> None:
        await self._uploads.finish(self._name(key), upload_id)

    async def abort_upload(self, key: str, upload_id: str) -> None:
        await self._uploads.abort(self._name(key), upload_id)

    def _name(self, key: str) -> str:
        return self._prefix + checked_key(key)

    async def _put_parts(self, name: str, mark: str, data: bytes, file: BinaryIO) -> None:
        multipart = await self._once.begin(name, mark)
        try:
            parts: list[Part] = []
            while data:
                parts.append(await self._once.transfer_part(name, multipart, len(parts) + 1, data))
                data = await off_loop(file.read, part_size_bytes(self._part_bytes, len(parts)))
            await self._once.complete(name, multipart, parts, mark)
        except BaseException:
            with suppress(StorageError):  # What the bucket's own rule for unfinished uploads has to clean up then.
                await self._once.abort(name, multipart)
            raise

    async def _open_range(self, key: str, offset: int, size: int | None) -> aiohttp.ClientResponse | None:
        """The answer that brings these bytes; None where there are none to bring."""
        if size == 0:
            await self.head(key)
            return None
        last = "" if size is None else offset + size - 1
        wanted = {"Range": f"bytes={offset}-{last}"} if offset or size is not None else {}
        try:
            return await self._requests.open(f"object {key}", "get_object", Key=self._name(key), **wanted)
        except Refused as error:
            if error.code != "InvalidRange" or (await self.head(key)).size_bytes != offset or size is not None:
                raise
            return None  # S3 has no words for the empty range at the end.

    def _download(self, key: str, name: str, path: Path, stop: Event) -> None:
        def look(_transferred_bytes: int) -> None:
            if stop.is_set():
                raise Stopped

        try:
            with store_errors(f"object {key} cannot be copied to {path}"):
                # It writes to a file beside, and renames that when it is whole.
                self._client.download_file(self._bucket, name, str(path), Callback=look, Config=DOWNLOAD)
        except (ClientError, BotoCoreError, Boto3Error) as error:
            raise boto_error(f"object {key}", error) from error
