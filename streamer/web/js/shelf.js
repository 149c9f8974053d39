// A row of titles that loads as it is scrolled, and the grid of a search.

import { api } from "/web/js/api.js";
import { card, isMusic, skeletonCard } from "/web/js/card.js";
import { el, iconButton } from "/web/js/dom.js";

const PAGE = 20;

/**
 * A row. query: what to ask the API for. Answers `{node, ready}`; `ready` settles to the first titles.
 * The row hides itself when there are none.
 */
export function shelf(heading, { query, square = false, positions, arrived = () => {} }) {
  const list = el(
    "ul.shelf-list",
    { role: "list" },
    Array.from({ length: 6 }, () => el("li", {}, skeletonCard(square))),
  );
  const node = el("section.shelf", { "aria-label": heading, "aria-busy": "true", testid: `shelf-${query.kind}` });
  node.append(el("h2", {}, heading), track(list));

  async function load(cursor) {
    const { items, next_cursor } = await api.titles({ ...query, limit: PAGE, cursor });
    if (!cursor) list.replaceChildren();
    list.append(...items.map((title) => el("li", {}, card(title, positions.get(title.id)))));
    arrived(items);
    if (next_cursor) whenSeen(list, () => load(next_cursor).catch(() => null));
    return items;
  }

  async function begin() {
    node.setAttribute("aria-busy", "true");
    try {
      const items = await load();
      node.hidden = items.length === 0;
      return items;
    } catch (error) {
      list.replaceChildren(el("li.shelf-says", { role: "alert" }, error.message, retry(begin)));
      return null;
    } finally {
      node.removeAttribute("aria-busy");
    }
  }

  return { node, ready: begin() };
}

/** A row of titles that are known already. */
export function fixedShelf(heading, titles, { positions, testid }) {
  const list = el(
    "ul.shelf-list",
    { role: "list" },
    titles.map((title) => el("li", {}, card(title, positions.get(title.id)))),
  );
  return el("section.shelf", { "aria-label": heading, testid }, el("h2", {}, heading), track(list));
}

/** All titles that match a search, as a grid. */
export function searchGrid(q, { positions, signal }) {
  const says = el("p.muted", { role: "status", testid: "search-says" }, "Searching…");
  const [films, music] = [el("ul.grid", { role: "list" }), el("ul.grid.squares", { role: "list" })];
  const lists = el("div", { testid: "search-results" }, films, music);
  const node = el("section.results", { "aria-label": "Search results" }, el("h2", {}, `“${q}”`), says, lists);

  async function load(cursor) {
    try {
      const { items, next_cursor } = await api.titles({ q, limit: PAGE * 2, cursor }, signal);
      for (const title of items)
        (isMusic(title) ? music : films).append(el("li", {}, card(title, positions.get(title.id))));
      const count = films.children.length + music.children.length;
      says.textContent = count
        ? `${count}${next_cursor ? " or more" : ""} found`
        : `Nothing matches “${q}”. Try fewer letters, or an artist’s name.`;
      if (next_cursor) whenSeen(lists, () => load(next_cursor));
    } catch (error) {
      if (error.name !== "AbortError")
        says.replaceChildren(
          error.message,
          retry(() => load(cursor)),
        );
    }
  }

  load();
  return node;
}

function retry(run) {
  return el("button.link", { type: "button", onclick: run }, "Try again");
}

/** Calls `then` when the end of what is shown comes near. */
function whenSeen(list, then) {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      then();
    },
    { rootMargin: "600px" },
  );
  observer.observe(list.lastElementChild ?? list);
}

/** The list with a button at either end, for a mouse; the keyboard and a finger scroll the list itself. */
function track(list) {
  const [back, on] = [pusher(list, -1), pusher(list, 1)];
  const follow = () => {
    back.disabled = list.scrollLeft < 8;
    on.disabled = list.scrollLeft + list.clientWidth > list.scrollWidth - 8;
  };
  list.addEventListener("scroll", follow, { passive: true });
  return el("div.shelf-track", { onpointermove: follow }, back, list, on);
}

function pusher(list, direction) {
  const push = () => list.scrollBy({ left: direction * list.clientWidth * 0.85, behavior: "smooth" });
  const button = iconButton(direction < 0 ? "back" : "forward", "Scroll", {
    onclick: push,
    tabindex: -1,
    "aria-hidden": "true",
  });
  button.classList.add("pusher", direction < 0 ? "left" : "right");
  return button;
}
