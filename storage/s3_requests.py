"""Requests to an S3 server, and what its refusals mean.

boto3 signs; aiohttp moves the bytes. A signed address is as good as a password for as long as it lives, and aiohttp
puts addresses into its errors: nothing of a foreign error but the name of its type goes on from here.
"""

import asyncio
import base64
import hashlib
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import aiohttp
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from yarl import URL

from storage.blocking import off_loop
from storage.errors import ObjectExists, ObjectNotFound, StorageError, StoreFull, StoreUnavailable, UploadNotFound

T = TypeVar("T")

ATTEMPTS = 5
FIRST_PAUSE_S = 0.1
SIGNED_FOR_S = 900
SLICE_BYTES = 256 * 2**10
LONGEST_ERROR_BYTES = 16 * 2**10

AGAIN_STATUSES = {429, 500, 502, 503, 504}
# ConditionalRequestConflict: another put of this key was under way; RequestTimeout: our body came too slowly.
AGAIN_CODES = {"SlowDown", "RequestTimeout", "ConditionalRequestConflict", "OperationAborted"}
# Ceph, MinIO and Swift, in this order; Swift calls a full container's next object too large.
FULL_CODES = {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "EntityTooLarge"}
MISSING_CODES = {"NoSuchKey": ObjectNotFound, "NoSuchUpload": UploadNotFound, "PreconditionFailed": ObjectExists}
MISSING_STATUSES = {404: ObjectNotFound, 412: ObjectExists}

# Parameters of boto3's operations that travel as headers, which the signature covers.
HEADERS = {"IfNoneMatch": "If-None-Match", "ContentMD5": "Content-MD5", "Range": "Range"}


class Refused(StoreUnavailable):
    """The server answered, and would answer the same again."""

    def __init__(self, what: str, status: int, code: str) -> None:
        super().__init__(f"{what}: S3 answered {status} {code}".rstrip())
        self.code = code


class _Again(Exception):
    """Another attempt may help. The text may be shown."""


@dataclass(frozen=True, slots=True)
class Answer:
    headers: Mapping[str, str]
    body: bytes


def refusal(what: str, status: int, code: str) -> StorageError:
    """What it means that S3 says no."""
    if status == 507 or code in FULL_CODES:
        return StoreFull(f"{what}: S3 answered {status} {code}".rstrip())
    kind = MISSING_CODES.get(code) or (MISSING_STATUSES.get(status) if code in ("", str(status)) else None)
    return kind(f"{what}: S3 answered {status} {code}".rstrip()) if kind else Refused(what, status, code)


class S3Requests:
    """What S3Store asks of the server: by aiohttp where bytes move, by boto3 in a thread for the rest."""

    def __init__(
        self,
        client: Any,
        http: aiohttp.ClientSession,
        bucket: str,
        timeout_s: float,
        *,
        sign_off_loop: bool,
    ) -> None:
        """client: boto3's for S3; it makes its methods when it runs, so there is no type for it.
        sign_off_loop: the credentials are of a kind that boto3 fetches anew at times, which would block the loop."""
        self._client = client
        self._http = http
        self._bucket = bucket
        self._timeout_s = timeout_s
        self._sign_off_loop = sign_off_loop

    async def control(self, what: str, operation: str, **params: Any) -> dict[str, Any]:
        """Call boto3 in a thread; it tries again by itself."""
        try:
            answer = await off_loop(getattr(self._client, operation), Bucket=self._bucket, **params)
        except (ClientError, BotoCoreError) as error:
            raise boto_error(what, error) from error
        return dict(answer)

    async def send(self, what: str, operation: str, body: bytes = b"", **params: Any) -> Answer:
        """Sign one of boto3's operations and send it by aiohttp; the answer is small."""
        if body:
            params["ContentMD5"] = await off_loop(_md5, body)
        return await self._persistently(what, partial(self._send, what, operation, body, params))

    async def open(self, what: str, operation: str, **params: Any) -> aiohttp.ClientResponse:
        """As `send`, for an answer that the caller reads from `content` and closes."""
        return await self._persistently(what, partial(self._open, what, operation, b"", params))

    async def _persistently(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._timeout_s
        reason = ""
        for number in range(ATTEMPTS):
            try:
                return await attempt()
            except _Again as error:
                reason = str(error)
            pause_s = FIRST_PAUSE_S * 2**number * random.uniform(0.5, 1.0)
            if loop.time() + pause_s >= give_up:
                break
            await asyncio.sleep(pause_s)
        raise StoreUnavailable(f"{what}: {reason}")

    async def _send(self, what: str, operation: str, body: bytes, params: dict[str, Any]) -> Answer:
        async with await self._open(what, operation, body, params) as response:
            try:
                return Answer(response.headers, await response.read())
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise _Again(f"the answer broke off ({type(error).__name__})") from error

    async def _open(self, what: str, operation: str, body: bytes, params: dict[str, Any]) -> aiohttp.ClientResponse:
        request = partial(self._client.generate_presigned_url, operation, {"Bucket": self._bucket, **params})
        try:
            sign = partial(request, ExpiresIn=SIGNED_FOR_S)
            address = await off_loop(sign) if self._sign_off_loop else sign()
        except BotoCoreError as error:
            raise boto_error(what, error) from error
        try:
            response = await self._request(_method(operation), address, body, _headers(params))
            if response.status < 300:
                return response
            async with response:
                start = await response.content.read(LONGEST_ERROR_BYTES)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _Again(f"S3 does not answer ({type(error).__name__})") from error
        found = re.search(rb"<Code>([A-Za-z0-9]{1,64})</Code>", start)
        code = found[1].decode() if found else ""
        if response.status in AGAIN_STATUSES or code in AGAIN_CODES:
            raise _Again(f"S3 answered {response.status} {code}".rstrip())
        raise refusal(what, response.status, code)

    async def _request(self, method: str, address: str, body: bytes, headers: dict[str, str]) -> aiohttp.ClientResponse:
        url = URL(address, encoded=True)
        if method != "PUT":
            return await self._http.request(method, url, headers=headers, allow_redirects=False)
        # aiohttp's own time limits do not see a server that stops taking the body.
        async with asyncio.timeout(self._timeout_s) as deadline:
            slices = self._slices(body, deadline)
            headers["Content-Length"] = str(len(body))
            return await self._http.put(url, data=slices, headers=headers, allow_redirects=False)

    async def _slices(self, body: bytes, deadline: asyncio.Timeout) -> AsyncIterator[bytes]:
        for start in range(0, len(body), SLICE_BYTES):
            deadline.reschedule(asyncio.get_running_loop().time() + self._timeout_s)
            yield body[start : start + SLICE_BYTES]


def boto_error(what: str, error: ClientError | BotoCoreError | Boto3Error) -> StorageError:
    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        code = str(error.response.get("Error", {}).get("Code", ""))
        if status in AGAIN_STATUSES or code in AGAIN_CODES:
            return StoreUnavailable(f"{what}: S3 answered {status} {code}")
        return refusal(what, status, code)
    return StoreUnavailable(f"{what}: S3 cannot be asked ({type(error).__name__})")


def _md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def _method(operation: str) -> str:
    return {"put_object": "PUT", "upload_part": "PUT", "head_object": "HEAD"}.get(operation, "GET")


def _headers(params: Mapping[str, Any]) -> dict[str, str]:
    headers = {HEADERS[name]: str(value) for name, value in params.items() if name in HEADERS}
    return headers | {f"x-amz-meta-{name}": value for name, value in params.get("Metadata", {}).items()}
