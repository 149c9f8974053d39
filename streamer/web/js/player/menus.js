// The choices of sound, subtitles, picture and protocol, as panels above their buttons.

import { el, iconButton } from "/web/js/dom.js";

const PROTOCOLS = [
  { id: "hls", label: "HLS" },
  { id: "dash", label: "DASH" },
];

export function languageMenu(playback) {
  return menu("subtitles", "Audio and subtitles", { testid: "language-button" }, playback, (engine) => [
    group("Audio", "audio-menu", engine.audio(), (choice) => engine.chooseAudio(choice)),
    group("Subtitles", "subtitle-menu", engine.text(), (choice) => engine.chooseText(choice)),
  ]);
}

export function qualityMenu(playback) {
  return menu("settings", "Quality and protocol", { testid: "quality-button" }, playback, (engine) => [
    group("Picture", "quality-menu", engine.quality(), (choice) => engine.chooseQuality(choice)),
    group(
      "Protocol",
      "protocol-menu",
      PROTOCOLS.map((choice) => ({ ...choice, active: choice.id === playback.protocol })),
      ({ id }) => playback.useProtocol(id),
    ),
  ]);
}

/** groups: `(engine) => nodes`, made anew whenever the panel opens or what it shows changes. */
function menu(iconName, label, properties, playback, groups) {
  const panel = el("div.menu", { role: "menu", "aria-label": label, hidden: true });
  const button = iconButton(iconName, label, { "aria-haspopup": "menu", "aria-expanded": "false", ...properties });
  const node = el("div.menu-place", {}, button, panel);

  const fill = () => {
    // While another manifest loads there is nothing to choose from; an emptied panel would lose the focus.
    if (!playback.engine) return;
    const focused = panel.contains(document.activeElement) ? document.activeElement.dataset.choice : null;
    panel.replaceChildren(...groups(playback.engine).filter(Boolean));
    if (focused !== null) (panel.querySelector(`[data-choice="${focused}"]`) ?? panel.querySelector("button"))?.focus();
  };
  const open = (yes) => {
    if (yes) fill();
    panel.hidden = !yes;
    button.setAttribute("aria-expanded", String(yes));
    if (yes) (panel.querySelector('[aria-checked="true"]') ?? panel.querySelector("button"))?.focus();
  };
  const outside = (event) => !node.contains(event.target) && open(false);

  button.addEventListener("click", () => open(panel.hidden));
  node.addEventListener("keydown", (event) => steer(event, panel, () => (open(false), button.focus())));
  node.addEventListener("focusout", (event) => event.relatedTarget && outside({ target: event.relatedTarget }));
  document.addEventListener("pointerdown", outside);
  playback.addEventListener("closed", () => document.removeEventListener("pointerdown", outside));
  playback.addEventListener("choices", () => panel.hidden || fill());
  return node;
}

function group(heading, testid, choices, choose) {
  if (choices.length === 0) return null;
  const buttons = choices.map((choice) =>
    el(
      "button.choice",
      {
        type: "button",
        role: "menuitemradio",
        "aria-checked": String(choice.active),
        "data-choice": `${testid}:${choice.id}`,
        onclick: () => choose(choice),
      },
      choice.label,
    ),
  );
  return el("div.menu-group", { role: "group", "aria-label": heading, testid }, el("h3", {}, heading), buttons);
}

/** Arrow keys go through the choices, Escape closes. */
function steer(event, panel, close) {
  if (panel.hidden) return;
  const choices = [...panel.querySelectorAll("button")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") close();
  else if (step) choices.at((choices.indexOf(document.activeElement) + step) % choices.length)?.focus();
  else if (!["ArrowLeft", "ArrowRight", " ", "Enter"].includes(event.key)) return;
  if (event.key !== " " && event.key !== "Enter") event.preventDefault();
  event.stopPropagation();
}
