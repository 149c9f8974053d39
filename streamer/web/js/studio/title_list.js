// The studio's titles, the newest first.

import { api } from "/web/js/api.js";
import { el } from "/web/js/dom.js";
import { isOver } from "/web/js/studio/job_watch.js";
import { emptyList, titleRow } from "/web/js/studio/title_row.js";

const PAGE = 30;

export class TitleList {
  #list = el("ul.rows", { role: "list", "aria-busy": "true", testid: "title-rows" });
  #more = el("button", { type: "button", hidden: true, testid: "more" }, "Show more");
  #known = new Map();
  node = el("section.titles", { "aria-label": "Titles" }, el("h2", {}, "Titles"), this.#list, this.#more);

  /** memory, uploads, watch: what is known beyond the titles. act: called with what is pressed. */
  constructor({ memory, uploads, watch, act }) {
    Object.assign(this, { memory, uploads, watch, act });
  }

  async load(cursor = null) {
    this.#more.disabled = true;
    try {
      const [{ items, next_cursor }, jobs] = await Promise.all([
        api.titles({ all: "1", limit: PAGE, cursor }),
        newestJobs(),
      ]);
      if (!cursor) this.#list.replaceChildren();
      items.forEach((title) => this.#show(title, jobs.get(title.id), "append"));
      if (this.#known.size === 0) this.#list.replaceChildren(emptyList());
      this.#more.hidden = !next_cursor;
      this.#more.onclick = () => this.load(next_cursor);
    } catch (error) {
      const again = el("button.link", { type: "button", onclick: () => this.load(cursor) }, "Try again");
      this.#list.append(el("li.row-empty", { role: "alert" }, error.message, again));
    }
    this.#more.disabled = false;
    this.#list.removeAttribute("aria-busy");
  }

  /** Shows a new title, at the top. */
  add(title) {
    if (this.#known.size === 0) this.#list.replaceChildren();
    this.#show(title, null, "prepend");
  }

  /** Takes in a new state of a title, and of its job if that is given. */
  put(title, job = null) {
    const known = this.#known.get(title.id);
    if (!known) return this.add(title);
    known.title = { ...known.title, ...title };
    known.job = job ?? known.job;
    this.changed(title.id);
  }

  /** The version that its newest job made, if that is finished; null: the published one will do. */
  newestVersion(title_id) {
    const { job } = this.#known.get(title_id);
    return job?.state === "ready" ? job.version : null;
  }

  /** Takes in a new state of a title's job; once it is over the title has changed as well. */
  async jobChanged(job) {
    const known = this.#known.get(job.title_id);
    if (!known) return;
    const before = known.job?.state;
    known.job = job;
    this.changed(job.title_id);
    if (isOver(job) && before !== job.state) this.put(await api.title(job.title_id).catch(() => known.title));
  }

  /** Draws a title anew. */
  changed(title_id) {
    const known = this.#known.get(title_id);
    const upload = this.uploads.of(title_id);
    const left = upload ? null : this.memory.ofTitle(title_id);
    known?.row.update({ ...known, upload, left });
  }

  #show(title, job, where) {
    if (this.#known.has(title.id)) return;
    const row = titleRow(title, { act: this.act });
    this.#known.set(title.id, { title, row, job: job ?? null });
    this.#list[where](row.node);
    this.changed(title.id);
    if (job ? !isOver(job) : title.state === "encoding") this.watch.follow(title.id);
  }
}

/** The newest job of each title, as far as the server's list goes back. */
async function newestJobs() {
  const { items } = await api.jobs();
  return new Map(items.reverse().map((job) => [job.title_id, job]));
}
