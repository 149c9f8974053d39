// What a title's row says and offers, from what is known of title, job and upload. Pure.

import { size, timeLeft } from "/web/js/format.js";
import { isOver } from "/web/js/studio/job_watch.js";

/**
 * `{word, tone, detail, progress, reason, offers}`
 *
 * word: the state in a word. tone: "busy", "good", "bad" or "quiet". progress: 0..1, or null.
 * offers: names of the actions that make sense now.
 */
export function rowState({ title, job, upload, left }) {
  if (upload && !["done", "cancelled"].includes(upload.state)) return sending(upload);
  if (left)
    return {
      ...quiet("Upload unfinished"),
      detail: `Choose “${left.name}” again and it goes on where it stopped.`,
      offers: ["choose", "forget"],
    };
  return (STATES[stateOf(title, job)] ?? STATES.draft)(job);
}

/** A job that runs says most; one that is over says less than a title that can be watched. */
function stateOf(title, job) {
  if (title.state === "published" && job?.state === "ready") return "newer";
  const watchable = title.state === "ready" || title.state === "published";
  return job && !(watchable && isOver(job)) ? job.state : title.state;
}

const STATES = {
  draft: () => ({ ...quiet("Draft"), detail: "Nothing was uploaded yet.", offers: ["choose"] }),
  probing: (job) => busy("Checking", job),
  encoding: (job) => busy("Encoding", job),
  ready: (job) => good("Ready", job, { detail: "Only the studio sees it.", offers: ["publish", "preview", "replace"] }),
  newer: (job) =>
    good("New version ready", job, {
      detail: "Viewers still get the one before.",
      offers: ["publish", "preview", "replace"],
    }),
  published: (job) => good("Published", job, { detail: "", offers: ["preview", "unpublish", "replace"] }),
  rejected: (job) => bad("Refused", job),
  failed: (job) => bad("Failed", job),
  cancelled: () => ({ ...quiet("Cancelled"), offers: ["choose"] }),
};

function sending(upload) {
  const part = upload.size_bytes ? upload.sent_bytes / upload.size_bytes : 0;
  const so_far = `${size(upload.sent_bytes)} of ${size(upload.size_bytes)}`;
  const base = { progress: part, reason: null, tone: "busy", detail: so_far };
  if (upload.state === "waiting") return { ...base, word: "Waiting", offers: ["cancelUpload"] };
  if (upload.state === "paused") return { ...base, word: "Paused", tone: "quiet", offers: ["resume", "cancelUpload"] };
  if (upload.state === "failed")
    return { ...base, word: "Stopped", tone: "bad", reason: upload.sentence, offers: ["resume", "cancelUpload"] };
  const rate = upload.rate_bps;
  const pace = rate ? `${size(rate)}/s · ${timeLeft((upload.size_bytes - upload.sent_bytes) / rate)}` : "";
  return {
    ...base,
    word: "Uploading",
    detail: upload.sentence || [so_far, pace].filter(Boolean).join(" · "),
    offers: ["pause", "cancelUpload"],
  };
}

function busy(word, job) {
  const offers = job?.playable ? ["preview", "cancel"] : ["cancel"];
  return { word, tone: "busy", detail: job?.stage ?? "", progress: job?.progress ?? 0, reason: null, offers };
}

/** A newer upload that came to nothing does not take away what can be watched, but its reason is told. */
function good(word, job, more) {
  const detail = [more.detail, ...(job?.notes ?? [])].filter(Boolean).join(" ");
  return { word, tone: "good", progress: null, reason: job?.reason?.sentence ?? null, ...more, detail };
}

function bad(word, job) {
  return {
    word,
    tone: "bad",
    detail: "",
    progress: null,
    reason: job?.reason?.sentence ?? job?.stage ?? "",
    offers: ["choose"],
  };
}

function quiet(word) {
  return { word, tone: "quiet", detail: "", progress: null, reason: null, offers: [] };
}
