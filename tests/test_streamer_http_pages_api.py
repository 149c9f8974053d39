"""The pages, as the whole application serves them."""

import gzip
import re
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import pytest

from streamer.http.pages_api import CONTENT_TYPES, read_pages, security_headers
from tests.streamer_helpers import House, open_house

WEB = Path(str(files("streamer").joinpath("web")))
OURS = sorted(path for path in WEB.rglob("*.*") if "vendor" not in path.parts and path.suffix in CONTENT_TYPES)
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        yield house


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/studio", "text/html; charset=utf-8"),
        ("/web/js/browse.js", "text/javascript; charset=utf-8"),
        ("/web/css/base.css", "text/css; charset=utf-8"),
        ("/web/icons.svg", "image/svg+xml"),
        ("/web/vendor/shaka-player.js", "text/javascript; charset=utf-8"),
        ("/web/vendor/shaka-player.LICENSE", "text/plain; charset=utf-8"),
    ],
)
async def test_every_kind_of_file_has_its_type_and_the_policy(house: House, path: str, content_type: str) -> None:
    response, body = await house.get(path)
    assert response.status == 200
    assert response.headers["Content-Type"] == content_type
    assert "script-src 'self';" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-cache"
    assert body


async def test_a_browser_that_has_a_file_hears_304_and_gets_no_body(house: House) -> None:
    first, _ = await house.get("/web/js/browse.js")
    again, body = await house.get("/web/js/browse.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, body) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Vary"] == "Accept-Encoding"
    changed, _ = await house.get("/web/js/browse.js", headers={"If-None-Match": '"other"'})
    assert changed.status == 200


async def test_the_compressed_form_is_the_same_file_with_an_etag_of_its_own(house: House) -> None:
    path = "/web/vendor/shaka-player.js"
    plain, body = await house.get(path, headers=PLAIN)
    async with house.client.get(path, headers={"Accept-Encoding": "gzip"}, auto_decompress=False) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await packed.read()) == body
        assert packed.headers["ETag"] != plain.headers["ETag"]
        assert int(packed.headers["Content-Length"]) < len(body) / 2


async def test_head_tells_the_length_and_sends_nothing(house: House) -> None:
    async with house.client.head("/", headers=PLAIN) as response:
        assert int(response.headers["Content-Length"]) == (WEB / "index.html").stat().st_size
        assert await response.read() == b""


@pytest.mark.parametrize(
    "path", ["/web/nothing.js", "/web/", "/web/vendor/vendor.json", "/web/../tables.py", "/web/%2e%2e/tables.py"]
)
async def test_anything_else_is_a_problem_404(house: House, path: str) -> None:
    response, body = await house.get(path)
    assert response.status == 404
    assert response.headers["Content-Type"].startswith("application/problem+json")
    assert b"not-found" in body


def test_folders_that_npm_left_behind_are_not_served(tmp_path: Path) -> None:
    (tmp_path / ".npm-x").mkdir()
    (tmp_path / ".npm-x" / "some.js").write_text("1")
    (tmp_path / "page.js").write_text("1")
    assert list(read_pages(tmp_path)) == ["page.js"]


def test_media_from_elsewhere_is_let_in_by_name_and_scripts_never() -> None:
    policy = security_headers(["https://cdn.example.org"])["Content-Security-Policy"]
    assert "connect-src 'self' https://cdn.example.org;" in policy
    assert "script-src 'self';" in policy


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.relative_to(WEB).as_posix())
def test_what_a_page_names_is_one_of_our_own_files(file: Path) -> None:
    text = file.read_text()
    for name in re.findall(r"""["'(]/web/([^"')]+)""", text):
        assert (WEB / name).is_file(), f"{file.name} names {name}"
    foreign = re.findall(r"https?://[^\s\"')]+", text)
    assert set(foreign) <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("file", sorted(WEB.glob("*.html")), ids=lambda file: file.name)
def test_a_page_holds_no_script_and_no_style_of_its_own(file: Path) -> None:
    text = file.read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
