"""The studio's page in Chromium, from a file in hand to a viewer who watches it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browsers import PATIENCE_S, new_page, open_browser, sign_in, until
from tests.films import SHORT_SEGMENTS, make_film
from tools.own_server import OwnServer, own_server

pytestmark = [pytest.mark.slow, pytest.mark.alone]

ENCODE_MS = 240_000
FILM_S = 6
STATES = """() => {
  window.seen = [];
  const look = () => {
    for (const chip of document.querySelectorAll("[data-testid=job-state]"))
      if (window.seen.at(-1) !== chip.dataset.state) window.seen.push(chip.dataset.state);
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""
DROP = """(node, { name, base64 }) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  for (const kind of ["dragenter", "dragover", "drop"])
    node.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
}"""


@dataclass(frozen=True, slots=True)
class Studio:
    server: OwnServer
    browser: Browser
    film: Path

    def row(self, page: Page, name: str) -> Locator:
        return page.get_by_test_id("title-row").filter(has=page.get_by_role("heading", name=name))


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("studio")
    film = make_film(folder / "originals", FILM_S)
    with own_server(folder / "server", SHORT_SEGMENTS) as server, open_browser() as browser:
        yield Studio(server, browser, film)


@pytest.fixture
def page(studio: Studio) -> Iterator[Page]:
    with new_page(studio.browser) as page:
        sign_in(page, f"{studio.server.address}/studio", "studio@example.org")
        expect(page.get_by_test_id("drop-zone")).to_be_visible()
        yield page


def test_a_film_is_chosen_uploaded_encoded_previewed_published_and_seen(studio: Studio, page: Page) -> None:
    page.evaluate(STATES)
    sidecars = sorted(studio.film.parent.glob("*.srt"))
    page.get_by_test_id("file-input").set_input_files([studio.film, *sidecars])
    row = studio.row(page, "film")
    state = row.get_by_test_id("job-state")
    expect(state).to_have_attribute("data-state", "ready", timeout=ENCODE_MS)
    seen = page.evaluate("() => window.seen")
    assert "uploading" in seen
    assert "encoding" in seen

    row.get_by_test_id("do-preview").click()
    until(page, "window.marquee?.playback?.time_s > 0.5")
    page.get_by_test_id("player-back").click()
    expect(page.get_by_test_id("player")).to_have_count(0)

    with new_page(studio.browser) as viewer:
        sign_in(viewer, studio.server.address)
        expect(viewer.get_by_test_id("empty")).to_be_visible()
        row.get_by_test_id("do-publish").click()
        expect(state).to_have_attribute("data-state", "published")
        viewer.reload()
        viewer.get_by_test_id("title-card").click()
        expect(viewer.get_by_test_id("title-dialog")).to_contain_text(re.compile("Subtitles.*English"))
        viewer.get_by_test_id("play").click()
        until(viewer, "window.marquee?.playback?.time_s > 0.5")


def test_what_is_no_media_is_dropped_and_refused_with_a_sentence(studio: Studio, page: Page) -> None:
    words = {"name": "words.mp4", "base64": "dGhlc2UgYXJlIHdvcmRzCg=="}
    page.get_by_test_id("drop-zone").evaluate(DROP, words)
    row = studio.row(page, "words")
    expect(row.get_by_test_id("job-state")).to_have_attribute("data-state", "refused", timeout=PATIENCE_S * 1000)
    expect(row.get_by_test_id("job-reason")).to_have_text(re.compile(r"^[A-Z].{15,}\.$"))


def test_an_encode_that_is_cancelled_says_so(studio: Studio, page: Page) -> None:
    page.get_by_test_id("file-input").set_input_files(
        {"name": "again.mp4", "mimeType": "video/mp4", "buffer": studio.film.read_bytes()}
    )
    row = studio.row(page, "again")
    row.get_by_test_id("do-cancel").click()
    expect(row.get_by_test_id("job-state")).to_have_attribute("data-state", "cancelled", timeout=PATIENCE_S * 1000)


def test_a_viewer_is_told_that_the_studio_is_not_theirs(studio: Studio) -> None:
    with new_page(studio.browser) as page:
        sign_in(page, f"{studio.server.address}/studio")
        expect(page.get_by_role("alert")).to_contain_text("not of the studio")
