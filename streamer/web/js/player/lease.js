// One playback session with the server: opened by playing, kept by heartbeats, ended by leaving.

import { api } from "/web/js/api.js";
import { tokenNow } from "/web/js/session.js";

/** Opens a session for a title, of one version or the published one. Throws ApiError; a 403 carries the reasons. */
export async function openLease(titleId, version) {
  return new Lease(await api.playback(titleId, version));
}

class Lease {
  #answer;
  #ended = false;

  constructor(answer) {
    this.#answer = answer;
    this.session_id = answer.session_id;
    this.heartbeat_ms = (answer.heartbeat_s || 30) * 1000;
    this.resume_s = answer.resume_s ?? 0;
  }

  /** protocol: "hls" or "dash". */
  url(protocol) {
    return this.#answer[`${protocol}_url`];
  }

  /** Says that we are still there. state: `{position_s, state}`. */
  async beat(state) {
    if (this.#ended) return;
    const { hls_url, dash_url } = (await api.heartbeat(this.session_id, state)) ?? {};
    if (hls_url) this.#answer = { ...this.#answer, hls_url, dash_url };
  }

  /** Ends the session. Works while the page goes away: the request outlives it. */
  end() {
    if (this.#ended) return;
    this.#ended = true;
    const headers = { Authorization: `Bearer ${tokenNow()}` };
    fetch(`/api/v1/playback/${this.session_id}`, { method: "DELETE", keepalive: true, headers }).catch(() => null);
  }
}
