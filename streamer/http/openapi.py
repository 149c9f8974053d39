"""The API's own description (OpenAPI 3.1), made from the table of operations."""

import re
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from streamer.http.bodies import ProblemBody
from streamer.http.operations import OPERATIONS, Answer, Operation

SCHEMAS = "#/components/schemas/{model}"
STUDIO = "For members of the studio."
RETRY = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds to wait."}}


@cache
def describe() -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(path, {})[method.lower()] = _operation(path, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Marquee", "version": "1", "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(path: str, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": operation.summary,
        "parameters": [
            *map(_path_parameter, re.findall(r"{(\w+)}", path)),
            *map(_query_parameter, operation.query.items()),
        ],
        "responses": {
            **{str(status): _response(answer) for status, answer in operation.gives.items()},
            "default": {"description": "A problem (RFC 9457).", "headers": RETRY, "content": _content(ProblemBody)},
        },
        "security": [{"bearer": []}] if operation.role else [],
    }
    if operation.takes:
        described["requestBody"] = {"content": _content(operation.takes)}
    if operation.role == "studio":
        described["description"] = STUDIO
    return described


def _response(answer: Answer) -> dict[str, Any]:
    return {"description": "As asked."} if answer is None else {"description": "As asked.", "content": _content(answer)}


def _content(answer: Answer) -> dict[str, Any]:
    if answer is None or isinstance(answer, str):
        return {answer or "": {}}
    media_type = "application/problem+json" if answer is ProblemBody else "application/json"
    return {media_type: {"schema": {"$ref": SCHEMAS.format(model=answer.__name__)}}}


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameter(parameter: tuple[str, str]) -> dict[str, Any]:
    name, purpose = parameter
    return {"name": name, "in": "query", "required": False, "description": purpose, "schema": {"type": "string"}}


def _schemas() -> dict[str, Any]:
    models: set[type[BaseModel]] = {ProblemBody}
    for operation in OPERATIONS.values():
        models |= {model for model in (operation.takes, *operation.gives.values()) if isinstance(model, type)}
    inputs: list[tuple[type[BaseModel], Literal["validation"]]] = [
        (model, "validation") for model in sorted(models, key=lambda model: model.__name__)
    ]
    _, schemas = models_json_schema(inputs, ref_template=SCHEMAS)
    definitions: dict[str, Any] = schemas["$defs"]
    return definitions
