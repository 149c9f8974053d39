// The bar that shows how far one is, and takes one elsewhere.

import { el } from "/web/js/dom.js";
import { clock, spokenTime } from "/web/js/format.js";

const STEPS = 1000;

export function seekBar(playback) {
  const input = el("input.seek", {
    type: "range",
    min: 0,
    max: STEPS,
    step: 1,
    value: 0,
    "aria-label": "Place in the title",
    testid: "seek",
  });
  const hint = el("output.seek-hint", { "aria-hidden": "true" });
  const node = el("div.seek-place", {}, input, hint);
  let dragging = false;

  const wanted_s = () => (input.value / STEPS) * playback.duration_s;
  input.addEventListener("input", () => {
    dragging = true;
    show(wanted_s());
  });
  input.addEventListener("change", () => {
    dragging = false;
    playback.seek(wanted_s());
  });
  node.addEventListener("pointermove", (event) => {
    const box = input.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    hint.textContent = clock(part * playback.duration_s);
    hint.style.setProperty("--at", part);
  });

  function show(time_s) {
    const part = playback.duration_s ? time_s / playback.duration_s : 0;
    node.style.setProperty("--played", part);
    node.style.setProperty("--buffered", bufferedTo(playback) / (playback.duration_s || 1));
    input.setAttribute("aria-valuetext", `${spokenTime(time_s)} of ${spokenTime(playback.duration_s)}`);
    return part;
  }

  playback.addEventListener("change", () => {
    if (!dragging) input.value = Math.round(show(playback.time_s) * STEPS);
  });
  return node;
}

function bufferedTo({ media, time_s }) {
  for (let i = 0; i < media.buffered.length; i += 1) {
    if (media.buffered.start(i) <= time_s + 0.5 && media.buffered.end(i) >= time_s) return media.buffered.end(i);
  }
  return 0;
}
