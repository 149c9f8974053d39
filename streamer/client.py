"""A client of the API: signs in, stays signed in, and turns problem details into errors with their sentence."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)


class ApiProblem(Exception):
    """What the API answered instead: written for the person who asked."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code

    @property
    def may_pass(self) -> bool:
        """Whether trying again later may help."""
        # A full store is for a person to see to.
        outage = self.status >= HTTPStatus.INTERNAL_SERVER_ERROR and self.status != HTTPStatus.INSUFFICIENT_STORAGE
        return outage or self.status == HTTPStatus.TOO_MANY_REQUESTS


class ApiClient:
    """Use `open_client`."""

    def __init__(self, http: aiohttp.ClientSession, server: str) -> None:
        self._http = http
        self._server = server.rstrip("/")
        self._tokens: dict[str, str] = {}

    async def sign_in(self, email: str, password: str) -> None:
        """Raises ApiProblem, aiohttp.ClientError."""
        credentials = {"email": email, "password": password}
        self._tokens = (await self.call("POST", "/api/v1/auth/login", json=credentials))[0]

    async def call(self, method: str, path: str, **options: Any) -> tuple[Any, Mapping[str, str]]:
        """The answer's JSON (None without a body) and its headers; renews a token that has run out, and asks again.

        path: on the server, or a whole address that it gave.
        options: aiohttp's. A body given as `data` is not sent a second time: a stream is used up by then.

        Raises ApiProblem, aiohttp.ClientError.
        """
        try:
            return await self._once(method, path, **options)
        except ApiProblem as problem:
            if problem.status != HTTPStatus.UNAUTHORIZED or not self._tokens or "data" in options:
                raise
        refresh = {"refresh_token": self._tokens["refresh_token"]}
        self._tokens = {}
        self._tokens = (await self._once("POST", "/api/v1/auth/refresh", json=refresh))[0]
        return await self._once(method, path, **options)

    async def _once(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> tuple[Any, Mapping[str, str]]:
        address = path if path.startswith("http") else self._server + path
        signed = {"Authorization": f"Bearer {self._tokens['access_token']}"} if self._tokens else {}
        async with self._http.request(method, address, headers=signed | (headers or {}), **options) as response:
            body = await response.json() if "json" in response.content_type else None
            if response.status >= HTTPStatus.BAD_REQUEST:
                said = body or {}
                fallback = f"{method} {path.split('?')[0]} answered {response.status} {response.reason}"
                raise ApiProblem(response.status, said.get("code", ""), said.get("detail") or fallback)
            return body, response.headers


@asynccontextmanager
async def open_client(server: str) -> AsyncIterator[ApiClient]:
    """server: its address, for example `http://127.0.0.1:8080`."""
    async with aiohttp.ClientSession(timeout=TIMEOUT) as http:
        yield ApiClient(http, server)
