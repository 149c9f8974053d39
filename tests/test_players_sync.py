"""Sound and picture in step, as Chromium itself places them in time.

The film has a flash of one picture and a beep of 20 ms together every 0.4 s, and a quiet hum all through.

*Pictures*: the player is sought, paused, to just before and just after a flash is due; what Chromium shows there is
looked at, and `requestVideoFrameCallback` gives the media time of that very picture. Nothing runs, so a slow machine
changes nothing.

*Sound*: it flows through a MediaElementAudioSourceNode at the film's own sample rate (nothing is resampled) into an
AudioWorklet that keeps every sample. After a seek to T, Chromium's audio renderer cuts the decoded sound at T to the
sample; the hum makes that first sample visible in the recording. A beep n samples after it is therefore played at the
media time T + n / rate, which is the clock that pictures are shown by. Were the encoder's priming not cut, every beep
would come 21 ms late by this count; a segment with a wrong time would move all beeps after it. A machine that is too
slow makes holes in the hum: then the recording is taken again.
"""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Page

from streamer.ingest import Wishes
from tests.browsers import foreign_page, new_page, open_browser, play, until
from tests.films import SHORT_SEGMENTS
from tests.intake_helpers import make
from tools.own_server import own_server

pytestmark = [pytest.mark.slow, pytest.mark.alone]

RATE = 48_000
LATE_S = 0.001
"The aim is one AAC frame (21.3 ms); the method sees a fiftieth of a millisecond, and players keep to that."
FILM_S = 10
PICTURE_S = 0.04
EVERY_S = 0.4
BEEP_S = 0.02
ATTEMPTS = 4
Samples = np.ndarray[tuple[int], np.dtype[np.float64]]

FLASH = (
    *("-f", "lavfi", "-i"),
    f"color=black:size=160x90:rate=25:duration={FILM_S},format=yuv420p,geq=lum='if(mod(N,10),16,235)':cb=128:cr=128",
)
BEEP_AND_HUM = (
    *("-f", "lavfi", "-i"),
    f"aevalsrc='if(lt(mod(t,{EVERY_S}),{BEEP_S}),0.7*sin(2*PI*1500*mod(t,{EVERY_S})),0)+0.05*sin(2*PI*4000*t)'"
    f":s={RATE}:d={FILM_S}",
)

PREPARE = """async () => {
  const recorder = `registerProcessor("recorder", class extends AudioWorkletProcessor {
    constructor() {
      super();
      this.kept = [];
    }
    process([[left]]) {
      if (left) this.kept.push(...left.map((sample) => 32767 * Math.max(-1, Math.min(1, sample))));
      if (this.kept.length >= 4800) this.port.postMessage(new Int16Array(this.kept.splice(0)));
      return true;
    }
  });`;
  const video = document.querySelector("video");
  video.pause();
  const context = new AudioContext({ sampleRate: 48000 });
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([recorder], { type: "text/javascript" })));
  const node = new AudioWorkletNode(context, "recorder");
  window.heard = [];
  node.port.onmessage = ({ data }) => window.heard.push(data);
  context.createMediaElementSource(video).connect(node).connect(context.destination);
}"""
SHOWN = """async (at_s) => {
  const video = document.querySelector("video");
  const next = new Promise((resolve) => video.requestVideoFrameCallback((_, facts) => resolve(facts.mediaTime)));
  video.currentTime = at_s;
  const mediaTime = await next;
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  canvas.drawImage(video, 0, 0, 1, 1);
  return [mediaTime, canvas.getImageData(0, 0, 1, 1).data[0]];
}"""
RECORD = """async ([from_s, seconds]) => {
  const video = document.querySelector("video");
  const after = (name) => new Promise((resolve) => video.addEventListener(name, resolve, { once: true }));
  const sought = after("seeked");
  video.currentTime = from_s;
  await sought;
  await new Promise((resolve) => setTimeout(resolve, 500));
  window.heard.length = 0;
  await video.play();
  while (video.currentTime < from_s + seconds && !video.ended) await after("timeupdate");
  video.pause();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const bytes = new Uint8Array(await new Blob(window.heard).arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(text);
}"""


@dataclass(frozen=True, slots=True)
class Sound:
    """What was heard without a hole after a seek."""

    begin_s: float
    samples: Samples

    def beeps(self) -> list[tuple[float, float]]:
        """When each beep was due, and the media time at which it began."""
        time = np.arange(round(BEEP_S * RATE)) / RATE
        shape = np.exp(2j * np.pi * 1500 * time)
        fit = np.abs(np.correlate(self.samples, shape, mode="valid"))
        reach, found = round(0.15 * RATE), []
        for number in range(round(FILM_S / EVERY_S)):
            due = round((number * EVERY_S - self.begin_s) * RATE)
            if reach <= due < len(fit) - reach:
                begin = due - reach + int(fit[due - reach : due + reach].argmax())
                found.append((number * EVERY_S, self.begin_s + begin / RATE))
        return found


@dataclass(frozen=True, slots=True)
class Screening:
    """The film, paused in a browser."""

    page: Page

    def shown(self, at_s: float) -> tuple[float, bool]:
        """Media time of the picture that is shown there, and whether it is the flash."""
        media_time, brightness = self.page.evaluate(SHOWN, at_s)
        return media_time, brightness > 128

    def heard(self, from_s: float, seconds: float) -> Sound:
        for _ in range(ATTEMPTS):
            recorded = base64.b64decode(self.page.evaluate(RECORD, [from_s, seconds]))
            samples = np.frombuffer(recorded, dtype="<i2") / 32768
            loud = np.flatnonzero(np.abs(samples) > 0.02)
            # The hum has 12 samples to a period: so long a silence is a hole, not a part of it.
            if len(loud) and np.diff(loud).max() < 12:
                return Sound(from_s, samples[loud[0] : loud[-1]])
        pytest.fail("the machine is too slow to play without holes")


@dataclass(frozen=True, slots=True)
class Cinema:
    """A server that has the film, and its addresses for players elsewhere."""

    address: str
    session: dict[str, str]


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cinema]:
    folder = tmp_path_factory.mktemp("server")
    film = make(folder / "sync.mkv", *FLASH, *BEEP_AND_HUM, "-c:v", "libx264", "-g", "50", "-c:a", "flac")
    with own_server(folder, SHORT_SEGMENTS.replace("segment_s = 2.0", "segment_s = 1.0")) as server:
        yield Cinema(server.address, asyncio.run(server.play(asyncio.run(server.add(film, Wishes(title="In step"))))))


PLAYERS = [("our page", "hls"), ("our page", "dash"), ("hls.js", "hls"), ("dash.js", "dash")]


@pytest.fixture(scope="module", params=PLAYERS, ids=lambda param: " ".join(param))
def screening(
    request: pytest.FixtureRequest, cinema: Cinema, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Screening]:
    player, protocol = request.param
    # Our content security policy would keep the recorder out.
    with open_browser() as browser, new_page(browser, bypass_csp=True) as page:
        if player == "our page":
            play(page, cinema.address, protocol)
            page.evaluate(PREPARE)
            yield Screening(page)
            return
        with foreign_page(tmp_path_factory.mktemp("foreign")) as foreign:
            page.goto(foreign)
            page.evaluate("([player, url]) => begin[player](url)", [player, cinema.session[f"{protocol}_url"]])
            until(page, "video.readyState > 2")
            page.evaluate(PREPARE)
            yield Screening(page)


@pytest.mark.parametrize("due_s", [0.4, 2.0, 4.0, 4.4, 8.0])
def test_the_flash_is_the_one_picture_that_is_due(screening: Screening, due_s: float) -> None:
    """At the start, at borders of segments and chunks (every 1 and 2 s), and between them."""
    for pictures in (-1, 0, 1):
        media_time, is_flash = screening.shown(due_s + (pictures + 0.5) * PICTURE_S)
        assert media_time == pytest.approx(due_s + pictures * PICTURE_S, abs=1e-4)
        assert is_flash is (pictures == 0)


@pytest.mark.parametrize(("from_s", "seconds"), [(0.1, 9.0), (1.7, 1.0), (5.33, 2.0)])
def test_beeps_are_heard_with_their_flashes(screening: Screening, from_s: float, seconds: float) -> None:
    """From the start to the end over all borders; after a seek to just before a border; after one to the middle."""
    beeps = screening.heard(from_s, seconds).beeps()
    assert len(beeps) >= int((seconds - 0.5) / EVERY_S)
    late_s = [heard_s - due_s for due_s, heard_s in beeps]
    assert max(map(abs, late_s)) < LATE_S, late_s
