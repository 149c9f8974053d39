"""Errors as problem details (RFC 9457). The one table from error to status and stable code."""

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from aiohttp import web
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.errors import ObjectNotFound, StorageError, StoreFull, StoreUnavailable
from streamer import errors
from streamer.errors import Reason
from streamer.studio import errors as uploads

RETRY_AFTER_S = 2
"Outages of database and store: short enough that a player's buffer outlives it."


class Problem(NamedTuple):
    """One kind of problem."""

    status: int
    code: str
    title: str


PROBLEMS: dict[type[Exception], Problem] = {
    errors.InvalidRequest: Problem(400, "invalid-request", "The request is not valid"),
    errors.BadMediaPath: Problem(400, "bad-path", "Not a media path"),
    errors.NotSignedIn: Problem(401, "not-signed-in", "Sign in first"),
    errors.WrongPassword: Problem(401, "wrong-password", "Wrong e-mail address or password"),
    errors.RefreshRefused: Problem(401, "refresh-refused", "Sign in again"),
    errors.TokenRefused: Problem(403, "token-refused", "The token is not accepted"),
    errors.SessionEnded: Problem(403, "session-ended", "The playback session has ended"),
    errors.NotAuthorised: Problem(403, "not-authorised", "The token does not stand for this"),
    errors.RoleRequired: Problem(403, "role-required", "Your role does not allow this"),
    errors.NotEntitled: Problem(403, "not-entitled", "Your plan does not include this"),
    errors.NotFound: Problem(404, "not-found", "Not found"),
    errors.Conflict: Problem(409, "conflict", "Not possible now"),
    errors.EmailTaken: Problem(409, "email-taken", "This e-mail address is taken"),
    errors.TooManyAttempts: Problem(429, "too-many-attempts", "Too many attempts"),
    errors.DatabaseUnavailable: Problem(503, "database-unavailable", "The database does not answer"),
    PoolTimeout: Problem(503, "database-unavailable", "The database does not answer"),
    uploads.UploadGone: Problem(410, "upload-gone", "The upload is gone"),
    uploads.UploadForbidden: Problem(403, "upload-forbidden", "Not with this upload"),
    uploads.UploadLocked: Problem(423, "upload-locked", "The upload is in use"),
    uploads.WrongOffset: Problem(409, "wrong-offset", "Not the upload's end"),
    uploads.WrongChecksum: Problem(460, "wrong-checksum", "The checksum does not match"),
    uploads.WrongContentType: Problem(415, "unsupported-media-type", "Unsupported media type"),
    uploads.UnknownProtocol: Problem(412, "unknown-protocol", "Not our version of tus"),
    uploads.TooLarge: Problem(413, "too-large", "The upload is too large"),
    uploads.BodyStalled: Problem(408, "body-stalled", "The upload stood still"),
    uploads.BodyCut: Problem(400, "body-cut", "The upload was cut off"),
    ObjectNotFound: Problem(404, "not-found", "Not found"),
    StoreUnavailable: Problem(503, "store-unavailable", "The object store does not answer"),
    StoreFull: Problem(507, "store-full", "The object store is full"),
    TimeoutError: Problem(503, "timeout", "This took too long"),
}
DEFECT = Problem(500, "internal-error", "A defect on our side")
HTTP_CODES = {
    404: Problem(404, "not-found", "Not found"),
    405: Problem(405, "method-not-allowed", "Method not allowed"),
    413: Problem(413, "too-large", "The request is too large"),
    415: Problem(415, "unsupported-media-type", "Unsupported media type"),
}


def problem_of(error: Exception) -> Problem:
    """The kind of problem that an error is; by its class or the nearest above it."""
    for kind in type(error).__mro__:
        if kind in PROBLEMS:
            return PROBLEMS[kind]
    return DEFECT


def error_response(error: Exception, request_id: str) -> web.Response:
    """The answer to a request that ended in an error."""
    problem = problem_of(error)
    # What a defect or a dependency says is for the log; everything else is written for the caller.
    tells = problem is not DEFECT and not isinstance(error, StorageError | PoolTimeout | TimeoutError)
    reasons = error.reasons if isinstance(error, errors.NotEntitled) else ()
    response = problem_response(problem, str(error) if tells else "", request_id, reasons)
    if problem.status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(error, errors.TooManyAttempts):
        response.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def http_exception_response(error: web.HTTPException, request_id: str) -> web.Response:
    """aiohttp's own refusals (no such route, body too large), as problems like all others."""
    problem = HTTP_CODES.get(error.status, Problem(error.status, f"http_{error.status}", error.reason))
    response = problem_response(problem, "", request_id)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def problem_response(problem: Problem, detail: str, request_id: str, reasons: Sequence[Reason] = ()) -> web.Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": detail or f"{problem.title}.",
        "code": problem.code,
        "request_id": request_id,
    }
    if reasons:
        body["reasons"] = [reason._asdict() for reason in reasons]
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    return web.Response(body=json.dumps(body).encode(), status=problem.status, headers=headers)
