// One original on its way: its subtitles first, so that they are there when its encode is planned, then itself.

import { fingerprint } from "/web/js/studio/files.js";
import { dropUpload, sendFile } from "/web/js/studio/tus.js";

const RATE_WINDOW_MS = 8000;

/** Fires `change`. state: waiting, sending, paused, failed, done or cancelled. */
export class Upload extends EventTarget {
  state = "waiting";
  sentence = "";
  sent_bytes = 0;

  #aborter = new AbortController();
  #marks = [];
  #sidecarsSent = 0;

  /** memory: of unfinished uploads. */
  constructor({ title_id, file, sidecars, publish, memory }) {
    super();
    Object.assign(this, { title_id, file, sidecars, publish, memory, print: fingerprint(file) });
    this.memory.set(this.print, { title_id, name: file.name, publish });
  }

  get size_bytes() {
    return this.file.size;
  }

  /** Bytes per second over the last seconds; 0 while not known. */
  get rate_bps() {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    if (!first || last.ms - first.ms < 500) return 0;
    return ((last.bytes - first.bytes) / (last.ms - first.ms)) * 1000;
  }

  async run() {
    this.#aborter = new AbortController();
    this.#marks = [];
    this.#set("sending");
    try {
      await this.#sendSidecars();
      await this.#sendOriginal();
      this.memory.forget(this.print);
      this.#set("done");
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#set("failed", error.message);
    }
  }

  pause() {
    this.#set("paused");
    this.#aborter.abort();
  }

  async cancel() {
    this.#set("cancelled");
    this.#aborter.abort();
    const { url } = this.memory.get(this.print) ?? {};
    this.memory.forget(this.print);
    if (url) await dropUpload(url).catch(() => null); // it expires by itself
  }

  async #sendSidecars() {
    while (this.#sidecarsSent < this.sidecars.length) {
      await this.#send(this.sidecars[this.#sidecarsSent], { url: null, created: () => null, progressed: () => null });
      this.#sidecarsSent += 1;
    }
  }

  async #sendOriginal() {
    await this.#send(this.file, {
      url: this.memory.get(this.print)?.url ?? null,
      created: (url) => this.memory.set(this.print, { url }),
      progressed: (bytes) => this.#mark(bytes),
    });
  }

  #send(file, options) {
    const metadata = { filename: file.name, title_id: this.title_id, publish: this.publish };
    const waits = (sentence) => this.#set(this.state, sentence);
    return sendFile(file, { ...options, metadata, waits, signal: this.#aborter.signal });
  }

  #mark(bytes) {
    const ms = performance.now();
    this.sent_bytes = bytes;
    this.#marks = [...this.#marks.filter((mark) => ms - mark.ms < RATE_WINDOW_MS), { ms, bytes }];
    this.dispatchEvent(new Event("change"));
  }

  #set(state, sentence = "") {
    Object.assign(this, { state, sentence });
    this.dispatchEvent(new Event("change"));
  }
}
