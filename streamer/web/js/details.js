// The dialog of one title: what it is, what this member's plan allows, and why not.

import { api } from "/web/js/api.js";
import { artwork, isMusic, kindName } from "/web/js/card.js";
import { el, icon, iconButton } from "/web/js/dom.js";
import { clock, languageName, pictureSize, runningTime } from "/web/js/format.js";
import { playHash } from "/web/js/router.js";

/** Opens the dialog. closed: called when the person closes it. Answers what closes it from outside. */
export function openDetails(id, { me, positions, closed }) {
  const body = el("div.details-body", { "aria-busy": "true" }, el("div.details-art.skeleton"), el("div.details-words"));
  const dialog = el("dialog.details", { "aria-label": "Title", testid: "title-dialog", "data-title-id": id }, body);
  dialog.append(iconButton("close", "Close", { onclick: () => dialog.close(), testid: "title-close" }));
  let byPerson = true;
  dialog.addEventListener("close", () => (dialog.remove(), byPerson && closed()), { once: true });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();

  async function fill() {
    try {
      const title = await api.title(id);
      dialog.setAttribute("aria-label", title.name);
      body.replaceChildren(el("div.details-art", {}, artwork(title)), words(title, me, positions.get(id)));
      body.querySelector(".primary")?.focus();
    } catch (error) {
      const sentence = error.status === 404 ? "This title is not here, or not any more." : error.message;
      body.replaceChildren(el("p.details-says", { role: "alert" }, sentence), retry(fill));
    }
    body.removeAttribute("aria-busy");
  }

  fill();
  return () => {
    byPerson = false;
    dialog.close();
  };
}

function words(title, me, position) {
  const facts = [kindName(title), runningTime(title.duration_s), title.artist, title.album].filter(Boolean);
  return el(
    "div.details-words",
    {},
    el("h2", {}, title.name),
    el("p.kicker", {}, facts.join("  ·  ")),
    title.allowed ? actions(title, position) : null,
    title.description ? el("p.description", {}, title.description) : null,
    entitlement(title, me),
    facets(title),
  );
}

function actions(title, position) {
  const primary = (href, label) =>
    el("a.button.primary", { href, testid: "play" }, icon("play"), el("span", {}, label));
  if (!position) return el("div.actions", {}, primary(playHash(title.id), "Play"));
  const again = el(
    "a.button.quiet",
    { href: playHash(title.id, 0), testid: "start-over" },
    icon("replay"),
    "Start over",
  );
  const resume = primary(playHash(title.id), `Resume from ${clock(position.at_s)}`);
  return el("div.actions", {}, resume, again);
}

/** What the plan says: why the title may not be played, or what limits it. */
function entitlement(title, me) {
  const reasons = title.reasons ?? [];
  if (title.allowed && reasons.length === 0) return null;
  const heading = title.allowed ? null : `Not in your ${me.plan?.name ?? ""} plan`.replace("  ", " ");
  return el(
    `div.entitlement${title.allowed ? "" : ".refused"}`,
    { testid: "entitlement" },
    icon(title.allowed ? "info" : "lock"),
    el(
      "div",
      {},
      heading && el("strong", {}, heading),
      reasons.map(({ sentence }) => el("p", {}, sentence)),
    ),
  );
}

function facets(title) {
  const of = (kind) => (title.tracks ?? []).filter((track) => track.kind === kind);
  const best = of("video").reduce((most, track) => (track.height > (most?.height ?? 0) ? track : most), null);
  const rows = [
    ["Picture", best && `Up to ${pictureSize(best.width, best.height)}`],
    [isMusic(title) ? "Sound" : "Audio", isMusic(title) ? sound(of("audio")) : languages(of("audio"))],
    ["Subtitles", languages(of("text"))],
  ];
  const shown = rows.filter(([, value]) => value);
  return el(
    "dl.facets",
    {},
    shown.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

function languages(tracks) {
  return [...new Set(tracks.map(({ language }) => languageName(language)))].join(", ");
}

function sound(tracks) {
  const most = Math.max(0, ...tracks.map(({ bandwidth_bps }) => bandwidth_bps || 0));
  return most ? `Stereo, up to ${Math.round(most / 1000)} kbit/s` : "";
}

function retry(run) {
  return el("button", { type: "button", onclick: run }, "Try again");
}
