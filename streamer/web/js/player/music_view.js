// The player of songs: the cover, large; or, while one browses on, a bar at the bottom.

import { artwork } from "/web/js/card.js";
import { el, iconButton } from "/web/js/dom.js";
import { curtain, playButton, timeText, volumeControl } from "/web/js/player/controls.js";
import { listenToKeys } from "/web/js/player/keys.js";
import { joinMediaSession } from "/web/js/player/media_keys.js";
import { qualityMenu } from "/web/js/player/menus.js";
import { Playback } from "/web/js/player/playback.js";
import { seekBar } from "/web/js/player/seek_bar.js";

/**
 * dock: called to make it small, leave: to end it, expand: to make it large.
 * neighbours: `{previous, next}`, titles or undefined. turn: called with the one to play.
 * Answers `{node, playback, dock}`; `dock(yes)` makes it small or large.
 */
export function musicView(title, { version, positions, dock, expand, leave, neighbours, turn }) {
  const media = el("audio", { testid: "audio" });
  const playback = new Playback({ title, version, positions, media, screen: null });
  const { previous, next } = neighbours;
  const { now, whole } = timeText(playback);
  const to = (iconName, label, other) =>
    iconButton(iconName, label, { onclick: () => turn(other), disabled: !other, testid: iconName });
  const byline = [title.artist, title.album].filter(Boolean).join(" · ");
  const cover = el(
    "button.music-cover",
    { type: "button", inert: true, "aria-label": `Show ${title.name}`, onclick: expand, testid: "player-expand" },
    artwork(title),
  );
  const node = el(
    "section.player.music",
    { "aria-label": `Player: ${title.name}`, testid: "player", "data-title-id": title.id },
    el("div.music-glow", { "aria-hidden": "true" }, artwork(title)),
    media,
    el(
      "div.music-top",
      {},
      iconButton("down", "Browse on while it plays", { onclick: dock, testid: "player-dock" }),
      el("span", {}, "Now playing"),
      iconButton("close", "Stop and close", { onclick: leave, testid: "player-back" }),
    ),
    cover,
    el("div.music-words", {}, el("h1", {}, title.name), el("p", {}, byline)),
    el("div.player-line", {}, now, seekBar(playback), whole),
    el(
      "div.music-row",
      { role: "group", "aria-label": "Controls" },
      to("previous", "Previous song", previous),
      playButton(playback),
      to("next", "Next song", next),
    ),
    el("div.music-more", {}, volumeControl(playback), qualityMenu(playback)),
    ...curtain(playback, { leave }),
  );

  playback.addEventListener("change", () => node.classList.toggle("paused", media.paused));
  playback.addEventListener("ended", () => next && turn(next));
  const large = () => node.isConnected && !node.classList.contains("docked");
  const deaf = listenToKeys(playback, {
    active: () => large() || (node.isConnected && node.contains(document.activeElement)),
    own: { Escape: dock, n: () => next && turn(next), p: () => previous && turn(previous) },
  });
  playback.addEventListener("closed", deaf);
  joinMediaSession(playback, {
    previoustrack: previous && (() => turn(previous)),
    nexttrack: next && (() => turn(next)),
  });
  const setDocked = (yes) => {
    node.classList.toggle("docked", yes);
    cover.inert = !yes;
  };
  return { node, playback, dock: setDocked };
}
