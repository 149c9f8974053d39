// The keyboard of the player. Keys that a focused control understands itself are left to it.

import { SKIP_S } from "/web/js/player/controls.js";

const VOLUME_STEP = 0.1;

/** own: further keys of a view, as `{key: action}`. Answers what ends it. */
export function listenToKeys(playback, { active, own }) {
  const actions = { ...common(playback), ...own };
  const listen = (event) => {
    if (!active() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = /^\d$/.test(key) ? () => playback.seek((playback.duration_s * Number(key)) / 10) : actions[key];
    if (!action || isForTarget(event.target, key)) return;
    event.preventDefault();
    action();
  };
  document.addEventListener("keydown", listen);
  return () => document.removeEventListener("keydown", listen);
}

function common(playback) {
  const skip = (by_s) => () => playback.seek(playback.time_s + by_s);
  const louder = (by) => () => playback.setVolume(playback.media.volume + by);
  return {
    " ": () => playback.toggle(),
    k: () => playback.toggle(),
    ArrowLeft: skip(-SKIP_S),
    ArrowRight: skip(SKIP_S),
    j: skip(-SKIP_S),
    l: skip(SKIP_S),
    ArrowUp: louder(VOLUME_STEP),
    ArrowDown: louder(-VOLUME_STEP),
    Home: () => playback.seek(0),
    End: () => playback.seek(playback.duration_s),
    m: () => (playback.media.muted = !playback.media.muted),
  };
}

/** Space presses a focused button; every key writes into a text field; arrows move the volume slider. */
function isForTarget(target, key) {
  if (target.closest("input:not([type=range]), textarea, dialog")) return true;
  if (key === " ") return target.closest("button, a") !== null;
  return target.matches(".volume") && key.startsWith("Arrow");
}
