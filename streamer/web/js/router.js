// Where we are, in the address behind `#`: `#/`, `#/title/{id}`, `#/play/{id}`. So Back, reload and links work.

let depth = history.state?.depth ?? 0;

/** Calls `arrive({view, id, from_s})` now and at every change of place. Answers what ends that. */
export function watchPlace(arrive) {
  const tell = () => {
    // A place without a depth is new: a link led here. Back and Forward bring the depth along.
    depth = history.state?.depth ?? depth + 1;
    history.replaceState({ depth }, "");
    arrive(place());
  };
  if (history.state === null) history.replaceState({ depth: 0 }, "");
  window.addEventListener("hashchange", tell);
  tell();
  return () => window.removeEventListener("hashchange", tell);
}

export function place() {
  const match = /^#\/(title|play)\/([A-Za-z0-9_-]+)(?:\?from=(\d+))?$/.exec(location.hash);
  if (!match) return { view: "browse", id: null, from_s: null };
  return { view: match[1], id: match[2], from_s: match[3] === undefined ? null : Number(match[3]) };
}

/** Goes back to where one came from; to the start when one came from outside. */
export function goBack() {
  if (history.state?.depth > 0) history.back();
  else replace("#/");
}

/** Goes somewhere in place of where we are. */
export function replace(hash) {
  history.replaceState(history.state, "", hash);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

export const titleHash = (id) => `#/title/${id}`;
/** from_s: where to begin; without it, where this member stopped. */
export const playHash = (id, from_s = null) => `#/play/${id}${from_s === null ? "" : `?from=${Math.floor(from_s)}`}`;
