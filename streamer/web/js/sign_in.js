// The sign-in form of both pages.

import { problem } from "/web/js/api.js";
import { el, icon } from "/web/js/dom.js";
import { signIn } from "/web/js/session.js";

/** purpose: what one signs in for. sentence: why one is asked again. done: called once signed in. */
export function signInForm({ purpose, sentence, done }) {
  const says = el("p.form-says", { role: "alert", testid: "sign-in-error" }, sentence);
  const submit = el("button.primary.wide", { type: "submit", testid: "sign-in-submit" }, "Sign in");
  const form = el(
    "form.sign-in",
    { testid: "sign-in", onsubmit: (event) => (event.preventDefault(), tryIt()) },
    el("h1", {}, "Sign in"),
    el("p.muted", {}, purpose),
    says,
    field("E-mail address", { type: "email", name: "email", autocomplete: "username", testid: "sign-in-email" }),
    field("Password", {
      type: "password",
      name: "password",
      autocomplete: "current-password",
      testid: "sign-in-password",
    }),
    submit,
  );

  async function tryIt() {
    const { email, password } = Object.fromEntries(new FormData(form));
    submit.disabled = true;
    submit.textContent = "Signing in…";
    says.textContent = "";
    const sentence = await refusal(email, password);
    submit.disabled = false;
    submit.textContent = "Sign in";
    if (sentence === null) return done();
    says.textContent = sentence;
    form.elements.password.select();
  }

  return el("main.door", {}, el("div.door-card", {}, el("div.brand", {}, icon("logo"), "Marquee"), form));
}

async function refusal(email, password) {
  try {
    const response = await signIn(email, password);
    return response.ok ? null : (await problem(response)).message;
  } catch {
    return "Marquee cannot be reached. Check your connection and try again.";
  }
}

function field(label, properties) {
  return el("label.field", {}, el("span", {}, label), el("input", { required: true, ...properties }));
}
