// What this browser remembers of how one likes to watch.

const KEY = "marquee.preferences";
const BASE = { protocol: "hls", volume: 1, muted: false, audio: null, text: null, height: null };

export function preferences() {
  return { ...BASE, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
}

export function prefer(change) {
  localStorage.setItem(KEY, JSON.stringify({ ...preferences(), ...change }));
}
