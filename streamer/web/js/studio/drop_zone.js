// The place where files are dropped or chosen, and how they are to be published.

import { el, icon } from "/web/js/dom.js";

const ACCEPTED = "video/*,audio/*,.mkv,.flac,.ts,.srt,.vtt,.ass,.ssa";

/** dropped: called with the files and the publish choice, "auto" or "manual". */
export function dropZone(dropped) {
  const input = el("input", { type: "file", multiple: true, accept: ACCEPTED, hidden: true, testid: "file-input" });
  const node = el(
    "section.drop",
    { "aria-label": "Upload", testid: "drop-zone" },
    icon("upload"),
    el("h2", {}, "Drop films and songs here"),
    el("p.muted", {}, "Subtitle files (.srt, .vtt, .ass) go with the film they are dropped with."),
    el("button.primary", { type: "button", onclick: () => input.click(), testid: "choose-files" }, "Choose files"),
    input,
    publishChoice(),
  );
  const take = (files) => {
    if (files.length) dropped([...files], node.querySelector("input[name=publish]:checked").value);
  };
  input.addEventListener("change", () => {
    take(input.files);
    input.value = "";
  });
  catchDrops(node, take);
  return node;
}

function publishChoice() {
  const option = (value, label, checked) =>
    el(
      "label",
      {},
      el("input", { type: "radio", name: "publish", value, checked, testid: `publish-${value}` }),
      el("span", {}, label),
    );
  return el(
    "fieldset.publish-choice",
    {},
    el("legend", {}, "When it is ready"),
    option("manual", "Keep for review", true),
    option("auto", "Publish at once", false),
  );
}

/** Files may be let go anywhere on the page; a drop beside the zone must not open the file in place of the page. */
function catchDrops(node, take) {
  let depth = 0;
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  const listen = (name, act) =>
    document.addEventListener(name, (event) => {
      if (!node.isConnected || !holdsFiles(event)) return;
      event.preventDefault();
      act(event);
      node.classList.toggle("over", depth > 0);
    });
  listen("dragenter", () => (depth += 1));
  listen("dragleave", () => (depth -= 1));
  listen("dragover", () => null);
  listen("drop", (event) => {
    depth = 0;
    take(event.dataTransfer.files);
  });
}
