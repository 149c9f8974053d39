// The playing of one title: session, engine, position, heartbeat. The views show it and steer it.

import { openEngine } from "/web/js/player/engine.js";
import { faultOf, wantsNewLease } from "/web/js/player/faults.js";
import { openLease } from "/web/js/player/lease.js";
import { prefer, preferences } from "/web/js/preferences.js";

const REMEMBER_MS = 5000;
const RENEW_AT_MOST_EVERY_MS = 60_000;
const ENOUGH_TO_PLAY = 3; // HTMLMediaElement.HAVE_FUTURE_DATA

/**
 * Fires `change` whenever anything that a view shows may have changed, `choices` when what can be chosen may have,
 * `ended` at the title's end and `closed` when it is over for good.
 */
export class Playback extends EventTarget {
  fault = null;
  loading = true;
  protocol = preferences().protocol;
  resumed_s = 0;

  #engine = null;
  #lease = null;
  #positions;
  #timers = [];
  #closed = false;
  #renewed_ms = 0;
  #playsOn = true;

  /** version: null for the published one. media: the element that plays. screen: that for subtitles, or null. */
  constructor({ title, version, positions, media, screen }) {
    super();
    Object.assign(this, { title, version, media, screen });
    this.#positions = positions;
    const { volume, muted } = preferences();
    Object.assign(media, { volume, muted });
    for (const name of [
      "play",
      "pause",
      "timeupdate",
      "progress",
      "volumechange",
      "seeking",
      "seeked",
      "durationchange",
      "playing",
      "waiting",
      "error",
    ]) {
      media.addEventListener(name, this.#changed);
    }
    media.addEventListener("pause", this.#remember);
    media.addEventListener("volumechange", () => prefer({ volume: media.volume, muted: media.muted }));
    media.addEventListener("ended", () => (this.#remember(), this.dispatchEvent(new Event("ended"))));
    window.addEventListener("pagehide", this.#pageHides);
    window.addEventListener("pageshow", this.#pageShows);
    window.addEventListener("online", this.#online);
  }

  get engine() {
    return this.loading ? null : this.#engine;
  }

  get buffering() {
    return this.loading || (!this.media.paused && this.media.readyState < ENOUGH_TO_PLAY && !this.media.ended);
  }

  get time_s() {
    return this.media.currentTime || 0;
  }

  /** Length of the whole title, also while only its beginning is playable. */
  get duration_s() {
    const known = this.title.duration_s || 0;
    if (!this.engine) return known;
    const { end_s } = this.engine.range();
    return this.engine.grows() ? Math.max(end_s, known) : end_s || known;
  }

  /** Begins at a place; without one, where this member stopped. */
  async start(from_s = null) {
    await this.#run(async () => {
      this.#lease?.end();
      this.#lease = await openLease(this.title.id, this.version);
      if (this.#closed) return this.#lease.end();
      this.resumed_s = from_s === null ? (this.#positions.get(this.title.id)?.at_s ?? this.#lease.resume_s) : 0;
      await this.#load(from_s ?? this.resumed_s);
      this.#keepTime();
    });
  }

  /** Goes on from here with the other kind of manifest. */
  async useProtocol(protocol) {
    if (protocol === this.protocol) return;
    this.protocol = protocol;
    this.#playsOn = !this.media.paused;
    prefer({ protocol });
    await this.#run(() => this.#load(this.time_s));
  }

  /** Tries again from here after a fault. */
  retry() {
    return this.start(this.time_s > 0 ? this.time_s : null);
  }

  toggle() {
    if (this.fault) return;
    if (this.media.ended) this.seek(0);
    if (this.media.paused) this.play();
    else this.media.pause();
  }

  /** A browser may want a click first: then it stays paused, and the play button is there. */
  play() {
    return this.media.play().catch(() => this.#changed());
  }

  seek(to_s) {
    const range = this.engine?.range();
    if (!range) return;
    this.media.currentTime = Math.min(Math.max(to_s, range.start_s), range.end_s);
    if (this.media.paused) this.#remember();
  }

  setVolume(volume) {
    this.media.volume = Math.min(1, Math.max(0, volume));
    this.media.muted = this.media.volume === 0;
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#leave();
    window.removeEventListener("pagehide", this.#pageHides);
    window.removeEventListener("pageshow", this.#pageShows);
    window.removeEventListener("online", this.#online);
    this.media.pause();
    this.#engine?.close();
    this.dispatchEvent(new Event("closed"));
  }

  async #load(at_s) {
    this.#engine ??= await openEngine(this.media, {
      screen: this.screen,
      changed: () => (this.#changed(), this.dispatchEvent(new Event("choices"))),
      failed: (error) => this.#fail(error),
    });
    if (this.#closed) return this.#engine.close();
    await this.#engine.load(this.#lease.url(this.protocol), at_s);
    if (this.#playsOn && !this.#closed) this.play();
  }

  async #run(work) {
    Object.assign(this, { fault: null, loading: true });
    this.#changed();
    try {
      await work();
      this.loading = false;
      this.dispatchEvent(new Event("choices"));
    } catch (error) {
      // A newer load interrupts an older one; the newer one reports for both.
      if (error.code !== 7000) this.#fail(error);
    }
    this.#changed();
  }

  #fail(error) {
    if (this.#closed) return;
    if (wantsNewLease(error) && Date.now() - this.#renewed_ms > RENEW_AT_MOST_EVERY_MS) {
      this.#renewed_ms = Date.now();
      this.#playsOn = this.loading || !this.media.paused;
      this.start(this.time_s);
      return;
    }
    if (!this.fault && !this.loading) this.#playsOn = !this.media.paused;
    this.fault = faultOf(error);
    this.loading = false;
    this.media.pause();
    this.#changed();
  }

  #keepTime() {
    this.#timers.forEach(clearInterval);
    this.#timers = [
      setInterval(this.#remember, REMEMBER_MS),
      setInterval(() => this.#beat(), this.#lease.heartbeat_ms),
    ];
  }

  async #beat() {
    const state = this.media.paused ? "paused" : this.buffering ? "buffering" : "playing";
    const lease = this.#lease;
    try {
      await lease.beat({ position_s: this.time_s, state });
      if (lease === this.#lease) this.#engine?.use(lease.url(this.protocol));
    } catch (error) {
      // No answer, or not now: the session stands until the server says otherwise.
      if (lease === this.#lease && [403, 404, 409, 410].includes(error.status)) this.#fail(error);
    }
  }

  #remember = () => {
    if (this.engine) this.#positions.set(this.title.id, this.time_s, this.duration_s);
  };

  #leave() {
    this.#timers.forEach(clearInterval);
    this.#remember();
    this.#lease?.end();
  }

  #changed = () => this.dispatchEvent(new Event("change"));
  #pageHides = () => this.#leave();
  // Back from the browser's cache of pages: the session was ended when we left.
  #pageShows = (event) => event.persisted && this.start(this.time_s);
  #online = () => this.fault?.waitsForNetwork && this.retry();
}
