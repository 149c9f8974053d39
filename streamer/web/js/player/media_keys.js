// The keys and lock screens of the system (Media Session): what plays, and its buttons.

import { SKIP_S } from "/web/js/player/controls.js";

/** more: handlers beyond the usual, `{previoustrack, nexttrack}`. */
export function joinMediaSession(playback, more = {}) {
  const { mediaSession } = navigator;
  if (!mediaSession) return;
  const { title, media } = playback;
  const poster = title.artwork?.poster;
  mediaSession.metadata = new MediaMetadata({
    title: title.name,
    artist: title.artist ?? "Marquee",
    album: title.album ?? "",
    artwork: poster ? [{ src: new URL(poster, location.href).href }] : [],
  });
  const skip = (sign) => (details) => playback.seek(playback.time_s + sign * (details.seekOffset || SKIP_S));
  const handlers = {
    play: () => playback.play(),
    pause: () => media.pause(),
    seekbackward: skip(-1),
    seekforward: skip(1),
    seekto: ({ seekTime }) => playback.seek(seekTime),
    ...more,
  };
  for (const [action, handler] of Object.entries(handlers)) mediaSession.setActionHandler(action, handler ?? null);
  playback.addEventListener("change", () => (mediaSession.playbackState = media.paused ? "paused" : "playing"));
  playback.addEventListener("closed", () => {
    for (const action of Object.keys(handlers)) mediaSession.setActionHandler(action, null);
    mediaSession.metadata = null;
    mediaSession.playbackState = "none";
  });
}
