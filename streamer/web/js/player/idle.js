// Hides the controls while a film plays and nobody moves.

const QUIET_MS = 3000;

/** Keeps the class `idle` on the player true. */
export function hideWhenIdle(node, playback) {
  let timer = 0;

  const stays = () => playback.media.paused || playback.fault || node.querySelector(".menu:not([hidden])") !== null;
  const hide = () => {
    if (stays()) timer = setTimeout(hide, QUIET_MS);
    else node.classList.add("idle");
  };
  const wake = () => {
    node.classList.remove("idle");
    clearTimeout(timer);
    timer = setTimeout(hide, QUIET_MS);
  };

  const woken = ["pointermove", "pointerdown", "keydown", "focusin"];
  for (const name of woken) node.addEventListener(name, wake);
  document.addEventListener("keydown", wake);
  playback.media.addEventListener("pause", wake);
  playback.addEventListener("closed", () => {
    clearTimeout(timer);
    document.removeEventListener("keydown", wake);
  });
  wake();
  return { wake, hideNow: () => (clearTimeout(timer), node.classList.add("idle")) };
}
