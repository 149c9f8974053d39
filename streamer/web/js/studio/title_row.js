// One title of the studio's list: its state, live, and what can be done with it.

import { artwork, isMusic, kindName } from "/web/js/card.js";
import { el, icon, iconButton } from "/web/js/dom.js";
import { runningTime } from "/web/js/format.js";
import { rowState } from "/web/js/studio/row_state.js";

const LABELS = {
  publish: "Publish",
  unpublish: "Unpublish",
  preview: "Preview",
  cancel: "Cancel",
  pause: "Pause",
  resume: "Go on",
  cancelUpload: "Cancel",
  choose: "Upload a file",
  replace: "New version",
  forget: "Forget it",
};

/** act: called with the name of an action and the title, for `rename` with the new name too; may answer a promise. */
export function titleRow(title, { act }) {
  const art = el(`div.row-art${isMusic(title) ? ".square" : ""}`);
  const name = el("div.row-name");
  const facts = el("p.muted.row-facts");
  const chip = el("span.chip", { role: "status", testid: "job-state" });
  const detail = el("p.row-detail", { testid: "job-stage" });
  const bar = el("progress", { max: 1, "aria-label": "Progress", testid: "job-progress" });
  const reason = el("p.row-reason", { role: "alert", testid: "job-reason" });
  const actions = el("div.row-actions");
  const node = el(
    "li.row",
    { testid: "title-row", "data-title-id": title.id },
    art,
    el("div.row-words", {}, name, facts),
    el("div.row-state", {}, el("div.row-chip", {}, chip, detail), bar, reason),
    actions,
  );
  let drawn = {};

  function update({ title, job, upload, left }) {
    const state = rowState({ title, job, upload, left });
    chip.textContent = state.word;
    chip.dataset.state = state.word.toLowerCase();
    chip.className = `chip ${state.tone}`;
    detail.textContent = state.detail;
    bar.hidden = state.progress === null;
    bar.value = state.progress ?? 0;
    reason.hidden = !state.reason;
    if (reason.textContent !== (state.reason ?? "")) reason.textContent = state.reason ?? "";
    redraw("art", title.artwork?.poster ?? title.name, () => art.replaceChildren(artwork(title)));
    redraw("name", title.name, () => showName(title));
    redraw("facts", [title.duration_s, title.artist].join(), () => (facts.textContent = line(title)));
    redraw("offers", state.offers.join(), () => showActions(state.offers, title));
  }

  /** Draws a part only when it changed: an open field and the focus survive. */
  function redraw(part, value, draw) {
    if (drawn[part] === value) return;
    drawn = { ...drawn, [part]: value };
    draw();
  }

  function showActions(offers, title) {
    const had = actions.contains(document.activeElement);
    const button = (offer) =>
      el(
        `button${offer === "publish" ? ".primary" : ""}`,
        { type: "button", testid: `do-${offer}`, onclick: (event) => press(event.target, offer, title) },
        LABELS[offer],
      );
    actions.replaceChildren(...offers.map(button));
    if (had) actions.querySelector("button")?.focus();
  }

  async function press(button, offer, title) {
    button.disabled = true;
    await act(offer, title);
    button.disabled = false;
  }

  function showName(title) {
    const edit = iconButton("edit", `Rename ${title.name}`, { onclick: () => editName(title), testid: "rename" });
    const had = name.contains(document.activeElement);
    name.replaceChildren(el("h3", {}, title.name), edit);
    if (had) edit.focus();
  }

  function editName(title) {
    const input = el("input", {
      value: title.name,
      "aria-label": "Name",
      required: true,
      maxlength: 200,
      testid: "name-input",
    });
    const finish = (save) => {
      const wanted = input.value.trim();
      showName(title);
      if (save && wanted && wanted !== title.name) act("rename", title, wanted);
    };
    const form = el(
      "form",
      { onsubmit: (event) => (event.preventDefault(), finish(true)) },
      input,
      el("button.primary", { testid: "name-save" }, "Save"),
    );
    form.addEventListener("keydown", (event) => event.key === "Escape" && finish(false));
    name.replaceChildren(form);
    input.select();
  }

  return { node, update };
}

function line(title) {
  return [kindName(title), runningTime(title.duration_s), title.artist].filter(Boolean).join(" · ");
}

/** What the list shows while there is nothing in it. */
export function emptyList() {
  return el("li.row-empty", {}, icon("film"), el("p", {}, "No titles yet. Drop a film or a song above to begin."));
}
