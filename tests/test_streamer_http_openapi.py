import hashlib
from typing import Any

import pytest
from pydantic import BaseModel

from streamer.http.operations import OPERATIONS
from streamer.http.problems import HTTP_CODES, PROBLEMS
from streamer.members.accounts import Role
from tests.streamer_helpers import PASSWORD, House


def _routes(house: House) -> set[tuple[str, str]]:
    router = house.client.app.router
    found = {(route.method, route.resource.canonical) for route in router.routes() if route.resource}
    # GET brings HEAD with it.
    return {(method, path) for method, path in found if method != "HEAD" or ("GET", path) not in found}


async def test_every_route_is_described_and_every_description_is_a_route(house: House) -> None:
    assert _routes(house) == set(OPERATIONS)
    async with house.client.get("/api/v1/openapi.json") as response:
        described = await response.json()
    assert {(method.upper(), path) for path, item in described["paths"].items() for method in item} == set(OPERATIONS)


async def test_all_references_of_the_description_lead_somewhere(house: House) -> None:
    async with house.client.get("/api/v1/openapi.json") as response:
        described = await response.json()

    def check(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                assert node["$ref"].removeprefix("#/components/schemas/") in described["components"]["schemas"]
            for value in node.values():
                check(value)
        elif isinstance(node, list):
            for value in node:
                check(value)

    check(described)
    assert described["openapi"] == "3.1.0"


async def test_routes_are_open_to_those_whom_the_description_names(house: House) -> None:
    viewer = await house.sign_in()
    for (method, path), operation in OPERATIONS.items():
        if path.startswith("/m/") or "/uploads" in path:
            continue  # these have tokens and headers of their own, which other tests check
        address = path.replace("{id}", "A" * 22).replace("{session_id}", "A" * 22)
        address = address.replace("{digest}", "a" * 64).replace("{name}", "x").replace("{path}", "x")
        async with house.client.request(method, address) as response:
            assert (response.status == 401) is bool(operation.role or path.endswith(("login", "refresh"))) or (
                response.status == 400 and operation.takes is not None
            ), (method, path, response.status)
        async with house.client.request(method, address, headers=viewer) as response:
            assert (response.status == 403) is (operation.role == "studio"), (method, path, response.status)


async def test_real_answers_are_of_the_described_types(house: House) -> None:
    await house.sign_in("anna")
    studio = await house.sign_in("studio", role=Role.STUDIO)
    title_id = await house.add_title()
    session_id = (await house.play(studio, title_id))["session_id"]
    digest = hashlib.sha256(b"").hexdigest()
    await house.services.store.put(f"titles/{title_id}/v2/images/{digest}.jpg", b"x")
    await house.add_version(title_id, 2, poster=digest)
    tokens = await house.login("anna")
    wishes: dict[tuple[str, str], Any] = {
        ("POST", "/api/v1/auth/login"): {"email": "anna@example.org", "password": PASSWORD},
        ("POST", "/api/v1/auth/refresh"): {"refresh_token": tokens["refresh_token"]},
        ("POST", "/api/v1/auth/logout"): {"refresh_token": "x"},
        ("POST", "/api/v1/titles"): {"name": "A", "kind": "film"},
        ("PATCH", "/api/v1/titles/{id}"): {"name": "B"},
        ("POST", "/api/v1/titles/{id}/publish"): {"version": 1},
        ("POST", "/api/v1/playback/{session_id}/heartbeat"): {"position_s": 1},
    }
    asked = [
        key for key in OPERATIONS if key[1].startswith("/api/v1") and "/job" not in key[1] and "/uploads" not in key[1]
    ]
    asked += [("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/.well-known/jwks.json"), ("GET", "/api/v1/jobs")]
    for method, path in sorted(asked, key=lambda key: key[0] == "DELETE"):
        operation = OPERATIONS[method, path]
        address = path.replace("{id}", title_id).replace("{session_id}", session_id).replace("{digest}", digest)
        async with house.client.request(method, address, headers=studio, json=wishes.get((method, path))) as response:
            body = await response.read()
        assert response.status in operation.gives, (method, path, response.status, body)
        described = operation.gives[response.status]
        if isinstance(described, type) and issubclass(described, BaseModel):
            described.model_validate_json(body)
            assert response.content_type == "application/json"
        elif described is None:
            assert body == b""
        else:
            assert response.content_type == described


def test_problem_codes_are_words_that_stay_and_have_one_status_each() -> None:
    problems = [*PROBLEMS.values(), *HTTP_CODES.values()]
    for problem in problems:
        assert problem.code.replace("-", "").isalpha()
        assert problem.code.islower()
        assert {other.status for other in problems if other.code == problem.code} == {problem.status}


@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/nowhere", "/api/v1/titles/x/y/z"])
async def test_an_unknown_route_is_a_problem_like_all_others(house: House, path: str) -> None:
    async with house.client.get(path) as response:
        assert (response.status, response.content_type) == (404, "application/problem+json")
        problem = await response.json()
    assert problem["code"] == "not-found"
    assert problem["request_id"] == response.headers["X-Request-Id"]
