"""Chromium plays what the real server sends: through our page with Shaka, and with other players from elsewhere."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsers import (
    PHONE,
    Counts,
    choose,
    counts,
    foreign_page,
    new_page,
    open_browser,
    play,
    sign_in,
    until,
    wake,
)
from tests.films import FILM_S, FRAMES_PER_S, PITCHES, Cinema, open_cinema

pytestmark = [pytest.mark.slow, pytest.mark.alone]

PITCH = """async () => {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 8192 });
  context.createMediaElementSource(document.querySelector("video")).connect(analyser).connect(context.destination);
  const bins = new Float32Array(analyser.frequencyBinCount);
  for (let look = 0; look < 100; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.indexOf(Math.max(...bins));
    if (bins[loudest] > -60) return (loudest * context.sampleRate) / analyser.fftSize;
  }
  return 0;
}"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A server with a film, a browser, and a page elsewhere."""

    cinema: Cinema
    browser: Browser
    foreign: str
    session: dict[str, str]
    "Signed addresses for the page elsewhere."

    @property
    def address(self) -> str:
        return self.cinema.server.address


def seek(page: Page, to_s: float) -> None:
    """By the bar."""
    wake(page)
    page.get_by_test_id("seek").fill(str(round(1000 * to_s / FILM_S)))


def is_well(page: Page) -> bool:
    return bool(page.evaluate("() => window.marquee.playback.fault === null"))


def goes_on(page: Page, seconds: float = 2.0) -> Counts:
    """Playback goes on for a while, with pictures and sound; gives the counts after it."""
    before = counts(page)
    until(page, f"document.querySelector('video').currentTime > {before.time + seconds}")
    after = counts(page)
    assert after.frames >= before.frames > 0
    assert after.bytes >= before.bytes > 0
    return after


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_cinema(tmp_path_factory.mktemp("cinema")) as cinema:
        session = asyncio.run(cinema.server.play(cinema.title_id))
        with foreign_page(tmp_path_factory.mktemp("foreign")) as foreign, open_browser() as browser:
            yield Stage(cinema, browser, foreign, session)


@pytest.fixture
def page(stage: Stage) -> Iterator[Page]:
    with new_page(stage.browser) as page:
        yield page


@pytest.mark.parametrize("protocol", ["hls", "dash"])
def test_our_page_plays_from_start_over_the_middle_to_the_end(stage: Stage, page: Page, protocol: str) -> None:
    play(page, stage.address, protocol)
    began = counts(page)
    goes_on(page)
    seek(page, FILM_S / 2)
    until(page, f"window.marquee.playback.time_s > {FILM_S / 2 + 1}")
    middle = goes_on(page)
    assert middle.frames > began.frames + FRAMES_PER_S
    assert middle.bytes > began.bytes
    seek(page, FILM_S - 0.6)
    until(page, "window.marquee.playback.media.ended")
    assert abs(page.evaluate("() => window.marquee.playback.time_s") - FILM_S) < 0.1
    stats = page.evaluate("() => window.marquee.player.getStats()")
    assert stats["decodedFrames"] > middle.frames
    assert stats["corruptedFrames"] == 0
    assert is_well(page)


@pytest.mark.parametrize(("player", "protocol"), [("hls.js", "hls"), ("dash.js", "dash"), ("shaka", "dash")])
def test_other_players_play_it_from_a_page_of_another_origin(
    stage: Stage, page: Page, player: str, protocol: str
) -> None:
    page.goto(stage.foreign)
    page.evaluate("([player, url]) => begin[player](url)", [player, stage.session[f"{protocol}_url"]])
    page.evaluate("() => video.play()")
    until(page, "video.currentTime > 0.5")
    goes_on(page)
    page.evaluate(f"() => (video.currentTime = {FILM_S / 2})")
    until(page, f"video.currentTime > {FILM_S / 2 + 1}")
    page.evaluate(f"() => (video.currentTime = {FILM_S - 1})")
    # dash.js leaves the end again at once, and stays paused there.
    until(page, f"video.paused && video.currentTime > {FILM_S - 0.1}")
    assert page.evaluate("() => faults") == []


@pytest.mark.parametrize("protocol", ["hls", "dash"])
def test_the_language_that_is_chosen_is_heard(stage: Stage, page: Page, protocol: str) -> None:
    play(page, stage.address, protocol)
    choose(page, "language-button", "audio-menu:de")
    until(page, "window.marquee.player.getAudioTracks().find((track) => track.active).language === 'de'")
    goes_on(page, 1.0)
    assert page.evaluate(PITCH) == pytest.approx(PITCHES["de"], abs=12)


@pytest.mark.parametrize("protocol", ["hls", "dash"])
def test_subtitles_are_seen_when_chosen_and_gone_when_not(stage: Stage, page: Page, protocol: str) -> None:
    play(page, stage.address, protocol)
    screen = page.get_by_test_id("screen")
    choose(page, "language-button", "subtitle-menu:de")
    page.keyboard.press("k")
    seek(page, 7.5)
    expect(screen.get_by_text("Sekunde 7")).to_be_visible()
    choose(page, "language-button", "subtitle-menu:off")
    expect(screen.get_by_text("Sekunde 7")).to_be_hidden()


def test_the_quality_that_is_chosen_is_shown(stage: Stage, page: Page) -> None:
    play(page, stage.address)
    choose(page, "quality-button", "quality-menu:240")
    until(page, "window.marquee.playback.media.videoHeight === 240")
    choose(page, "quality-button", "quality-menu:360")
    until(page, "window.marquee.playback.media.videoHeight === 360")
    assert is_well(page)


def test_the_place_is_kept_when_the_page_is_loaded_anew(stage: Stage, page: Page) -> None:
    play(page, stage.address)
    page.keyboard.press("k")
    seek(page, 9.5)
    until(page, "window.marquee.playback.media.seeking === false")
    page.reload()
    until(page, "window.marquee?.playback?.time_s >= 9")
    assert page.evaluate("() => window.marquee.playback.resumed_s") == 9
    wake(page)
    page.get_by_test_id("player-back").click()
    expect(page.get_by_test_id("play")).to_have_text(re.compile("Resume from 0:"))


def test_the_keyboard_steers_the_player(stage: Stage, page: Page) -> None:
    play(page, stage.address)
    page.keyboard.press("k")
    until(page, "window.marquee.playback.media.paused")
    began_s = counts(page).time
    page.keyboard.press("ArrowRight")
    until(page, f"window.marquee.playback.time_s > {began_s + 9}")
    page.keyboard.press("ArrowLeft")
    until(page, f"window.marquee.playback.time_s < {began_s + 1}")
    page.keyboard.press("m")
    until(page, "window.marquee.playback.media.muted")
    page.keyboard.press("k")
    until(page, "!window.marquee.playback.media.paused")


def test_a_phone_shows_all_in_its_width(stage: Stage) -> None:
    with new_page(stage.browser, PHONE, has_touch=True, is_mobile=True) as page:
        sign_in(page, stage.address)
        card = page.get_by_test_id("title-card").first
        expect(card).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
        card.tap()
        button = page.get_by_test_id("play")
        button.scroll_into_view_if_needed()
        box = button.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        assert min(box["width"], box["height"]) >= 40
        button.tap()
        until(page, "window.marquee?.playback?.time_s > 0.5")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_wrong_password_is_told_in_a_sentence(stage: Stage, page: Page) -> None:
    sign_in(page, stage.address, password="not the password")
    expect(page.get_by_test_id("sign-in-error")).to_have_text(re.compile(r"^[A-Z].{10,}\.$"))
    expect(page.get_by_test_id("sign-in")).to_be_visible()


def test_a_plan_of_music_says_why_it_opens_no_film(stage: Stage, page: Page) -> None:
    sign_in(page, stage.address, "music@example.org")
    page.get_by_test_id("title-card").click()
    expect(page.get_by_test_id("entitlement")).to_have_text(re.compile(r"Not in your Music plan.*film.*\."))
    expect(page.get_by_test_id("play")).to_have_count(0)
