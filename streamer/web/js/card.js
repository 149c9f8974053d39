// One title as a card: 16:9 for films, square for music.

import { el, icon } from "/web/js/dom.js";
import { clock, runningTime } from "/web/js/format.js";
import { playHash, titleHash } from "/web/js/router.js";

const KINDS = { film: "Film", episode: "Episode", song: "Song", album: "Album" };

export const isMusic = (title) => title.kind === "song" || title.kind === "album";
export const kindName = (title) => KINDS[title.kind] ?? "Title";

/** position: where this member stopped, or null. */
export function card(title, position = null) {
  const shape = isMusic(title) ? "square" : "wide";
  // A song begins at once; a film first says what it is.
  const href = isMusic(title) && title.allowed ? playHash(title.id) : titleHash(title.id);
  const art = el("div.card-art", {}, artwork(title), badge(title, position));
  const words = el("div.card-words", {}, el("span.card-name", {}, title.name), el("span.card-line", {}, line(title)));
  const name = [title.name, line(title), title.allowed ? "" : "not in your plan"].filter(Boolean).join(", ");
  return el(
    `a.card.${shape}${title.allowed ? "" : ".locked"}`,
    { href, "aria-label": name, testid: "title-card", "data-title-id": title.id, "data-kind": title.kind },
    art,
    words,
  );
}

/** The poster; a coloured field with the title's initials where there is none or it does not load. */
export function artwork(title) {
  const field = el("div.art-field", { "aria-hidden": "true" }, initials(title.name));
  field.style.setProperty("--hue", hue(title.id));
  const url = title.artwork?.poster;
  if (!url) return field;
  return el("img", {
    src: url,
    alt: "",
    loading: "lazy",
    decoding: "async",
    onerror: (e) => e.target.replaceWith(field),
  });
}

/** What stands below the name. */
export function line(title) {
  return isMusic(title)
    ? [title.artist, title.album].filter(Boolean).join(" · ") || runningTime(title.duration_s)
    : runningTime(title.duration_s);
}

export function skeletonCard(square) {
  return el(
    `div.card.skeleton.${square ? "square" : "wide"}`,
    { "aria-hidden": "true" },
    el("div.card-art"),
    el("div.card-words"),
  );
}

function badge(title, position) {
  if (!title.allowed) return el("span.badge", {}, icon("lock"));
  const hover = el("span.card-play", {}, icon("play"));
  return position ? [hover, el("span.badge.time", {}, clock(position.at_s)), progressBar(position)] : hover;
}

function progressBar({ at_s, of_s }) {
  const bar = el("span.card-progress");
  bar.style.setProperty("--part", at_s / of_s);
  return bar;
}

function initials(name) {
  const words = name.split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  return (
    words
      .slice(0, 2)
      .map((word) => [...word][0].toUpperCase())
      .join("") || "♪"
  );
}

function hue(id) {
  return [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
}
