// Short notes at the screen's edge, which screen readers speak as well.

import { el } from "/web/js/dom.js";

const STAYS_MS = 6000;

let place = null;

/** Shows a sentence for some seconds. action: `{label, run}` of a button beside it. */
export function announce(sentence, { action = null, urgent = false } = {}) {
  place ??= document.body.appendChild(el("div.notes", { role: "status", "aria-live": "polite", testid: "notes" }));
  const note = el("div.note", { role: urgent ? "alert" : null }, el("span", {}, sentence));
  if (action)
    note.append(el("button.link", { type: "button", onclick: () => (action.run(), note.remove()) }, action.label));
  // A modal dialog hides everything outside it, a full-screen player too.
  (document.fullscreenElement ?? document.querySelector("dialog[open]") ?? document.body).append(place);
  place.append(note);
  setTimeout(() => note.remove(), STAYS_MS);
}
