// The page `/studio`: uploads, their jobs, and publishing.

import { announce } from "/web/js/announce.js";
import { api } from "/web/js/api.js";
import { el } from "/web/js/dom.js";
import { openGate } from "/web/js/gate.js";
import { header } from "/web/js/header.js";
import { Stage } from "/web/js/player/stage.js";
import { positionsOf } from "/web/js/positions.js";
import { dropZone } from "/web/js/studio/drop_zone.js";
import { sortFiles } from "/web/js/studio/files.js";
import { JobWatch } from "/web/js/studio/job_watch.js";
import { TitleList } from "/web/js/studio/title_list.js";
import { unfinishedOf } from "/web/js/studio/unfinished.js";
import { Uploads } from "/web/js/studio/uploads.js";

const gate = openGate(document.getElementById("app"), {
  purpose: "to upload, check and publish.",
  refuse: (me) => (["studio", "admin"].includes(me.role) ? null : `${me.email} may watch, but is not of the studio.`),
  show,
});

function show(me, root) {
  const memory = unfinishedOf(me.id);
  const watch = new JobWatch({ changed: (job) => list.jobChanged(job) });
  const uploads = new Uploads({ memory, changed: uploadChanged });
  const list = new TitleList({ memory, uploads, watch, act });

  const content = el("main.studio", { id: "content", tabindex: "-1" }, dropZone(dropped), list.node);
  const app = el("div.app", {}, header(me, { here: "studio", signOut: gate.signOut }), content);
  const stage = new Stage({ positions: positionsOf(me.id), behind: app, leave: () => stage.close() });
  root.append(app, stage.node);
  list.load();

  function uploadChanged(upload) {
    list.changed(upload.title_id);
    if (upload.state === "done") watch.follow(upload.title_id);
  }

  async function dropped(files, publish, title_id = null) {
    const { originals, homeless } = sortFiles(files);
    for (const original of originals) {
      await attempt(async () => {
        const title = await uploads.take(original, { publish, title_id });
        if (title) list.add(title);
      });
    }
    if (homeless.length)
      announce(`Drop ${homeless.map(({ name }) => name).join(", ")} together with the film.`, { urgent: true });
  }

  function choose({ id }) {
    chooseFiles((files) => dropped(files, memory.ofTitle(id)?.publish ?? "manual", id));
  }

  function act(action, title, name) {
    const upload = uploads.of(title.id);
    const actions = {
      preview: () => stage.play(title.id, { version: list.newestVersion(title.id) }),
      rename: async () => list.put(await api.renameTitle(title.id, name)),
      publish: async () => list.put(await api.publish(title.id), await newestJob(title.id)),
      unpublish: async () => list.put(await api.unpublish(title.id), await newestJob(title.id)),
      cancel: async () => list.jobChanged(await api.cancelJob(title.id)),
      pause: () => upload.pause(),
      resume: () => uploads.resume(upload),
      cancelUpload: () => upload.cancel(),
      choose: () => choose(title),
      replace: () => choose(title),
      forget: () => (memory.forget(memory.ofTitle(title.id).print), list.changed(title.id)),
    };
    return attempt(actions[action]);
  }

  return () => {
    uploads.close();
    watch.close();
    stage.close();
  };
}

/** A title's newest job; null when it never had one. */
function newestJob(title_id) {
  return api.job(title_id).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    announce(error.message, { urgent: true });
  }
}

function chooseFiles(then) {
  const input = el("input", { type: "file", multiple: true, testid: "title-file-input" });
  input.addEventListener("change", () => then([...input.files]));
  input.click();
}
