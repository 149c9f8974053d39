// The controls that both views share: play, skip, volume, time.

import { el, iconButton, relabel } from "/web/js/dom.js";
import { clock } from "/web/js/format.js";

export const SKIP_S = 10;

export function playButton(playback, { large = false } = {}) {
  const testid = large ? "play-large" : "play-toggle";
  const button = iconButton("play", "Play", { onclick: () => playback.toggle(), testid });
  button.classList.add(large ? "play-large" : "play-toggle");
  playback.addEventListener("change", () => {
    if (playback.media.ended) relabel(button, "replay", "Play again");
    else if (playback.media.paused) relabel(button, "play", "Play");
    else relabel(button, "pause", "Pause");
  });
  return button;
}

export function skipButtons(playback) {
  const skip = (by_s) => () => playback.seek(playback.time_s + by_s);
  return [
    iconButton("back10", `Back ${SKIP_S} seconds`, { onclick: skip(-SKIP_S), testid: "skip-back" }),
    iconButton("forward10", `Forward ${SKIP_S} seconds`, { onclick: skip(SKIP_S), testid: "skip-forward" }),
  ];
}

export function volumeControl(playback) {
  const { media } = playback;
  const button = iconButton("volume", "Mute", { onclick: () => (media.muted = !media.muted), testid: "mute" });
  const input = el("input.volume", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.05,
    "aria-label": "Volume",
    testid: "volume",
  });
  input.addEventListener("input", () => playback.setVolume(Number(input.value)));
  const show = () => {
    const level = media.muted ? 0 : media.volume;
    input.value = level;
    input.style.setProperty("--played", level);
    relabel(button, level ? "volume" : "muted", level ? "Mute" : "Sound on");
  };
  playback.addEventListener("change", show);
  show();
  return el("div.volume-place", {}, button, input);
}

export function timeText(playback) {
  const now = el("span", { testid: "time-now" }, "0:00");
  const whole = el("span", { testid: "time-whole" }, clock(playback.duration_s));
  playback.addEventListener("change", () => {
    now.textContent = clock(playback.time_s);
    whole.textContent = clock(playback.duration_s);
  });
  return { now, whole };
}

/** The spinner, shown a moment after playback began to wait, and the panel that says what went wrong. */
export function curtain(playback, { leave }) {
  const spinner = el("div.spinner", { role: "status", "aria-label": "Loading", testid: "spinner" });
  const panel = el("div.fault", { role: "alert", hidden: true, testid: "player-fault" });
  let shown = null;
  playback.addEventListener("change", () => {
    spinner.classList.toggle("on", playback.buffering && !playback.fault);
    if (playback.fault === shown) return;
    shown = playback.fault;
    panel.hidden = !shown;
    panel.replaceChildren(...(shown ? faultWords(shown, playback, leave) : []));
    panel.querySelector("button")?.focus();
  });
  return [spinner, panel];
}

function faultWords(fault, playback, leave) {
  const sentences = fault.reasons.length ? fault.reasons : [fault.sentence];
  const retry = el(
    "button.primary",
    { type: "button", onclick: () => playback.retry(), testid: "player-retry" },
    "Try again",
  );
  const back = el("button.quiet", { type: "button", onclick: leave }, "Back");
  return [
    ...sentences.map((sentence) => el("p", {}, sentence)),
    el("div.actions", {}, fault.retry ? retry : null, back),
  ];
}
