// The large picture at the top: one film to begin with.

import { artwork, kindName, line } from "/web/js/card.js";
import { el, icon } from "/web/js/dom.js";
import { clock } from "/web/js/format.js";
import { playHash, titleHash } from "/web/js/router.js";

export function hero(title, position) {
  const play = position ? `Resume from ${clock(position.at_s)}` : "Play";
  const facts = [kindName(title), line(title)].filter(Boolean).join("  ·  ");
  const picture = artwork(title);
  picture.loading = "eager";
  return el(
    "section.hero",
    { "aria-label": `Featured: ${title.name}`, testid: "hero" },
    el("div.hero-picture", {}, picture),
    el(
      "div.hero-words",
      {},
      el("p.kicker", {}, facts),
      el("h1", { class: title.name.length > 40 ? "long" : "" }, title.name),
      el(
        "div.actions",
        {},
        el("a.button.primary", { href: playHash(title.id), testid: "hero-play" }, icon("play"), play),
        el("a.button.quiet", { href: titleHash(title.id) }, icon("info"), "Details"),
      ),
    ),
  );
}
