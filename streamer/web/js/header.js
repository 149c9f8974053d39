// The bar at the top of both pages: name, search, account.

import { el, icon } from "/web/js/dom.js";

const ROLES = { viewer: "Member", studio: "Studio", admin: "Administrator" };

/** here: "browse" or "studio". middle: what stands between name and account. */
export function header(me, { here, middle = null, signOut }) {
  return el(
    "header.top",
    {},
    el("a.brand", { href: "/", "aria-label": "Marquee, to the start" }, icon("logo"), el("span", {}, "Marquee")),
    here === "studio" ? el("span.place", {}, "Studio") : null,
    middle,
    account(me, here, signOut),
  );
}

function account(me, here, signOut) {
  const studio = me.role === "studio" || me.role === "admin";
  const other =
    here === "studio" ? el("a", { href: "/" }, "Watch") : el("a", { href: "/studio", testid: "to-studio" }, "Studio");
  const menu = el(
    "div.account-menu",
    { id: "account-menu", popover: "auto" },
    el("p.account-who", {}, me.email),
    el("p.muted", {}, [ROLES[me.role], me.plan?.name && `${me.plan.name} plan`].filter(Boolean).join(" · ")),
    studio || here === "studio" ? other : null,
    el("button", { type: "button", onclick: signOut, testid: "sign-out" }, "Sign out"),
  );
  const button = el(
    "button.account",
    { type: "button", popovertarget: "account-menu", "aria-label": `Account of ${me.email}`, testid: "account" },
    el("span.avatar", { "aria-hidden": "true" }, me.email[0].toUpperCase()),
  );
  return [button, menu];
}

/** The search box. changed: called with the words, a moment after the last key. */
export function searchBox(changed) {
  let timer = 0;
  const input = el("input", {
    type: "search",
    name: "q",
    placeholder: "Search films and music",
    "aria-label": "Search films and music",
    autocomplete: "off",
    spellcheck: "false",
    testid: "search",
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => changed(input.value.trim()), 250);
    },
  });
  return el("form.search", { role: "search", onsubmit: (event) => event.preventDefault() }, icon("search"), input);
}
