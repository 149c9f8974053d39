// The player of films: the picture fills the window, the controls lie above it.

import { el, iconButton, part, relabel } from "/web/js/dom.js";
import { curtain, playButton, SKIP_S, skipButtons, timeText, volumeControl } from "/web/js/player/controls.js";
import { hideWhenIdle } from "/web/js/player/idle.js";
import { joinMediaSession } from "/web/js/player/media_keys.js";
import { languageMenu, qualityMenu } from "/web/js/player/menus.js";
import { listenToKeys } from "/web/js/player/keys.js";
import { Playback } from "/web/js/player/playback.js";
import { seekBar } from "/web/js/player/seek_bar.js";

const TWICE_MS = 300;

/** leave: called when the person wants to go back. Answers `{node, playback}`. */
export function filmView(title, { version, positions, leave }) {
  const media = el("video", { playsinline: true, poster: title.artwork?.poster, testid: "video" });
  const screen = el("div.screen", { testid: "screen" }, media);
  const playback = new Playback({ title, version, positions, media, screen });
  const node = el("section.player.film", {
    "aria-label": `Player: ${title.name}`,
    testid: "player",
    "data-title-id": title.id,
  });
  const full = fullscreenButton(node, media);
  const { now, whole } = timeText(playback);
  const languages = languageMenu(playback);

  node.append(
    screen,
    ...curtain(playback, { leave }),
    playButton(playback, { large: true }),
    el(
      "div.player-top",
      {},
      iconButton("back", "Back", { onclick: leave, testid: "player-back" }),
      el("h1", {}, title.name),
    ),
    el(
      "div.player-bottom",
      {},
      el("div.player-line", {}, now, seekBar(playback), whole),
      el(
        "div.player-row",
        { role: "group", "aria-label": "Controls" },
        playButton(playback),
        ...skipButtons(playback),
        volumeControl(playback),
        el("span.spring"),
        languages,
        qualityMenu(playback),
        full,
      ),
    ),
  );

  const idle = hideWhenIdle(node, playback);
  listenToPointer(screen, playback, { idle, node, full });
  playback.addEventListener("change", () => {
    node.classList.toggle("paused", media.paused);
    languages.hidden = !playback.engine || (playback.engine.text().length === 0 && playback.engine.audio().length < 2);
  });
  const deaf = listenToKeys(playback, {
    active: () => node.isConnected,
    own: { f: () => full.click(), c: () => toggleSubtitles(playback), Escape: leave },
  });
  playback.addEventListener("closed", deaf);
  joinMediaSession(playback);
  requestAnimationFrame(() => part(node, "play-toggle").focus({ preventScroll: true, focusVisible: false }));
  return { node, playback };
}

/** A click plays or pauses; a tap shows the controls, two taps at a side skip. */
function listenToPointer(screen, playback, { idle, node, full }) {
  let last = { ms: 0, side: 0 };
  let wasIdle = false;
  node.addEventListener("pointerdown", () => (wasIdle = node.classList.contains("idle")), { capture: true });
  screen.addEventListener("click", (event) => {
    if (event.pointerType !== "touch") return playback.toggle();
    const side = Math.sign(Math.round((event.clientX / screen.clientWidth) * 3 - 1.5));
    const twice = event.timeStamp - last.ms < TWICE_MS && side === last.side;
    last = { ms: event.timeStamp, side };
    if (twice && side) playback.seek(playback.time_s + side * SKIP_S);
    else if (!wasIdle && !playback.media.paused) idle.hideNow();
  });
  screen.addEventListener("dblclick", (event) => event.pointerType !== "touch" && full.click());
}

/** Full screen of the whole player; on phones that have it only for the video, of that. */
function fullscreenButton(node, media) {
  const button = iconButton("fullscreen", "Full screen", { onclick: toggle, testid: "fullscreen" });
  function toggle() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (node.requestFullscreen) node.requestFullscreen().catch(() => null);
    else media.webkitEnterFullscreen?.();
  }
  node.addEventListener("fullscreenchange", () => {
    const on = document.fullscreenElement === node;
    relabel(button, on ? "windowed" : "fullscreen", on ? "Leave full screen" : "Full screen");
  });
  return button;
}

function toggleSubtitles(playback) {
  const choices = playback.engine?.text() ?? [];
  const on = choices.find(({ id, active }) => id !== "off" && active);
  const next = on ? choices[0] : choices[1];
  if (next) playback.engine.chooseText(next);
}
