"""Chromium for tests, our page in it, and a page of another origin that plays what our server sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copy
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, ViewportSize, sync_playwright

from tests.needed import needed
from tests.players import players
from tools.needs import CHROMIUM
from tools.own_server import PASSWORD

ARGUMENTS = ("--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio")
PATIENCE_S = 90.0
"For anything on a busy machine."
LOOK_EVERY_MS = 100
DESKTOP: ViewportSize = {"width": 960, "height": 600}
PHONE: ViewportSize = {"width": 390, "height": 844}
COUNTS = """() => {
  const video = document.querySelector("video");
  return { time: video.currentTime, frames: video.webkitDecodedFrameCount, bytes: video.webkitAudioDecodedByteCount };
}"""

STATE = """() => {
  const video = document.querySelector("video");
  if (!video) return location.hash;
  const { currentTime, paused, ended, seeking, readyState, error } = video;
  const { buffered: ranges } = video;
  const buffered = Array.from({ length: ranges.length }, (_, n) => [ranges.start(n), ranges.end(n)]);
  const fault = window.marquee?.playback?.fault?.sentence;
  return { currentTime, paused, ended, seeking, readyState, buffered, error: error?.message, fault };
}"""
"What to know of a player that stands still."

# Three players by the names that the API knows them by; each says when it cannot go on.
PAGE = """<!doctype html>
<video id="video" width="320" height="180"></video>
<script src="hls.js"></script><script src="dash.js"></script><script src="shaka-player.js"></script>
<script>
const video = document.getElementById("video");
const faults = [];
const begin = {
  "hls.js": async (url) => {
    const player = new Hls();
    player.on(Hls.Events.ERROR, (_, fault) => fault.fatal && faults.push(fault.details));
    player.loadSource(url);
    player.attachMedia(video);
  },
  "dash.js": async (url) => {
    const player = dashjs.MediaPlayer().create();
    player.on("error", ({ error }) => faults.push(error.message));
    player.initialize(video, url, false);
  },
  shaka: async (url) => {
    const player = new shaka.Player();
    player.addEventListener("error", ({ detail }) => faults.push(detail.code));
    await player.attach(video);
    await player.load(url);
  },
};
</script>
"""


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Playwright's loop counts as running meanwhile: `asyncio.run` must come before, not inside."""
    program = needed(CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def new_page(browser: Browser, viewport: ViewportSize = DESKTOP, **options: Any) -> Iterator[Page]:
    """A page that knows nothing of others; scripts that break fail the test."""
    context = browser.new_context(viewport=viewport, **options)
    context.set_default_timeout(PATIENCE_S * 1000)
    page, broken = context.new_page(), list[str]()
    page.on("pageerror", lambda error: broken.append(str(error)))
    try:
        yield page
        assert not broken
    finally:
        context.close()


def sign_in(page: Page, address: str, email: str = "viewer@example.org", password: str = PASSWORD) -> None:
    page.goto(address)
    page.get_by_test_id("sign-in-email").fill(email)
    page.get_by_test_id("sign-in-password").fill(password)
    page.get_by_test_id("sign-in-submit").click()


def play(page: Page, address: str, protocol: str = "hls") -> None:
    """On our page, the first title: signed in and played as a person would, with the protocol of their choice."""
    sign_in(page, address)
    page.get_by_test_id("title-card").click()
    page.get_by_test_id("play").click()
    until(page, "window.marquee?.player?.getManifestType()")
    if protocol != "hls":
        choose(page, "quality-button", f"protocol-menu:{protocol}")
    until(page, f"window.marquee.player?.getManifestType() === '{protocol.upper()}'")
    until(page, "window.marquee.playback.time_s > 0.5")


def wake(page: Page) -> None:
    """The controls hide while nobody moves."""
    for place in (100, 120):
        page.mouse.move(place, place)


def choose(page: Page, button: str, choice: str) -> None:
    """By a menu of our player. choice: its beginning is enough."""
    wake(page)
    page.get_by_test_id(button).click()
    page.locator(f'[data-choice^="{choice}"]').click()
    page.keyboard.press("Escape")


def until(page: Page, condition: str) -> None:
    """condition: an expression of JavaScript."""
    try:
        # The arrow form: our content security policy forbids `eval`. Polled: a busy machine paints seldom.
        page.wait_for_function(f"() => {condition}", polling=LOOK_EVERY_MS)
    except TimeoutError:
        pytest.fail(f"never {condition}; {page.evaluate(STATE)}")


@dataclass(frozen=True, slots=True)
class Counts:
    """What Chromium has decoded so far."""

    time: float
    frames: int
    bytes: int


def counts(page: Page) -> Counts:
    return Counts(**page.evaluate(COUNTS))


@contextmanager
def foreign_page(folder: Path) -> Iterator[str]:
    """Serves `PAGE` with its players; gives its address, which is not of our server's origin."""
    for script in players().glob("*.js"):
        copy(script, folder)
    (folder / "index.html").write_text(PAGE)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield f"http://localhost:{server.server_port}/"
        finally:
            server.shutdown()
            serving.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass
