// Follows the jobs of titles as they change. A few by their event streams; the others are asked now and then, since a
// browser keeps only six connections to a server and uploads need some of them.

import { api } from "/web/js/api.js";
import { events } from "/web/js/studio/event_stream.js";

const STREAMS = 2;
const ASK_EVERY_MS = 3000;
const OVER = ["ready", "published", "rejected", "failed", "cancelled"];

export const isOver = (job) => OVER.includes(job.state);

export class JobWatch {
  #followed = new Map();
  #streams = 0;

  /** changed: called with each new state of a job. */
  constructor({ changed }) {
    this.changed = changed;
  }

  /** Follows a title's job until it is over. */
  follow(title_id) {
    if (this.#followed.has(title_id)) return;
    const aborter = new AbortController();
    this.#followed.set(title_id, aborter);
    this.#run(title_id, aborter.signal).finally(() => this.#followed.delete(title_id));
  }

  close() {
    for (const aborter of this.#followed.values()) aborter.abort();
  }

  async #run(title_id, signal) {
    while (!signal.aborted) {
      try {
        const over =
          this.#streams < STREAMS ? await this.#stream(title_id, signal) : this.#tell(await api.job(title_id));
        if (over) return await this.#lookAgain(title_id, signal);
      } catch (error) {
        if (signal.aborted || error.status === 401) return;
        // 404: the upload is complete, and its job not yet written down. Others pass, or come again.
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
  }

  /** A job that is ready may be published in the next moment. */
  async #lookAgain(title_id, signal) {
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    if (!signal.aborted) this.#tell(await api.job(title_id));
  }

  async #stream(title_id, signal) {
    this.#streams += 1;
    const own = new AbortController();
    signal.addEventListener("abort", () => own.abort());
    try {
      for await (const job of events(`/api/v1/titles/${title_id}/job/events`, own.signal))
        if (this.#tell(job)) return true;
      return false;
    } finally {
      own.abort();
      this.#streams -= 1;
    }
  }

  #tell(job) {
    this.changed(job);
    return isOver(job);
  }
}
