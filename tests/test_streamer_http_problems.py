import json

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage import errors as storage_errors
from storage.errors import ObjectNotFound, StoreFull, StoreUnavailable
from streamer import errors
from streamer.errors import DatabaseUnavailable, NotEntitled, Reason, StreamerError, TooManyAttempts, WrongPassword
from streamer.http.problems import DEFECT, error_response, problem_of
from streamer.studio import errors as upload_errors


def _body(error: Exception) -> dict[str, object]:
    body = error_response(error, "request-1").body
    assert isinstance(body, bytes)
    problem: dict[str, object] = json.loads(body)
    return problem


def _leaves(kind: type[Exception]) -> list[type[Exception]]:
    below = kind.__subclasses__()
    return [leaf for each in below for leaf in _leaves(each)] if below else [kind]


ONLY_AT_START = {errors.CannotStart}
# Uploads turn these into errors of their own before they reach a handler.
INSIDE_UPLOADS = {
    storage_errors.InvalidKey,
    storage_errors.ObjectExists,
    storage_errors.UploadNotFound,
    storage_errors.UploadBusy,
    storage_errors.OffsetMismatch,
}


@pytest.mark.parametrize("kind", [*_leaves(StreamerError), *_leaves(upload_errors.UploadError)])
def test_every_error_of_the_streamer_has_a_status_and_a_code(kind: type[Exception]) -> None:
    if kind not in ONLY_AT_START:
        assert problem_of(kind.__new__(kind)) is not DEFECT


@pytest.mark.parametrize("kind", [ObjectNotFound, StoreFull, StoreUnavailable])
def test_every_error_of_the_store_that_a_handler_meets_has_one_too(kind: type[Exception]) -> None:
    assert kind not in INSIDE_UPLOADS
    assert problem_of(kind()) is not DEFECT


def test_a_problem_tells_what_it_is_and_how_to_find_it_in_the_log() -> None:
    assert _body(WrongPassword("these do not belong together")) == {
        "type": "about:blank",
        "title": "Wrong e-mail address or password",
        "status": 401,
        "detail": "these do not belong together",
        "code": "wrong-password",
        "request_id": "request-1",
    }


def test_a_refusal_tells_its_reasons() -> None:
    reasons = [Reason("plan-kind", "Not in this plan.")]
    assert _body(NotEntitled(reasons))["reasons"] == [{"code": "plan-kind", "sentence": "Not in this plan."}]


@pytest.mark.parametrize(
    "error", [DatabaseUnavailable("away"), StoreUnavailable("away"), PoolTimeout(), TimeoutError()]
)
def test_an_outage_says_when_to_try_again(error: Exception) -> None:
    response = error_response(error, "request-1")
    assert response.status == 503
    assert int(response.headers["Retry-After"]) > 0


def test_too_many_attempts_say_when_to_try_again() -> None:
    assert error_response(TooManyAttempts("wait", 17), "r").headers["Retry-After"] == "17"


@pytest.mark.parametrize("error", [ValueError("secret"), StoreUnavailable("secret"), ObjectNotFound("secret")])
def test_what_a_defect_or_the_store_says_is_for_the_log_alone(error: Exception) -> None:
    assert "secret" not in json.dumps(_body(error))


def test_a_defect_is_500() -> None:
    assert _body(ZeroDivisionError())["code"] == "internal-error"
