import json

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from pydantic import BaseModel

from streamer.errors import InvalidRequest
from streamer.http.requests import answer, path_id, read_number


@pytest.mark.parametrize(("query", "number"), [("", 50), ("?limit=1", 1), ("?limit=100", 100), ("?limit=007", 7)])
def test_a_number_of_the_query_has_a_default_and_bounds(query: str, number: int) -> None:
    assert read_number(make_mocked_request("GET", "/" + query), "limit", 50, 100) == number


@pytest.mark.parametrize("text", ["0", "101", "-1", "1.5", "", "x", "1e2", "9" * 5000, "%C2%B2"])
def test_what_is_no_number_within_the_bounds_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="limit is a number from 1 to 100"):
        read_number(make_mocked_request("GET", f"/?limit={text}"), "limit", 50, 100)


def test_what_cannot_be_an_id_is_as_unknown_as_one_that_does_not_exist() -> None:
    assert path_id(make_mocked_request("GET", "/", match_info={"id": "A" * 22}), "id") == "A" * 22
    for text in ("", "A" * 21, "../" + "A" * 19, "A" * 21 + "\0"):
        with pytest.raises(web.HTTPNotFound):
            path_id(make_mocked_request("GET", "/", match_info={"id": text}), "id")


class Greeting(BaseModel):
    word: str


def test_answers_are_json() -> None:
    response = answer(Greeting(word="hallöchen"), 201, {"Location": "/x"})
    assert (response.status, response.content_type, response.headers["Location"]) == (201, "application/json", "/x")
    assert isinstance(response.body, bytes)
    assert json.loads(response.body) == {"word": "hallöchen"}
