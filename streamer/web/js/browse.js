// The page `/`: browse, search, and the way to the player.

import { api } from "/web/js/api.js";
import { isMusic } from "/web/js/card.js";
import { openDetails } from "/web/js/details.js";
import { el } from "/web/js/dom.js";
import { openGate } from "/web/js/gate.js";
import { header, searchBox } from "/web/js/header.js";
import { hero } from "/web/js/hero.js";
import { Stage } from "/web/js/player/stage.js";
import { positionsOf } from "/web/js/positions.js";
import { goBack, watchPlace } from "/web/js/router.js";
import { fixedShelf, searchGrid, shelf } from "/web/js/shelf.js";

const BEGUN_SHOWN = 8;

const gate = openGate(document.getElementById("app"), {
  purpose: "to watch and listen.",
  show,
});

function show(me, root) {
  const positions = positionsOf(me.id);
  const known = new Map();
  const content = el("main.browse", { id: "content", tabindex: "-1" });
  const app = el(
    "div.app",
    {},
    header(me, { here: "browse", middle: searchBox(search), signOut: gate.signOut }),
    content,
  );
  const stage = new Stage({ positions, behind: app, neighbours: (title) => neighbours(known, title) });
  root.append(app, stage.node);

  let searching = null;
  let closeDetails = null;

  function search(q) {
    searching?.abort();
    searching = new AbortController();
    if (q) content.replaceChildren(searchGrid(q, { positions, signal: searching.signal }));
    else home(content, { positions, known });
  }

  const unwatch = watchPlace(({ view, id, from_s }) => {
    closeDetails?.();
    closeDetails = null;
    if (view === "title")
      closeDetails = openDetails(id, { me, positions, closed: () => (goBack(), focusCard(content, id)) });
    if (view === "play") stage.play(id, { from_s });
    else if (stage.leave() === "closed") begun(content, positions);
  });

  const focusSearch = (event) => {
    if (event.key !== "/" || event.target.closest("input, dialog, .player")) return;
    event.preventDefault();
    app.querySelector("input[type=search]").focus();
  };
  document.addEventListener("keydown", focusSearch);
  home(content, { positions, known });

  return () => {
    document.removeEventListener("keydown", focusSearch);
    unwatch();
    closeDetails?.();
    stage.close();
  };
}

/** Fills the page with the hero and the rows. */
async function home(content, { positions, known }) {
  const arrived = (titles) => titles.forEach((title) => known.set(title.id, title));
  const row = (heading, kind, square) => shelf(heading, { query: { kind }, square, positions, arrived });
  const rows = [
    row("Films", "film"),
    row("Episodes", "episode"),
    row("Songs", "song", true),
    row("Albums", "album", true),
  ];
  const top = el("div.hero-place", {}, el("section.hero.skeleton", { "aria-hidden": "true" }));
  const begunPlace = el("div.begun");
  content.replaceChildren(top, begunPlace, ...rows.map(({ node }) => node));
  begun(content, positions);

  const [films, ...others] = await Promise.all(rows.map(({ ready }) => ready));
  const featured =
    films?.find((title) => title.allowed && title.artwork?.poster) ?? films?.find((title) => title.allowed);
  if (featured) top.replaceChildren(hero(featured, positions.get(featured.id)));
  else top.remove();
  if ([films, ...others].every((titles) => titles?.length === 0)) content.append(nothing());
}

/** Brings the row of begun titles up to date. */
async function begun(content, positions) {
  const ids = positions.recent().slice(0, BEGUN_SHOWN);
  const asked = await Promise.all(ids.map((id) => api.title(id).catch(() => null)));
  const titles = asked.filter((title) => title?.allowed);
  const row = titles.length ? [fixedShelf("Continue", titles, { positions, testid: "shelf-continue" })] : [];
  content.querySelector(".begun")?.replaceChildren(...row);
}

/** Where the focus was before the dialog; after the player the browser does not know that any more. */
function focusCard(content, id) {
  if (document.activeElement !== document.body) return;
  content.querySelector(`.card[data-title-id="${id}"]`)?.focus({ preventScroll: true });
}

function nothing() {
  return el(
    "section.empty",
    { testid: "empty" },
    el("h2", {}, "The house is empty, for now"),
    el("p.muted", {}, "As soon as the studio publishes a film or a song, it appears here."),
  );
}

/** The songs before and after one, in the order they are shown. */
function neighbours(known, title) {
  const songs = [...known.values()].filter((other) => isMusic(other) && other.allowed);
  const here = songs.findIndex(({ id }) => id === title.id);
  return here < 0 ? {} : { previous: songs[here - 1], next: songs[here + 1] };
}
