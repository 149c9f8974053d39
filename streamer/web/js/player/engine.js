// One Shaka player on one media element: loads, offers choices, reports what goes wrong.

import { audioChoices, fitting, qualityChoices, textChoices } from "/web/js/player/choices.js";
import { shaka } from "/web/js/player/shaka.js";
import { prefer, preferences } from "/web/js/preferences.js";

const CRITICAL = 2;
const TOKEN = /\/URISigningPackage=[^/]+\//;

const CONFIGURATION = {
  streaming: {
    bufferingGoal: 30,
    bufferBehind: 30,
    retryParameters: { maxAttempts: 5, baseDelay: 500, backoffFactor: 2, timeout: 20_000 },
  },
  manifest: {
    retryParameters: { maxAttempts: 3, baseDelay: 500, timeout: 20_000 },
    // All our tracks are on one time line. Shaka would else place HLS segments by the playlist and their decode times,
    // without the edit list: sound would be early by the encoder's priming from the second segment on.
    hls: { ignoreManifestTimestampsInSegmentsMode: true },
  },
  abr: {
    defaultBandwidthEstimate: 4_000_000,
    // A rung that once dropped frames would be gone from the menu for half a minute.
    droppedFrames: false,
  },
};

/**
 * Makes an engine.
 *
 * screen: the element that subtitles are drawn into. changed: called when choices or buffering may have changed.
 * failed: called with an error that playback does not survive.
 */
export async function openEngine(media, { screen, changed, failed }) {
  const namespace = await shaka();
  if (!namespace.Player.isBrowserSupported()) throw new Error("no Media Source Extensions");
  const player = new namespace.Player();
  if (screen) player.setVideoContainer(screen);
  await player.attach(media);
  player.configure(CONFIGURATION);
  return new Engine(player, { changed, failed });
}

class Engine {
  #token = null;

  constructor(player, { changed, failed }) {
    this.player = player;
    this.buffering = true;
    // A heartbeat may bring a newer token: from then on every request carries it, and playback does not stop for it.
    player.getNetworkingEngine().registerRequestFilter((_type, request) => {
      if (this.#token) request.uris = request.uris.map((uri) => uri.replace(TOKEN, `/${this.#token}/`));
    });
    player.addEventListener("error", ({ detail }) => detail.severity === CRITICAL && failed(detail));
    player.addEventListener("buffering", (event) => ((this.buffering = event.buffering), changed()));
    for (const name of [
      "trackschanged",
      "variantchanged",
      "adaptation",
      "textchanged",
      "audiotrackschanged",
      "abrstatuschanged",
    ]) {
      player.addEventListener(name, changed);
    }
  }

  /** Loads a manifest, from a place in seconds, with the choices that were preferred before. */
  async load(url, at_s) {
    this.use(url);
    await this.player.load(url, at_s);
    const { audio, text, height } = preferences();
    const wanted = { audio: fitting(this.audio(), audio), text: fitting(this.text(), text) };
    if (wanted.audio && !wanted.audio.active) this.player.selectAudioTrack(wanted.audio.track);
    if (wanted.text?.track) this.player.selectTextTrack(wanted.text.track);
    const rung = this.quality().find(({ id }) => id === height);
    if (rung?.track) this.chooseQuality(rung);
  }

  /** Takes over the token that stands in a URL. */
  use(url) {
    this.#token = TOKEN.exec(url)?.[0].slice(1, -1) ?? null;
  }

  audio = () => audioChoices(this.player);
  text = () => textChoices(this.player);
  quality = () => qualityChoices(this.player);

  chooseAudio(choice) {
    this.player.selectAudioTrack(choice.track);
    prefer({ audio: choice.id });
  }

  chooseText(choice) {
    this.player.selectTextTrack(choice.track);
    prefer({ text: choice.id });
  }

  chooseQuality(choice) {
    this.player.configure({ abr: { enabled: !choice.track } });
    // What is buffered already stays, so that the change is not a stop.
    if (choice.track) this.player.selectVideoTrack(choice.track, true, 4);
    prefer({ height: choice.track ? choice.id : null });
  }

  /** First and last place that can be played now, in seconds. */
  range() {
    const { start, end } = this.player.seekRange();
    return { start_s: start, end_s: end };
  }

  /** Whether the title still grows: more of it is playable from minute to minute. */
  grows() {
    return this.player.isLive();
  }

  stats = () => this.player.getStats();
  close = () => this.player.destroy();
}
