// The place where one title plays at a time: a film over everything, a song large or as a bar while one browses.

import { announce } from "/web/js/announce.js";
import { api } from "/web/js/api.js";
import { isMusic } from "/web/js/card.js";
import { el } from "/web/js/dom.js";
import { clock } from "/web/js/format.js";
import { filmView } from "/web/js/player/film_view.js";
import { musicView } from "/web/js/player/music_view.js";
import { goBack, playHash, replace } from "/web/js/router.js";

export class Stage {
  node = el("div.stage");
  #now = null;
  #returnTo = null;
  #turn = 0;

  /** behind: what lies under the player. neighbours: `(title) => {previous, next}`. */
  constructor({
    positions,
    behind,
    neighbours = () => ({}),
    leave = goBack,
    turn = (title) => replace(playHash(title.id)),
  }) {
    Object.assign(this, { positions, behind, neighbours, leaveTo: leave, turnTo: turn });
  }

  /**
   * Plays a title.
   *
   * from_s: where to begin; null: where this member stopped. version: null: the published one.
   */
  async play(id, { from_s = null, version = null } = {}) {
    this.#cover(true);
    if (this.#now?.id === id) return this.#grow(from_s);
    this.#end();
    const turn = ++this.#turn;
    const waiting = el(
      "section.player.film",
      { "aria-busy": "true" },
      el("div.spinner.on", { role: "status", "aria-label": "Loading" }),
    );
    this.node.replaceChildren(waiting);
    try {
      const title = await api.title(id);
      if (turn === this.#turn) await this.#show(title, { from_s, version });
    } catch (error) {
      if (turn === this.#turn) this.#refuse(error);
    }
  }

  /** The person went elsewhere: a song plays on, small; a film ends. Answers "docked", "closed" or "empty". */
  leave() {
    const was = this.#now;
    this.#turn += 1;
    const docks = this.#now !== null && isMusic(this.#now.title) && !this.#now.playback.fault;
    this.#cover(false);
    if (docks) this.#now.dock(true);
    else this.close();
    if (docks) return "docked";
    return was ? "closed" : "empty";
  }

  close() {
    this.#turn += 1;
    this.#end();
    this.node.replaceChildren();
    this.#cover(false);
  }

  async #show(title, { from_s, version }) {
    const hands = { version, positions: this.positions, leave: this.leaveTo };
    const view = isMusic(title) ? musicView(title, { ...hands, ...this.#musicHands(title) }) : filmView(title, hands);
    this.#now = { id: title.id, title, ...view };
    // For tests and for support: what plays, and Shaka's own account of it.
    window.marquee = {
      playback: view.playback,
      get player() {
        return view.playback.engine?.player ?? null;
      },
    };
    this.node.replaceChildren(view.node);
    await view.playback.start(from_s);
    const { resumed_s } = view.playback;
    if (resumed_s > 0 && !view.playback.fault) {
      const action = { label: "Start over", run: () => view.playback.seek(0) };
      announce(`Resumed from ${clock(resumed_s)}`, { action });
    }
    // A reload goes on where one is, not again from where this began.
    if (from_s !== null && this.#now?.id === title.id && location.hash.startsWith("#/play/"))
      history.replaceState(history.state, "", playHash(title.id));
  }

  #musicHands(title) {
    const isDocked = () => this.#now.node.classList.contains("docked");
    return {
      dock: this.leaveTo,
      leave: () => {
        const wasLarge = !isDocked();
        this.close();
        if (wasLarge) this.leaveTo();
      },
      expand: () => (location.hash = playHash(title.id)),
      neighbours: this.neighbours(title),
      turn: (other) => (isDocked() ? this.#playDocked(other) : this.turnTo(other)),
    };
  }

  async #playDocked(title) {
    this.#end();
    this.#turn += 1;
    const begun = this.#show(title, { from_s: 0, version: null });
    this.#now.dock(true);
    await begun;
  }

  #grow(from_s) {
    this.#now.dock?.(false);
    if (from_s !== null) this.#now.playback.seek(from_s);
  }

  #refuse(error) {
    const sentence = error.status === 404 ? "This title is not here, or not any more." : error.message;
    const back = el("button.primary", { type: "button", onclick: this.leaveTo }, "Back");
    const panel = el(
      "div.fault",
      { role: "alert", testid: "player-fault" },
      el("p", {}, sentence),
      el("div.actions", {}, back),
    );
    this.node.replaceChildren(el("section.player.film", {}, panel));
    back.focus();
  }

  #end() {
    this.#now?.playback.close();
    this.#now = null;
    window.marquee = { playback: null, player: null };
    if (document.fullscreenElement) document.exitFullscreen().catch(() => null);
  }

  /** While a player covers the page, the page cannot be reached, and the focus returns to where it was. */
  #cover(yes) {
    if (yes && !this.behind.inert) this.#returnTo = document.activeElement;
    document.documentElement.classList.toggle("covered", yes);
    this.behind.inert = yes;
    if (!yes && this.#returnTo?.isConnected) this.#returnTo.focus({ preventScroll: true });
    if (!yes) this.#returnTo = null;
  }
}
