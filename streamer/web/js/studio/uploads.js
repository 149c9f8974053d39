// All uploads of this page, two at a time.

import { api } from "/web/js/api.js";
import { fingerprint, kindOf, nameOf } from "/web/js/studio/files.js";
import { Upload } from "/web/js/studio/upload.js";

const AT_ONCE = 2;

export class Uploads {
  #all = new Map();

  /** memory: of unfinished uploads. changed: called with an upload that changed. */
  constructor({ memory, changed }) {
    Object.assign(this, { memory, changed });
    window.addEventListener("beforeunload", this.#warn);
  }

  /** The upload of a title on this page, or undefined. */
  of(title_id) {
    return this.#all.get(title_id);
  }

  /**
   * Takes in an original. One that was begun before goes on where it was; into a title that is given, or a new one.
   * Answers the title, as far as it is new.
   */
  async take({ file, sidecars }, { publish, title_id = null }) {
    const begun = this.memory.get(fingerprint(file));
    if (begun && (!title_id || begun.title_id === title_id)) {
      this.#begin({ title_id: begun.title_id, file, sidecars, publish: begun.publish });
      return null;
    }
    const title = title_id ? null : await api.createTitle({ name: nameOf(file), kind: kindOf(file) });
    this.#begin({ title_id: title_id ?? title.id, file, sidecars, publish });
    return title;
  }

  resume(upload) {
    upload.state = "waiting";
    this.changed(upload);
    this.#next();
  }

  close() {
    window.removeEventListener("beforeunload", this.#warn);
    for (const upload of this.#all.values()) if (upload.state === "sending") upload.pause();
  }

  #begin(parts) {
    const upload = new Upload({ ...parts, memory: this.memory });
    this.#all.set(upload.title_id, upload);
    upload.addEventListener("change", () => {
      this.changed(upload);
      if (upload.state !== "sending") this.#next();
    });
    this.changed(upload);
    this.#next();
  }

  #next() {
    const uploads = [...this.#all.values()];
    const free = AT_ONCE - uploads.filter(({ state }) => state === "sending").length;
    for (const upload of uploads.filter(({ state }) => state === "waiting").slice(0, Math.max(0, free))) upload.run();
  }

  #warn = (event) => {
    if ([...this.#all.values()].some(({ state }) => state === "sending")) event.preventDefault();
  };
}
