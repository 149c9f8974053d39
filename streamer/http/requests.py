"""What handlers ask of a request, and how they answer."""

from typing import TypeVar

from aiohttp import hdrs, web
from pydantic import BaseModel, ValidationError

from streamer.errors import InvalidRequest, NotSignedIn, RoleRequired
from streamer.identifiers import is_id
from streamer.playback import SignedIn
from streamer.services import Services

SERVICES = web.AppKey("services", Services)
Model = TypeVar("Model", bound=BaseModel)


async def signed_in(request: web.Request) -> SignedIn:
    """The member whose access token the request carries. Raises NotSignedIn."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn("the request carries no access token")
    return SignedIn(*await request.app[SERVICES].gatekeeper.member(token.strip()))


async def studio_member(request: web.Request) -> SignedIn:
    """The same, for routes of the content team. Raises NotSignedIn, RoleRequired."""
    caller = await signed_in(request)
    if not caller.member.is_studio:
        raise RoleRequired("this is for members of the studio")
    return caller


async def read_body(request: web.Request, model: type[Model]) -> Model:
    """The request's JSON object; an empty body is an empty object. Raises InvalidRequest."""
    raw = await request.read()
    if raw and request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "body"
        raise InvalidRequest(f"{place}: {first['msg']}") from error


def read_number(request: web.Request, name: str, default: int, most: int) -> int:
    """A whole number from 1 of the query. Raises InvalidRequest."""
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
        raise InvalidRequest(f"{name} is a number from 1 to {most}")
    return int(text)


def path_id(request: web.Request, name: str) -> str:
    """An id of the path; what cannot be one is as unknown as one that does not exist."""
    text = request.match_info[name]
    if not is_id(text):
        raise web.HTTPNotFound
    return text


def answer(body: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=body.model_dump_json().encode(), status=status, headers=headers, content_type="application/json"
    )


def public_base(request: web.Request) -> str:
    """How the outside reaches us, without a slash at its end."""
    configured = request.app[SERVICES].settings.http.public_url
    return configured.rstrip("/") if configured else f"{request.scheme}://{request.host}"
