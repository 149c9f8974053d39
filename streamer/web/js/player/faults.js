// What went wrong, in a sentence for a viewer, and what may help.

import { ApiError } from "/web/js/api.js";

// shaka.util.Error.Category and .Code
const NETWORK = 1;
const MEDIA = 3;
const MANIFEST = 4;
const STREAMING = 5;
const BAD_HTTP_STATUS = 1001;
const UNSUPPORTED = 4032;

const LOST = "The connection was lost. Playback goes on from here as soon as you are online again.";
const OVER = "This playback session has ended, perhaps because another device took its place.";

/** `{sentence, reasons, code, retry, waitsForNetwork}`: retry is false where trying again cannot help. */
export function faultOf(error) {
  if (error instanceof ApiError) return fromApi(error);
  if (error instanceof TypeError) return fault(LOST, "network", { waitsForNetwork: true });
  if (error.category === undefined)
    return fault("This browser cannot play streams. Try a current one.", "browser", { retry: false });
  return fromShaka(error);
}

/** Whether a new session may cure it: the server no longer takes this one's token. */
export function wantsNewLease(error) {
  return error.code === BAD_HTTP_STATUS && [401, 403, 410].includes(error.data?.[1]);
}

function fromApi(error) {
  if (error.status === 0) return fault(LOST, "network", { waitsForNetwork: true });
  const reasons = error.reasons.map(({ sentence }) => sentence);
  if (error.status === 404) return fault("This title is not here, or not any more.", "gone", { retry: false });
  return fault(error.message, error.code || String(error.status), { reasons, retry: reasons.length === 0 });
}

function fromShaka(error) {
  if (wantsNewLease(error)) return fault(OVER, "session");
  if (error.category === NETWORK && error.code !== BAD_HTTP_STATUS)
    return fault(LOST, "network", { waitsForNetwork: true });
  if (error.category === NETWORK) return fault("A part of this title could not be fetched.", "network");
  if (error.code === UNSUPPORTED) return fault("This browser cannot decode this title.", "media", { retry: false });
  if (error.category === MEDIA) return fault("This title could not be decoded here.", "media");
  if (error.category === MANIFEST || error.category === STREAMING)
    return fault("This title could not be opened.", "manifest");
  return fault(`Playback stopped (${error.code}).`, "playback");
}

function fault(sentence, code, { reasons = [], retry = true, waitsForNetwork = false } = {}) {
  return { sentence, code, reasons, retry, waitsForNetwork };
}
