// The door of both pages: nobody sees what is behind it without a sign-in.

import { api } from "/web/js/api.js";
import { el, icon } from "/web/js/dom.js";
import { bringIcons } from "/web/js/icons.js";
import { isSignedIn, session, signOut } from "/web/js/session.js";
import { signInForm } from "/web/js/sign_in.js";

/**
 * Runs a page: signs in where needed, then shows it to the member.
 *
 * show: `(me, root) => close`, builds the page and answers what closes it.
 * refuse: `(me) => sentence | null`, why this member may not see this page.
 */
export function openGate(root, { show, refuse = () => null, purpose }) {
  let close = null;

  async function enter() {
    leave();
    if (!isSignedIn()) return ask();
    root.replaceChildren(el("div.splash", { "aria-busy": "true", "aria-label": "Loading" }, icon("logo")));
    try {
      const me = await api.me();
      const sentence = refuse(me);
      if (sentence) return stop(sentence, { label: "Sign in as someone else", run: () => signOut().then(() => ask()) });
      root.replaceChildren();
      close = show(me, root);
    } catch (error) {
      if (error.status === 401) return; // `ended` has asked already
      stop(error.message, { label: "Try again", run: enter });
    }
  }

  function leave() {
    close?.();
    close = null;
  }

  function ask(sentence = "") {
    leave();
    root.replaceChildren(signInForm({ purpose, sentence, done: enter }));
    root.querySelector("input")?.focus();
  }

  function stop(sentence, { label, run }) {
    const again = el("button.primary", { type: "button", onclick: run }, label);
    root.replaceChildren(el("main.stop", { role: "alert" }, icon("logo"), el("p", {}, sentence), again));
  }

  bringIcons().catch(() => null); // every control has words as well
  session.addEventListener("ended", (event) => ask(event.detail.sentence));
  enter();
  return { signOut: () => signOut().then(() => ask()) };
}
