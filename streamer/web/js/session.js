// Who is signed in. The refresh token is in localStorage, so that a new tab and the studio need no second sign-in; it is
// replaced at every use, by one tab at a time. The access token, which lives for minutes, is the tab's own: it survives
// a reload, since a reload that cut off the answer to a refresh would cost the sign-in.

const STORED = "marquee.refresh_token";
const TAB = "marquee.access_token";
const EARLY_MS = 30_000;

let access = JSON.parse(sessionStorage.getItem(TAB) ?? "null");

/** Fires `ended` when the sign-in is no longer good, with `detail.sentence` saying why. */
export const session = new EventTarget();

export function isSignedIn() {
  return localStorage.getItem(STORED) !== null;
}

/** Signs in. Answers the `Response`, whose body is left to the caller when it is not OK. */
export async function signIn(email, password) {
  const response = await post("/api/v1/auth/login", { email, password });
  if (response.ok) keep(await response.json());
  return response;
}

/** Ends the sign-in here at once, and at the server as soon as it hears of it. */
export async function signOut() {
  const refresh_token = localStorage.getItem(STORED);
  const token = access?.token;
  forget();
  if (refresh_token) await post("/api/v1/auth/logout", { refresh_token }, token).catch(() => null);
}

/** The token as it is, for a request that cannot wait (the page is closing). */
export function tokenNow() {
  return access?.token ?? "";
}

/** A token that is good for a while yet; null when there is no sign-in any more. */
export async function token() {
  if (access && access.expires_ms - EARLY_MS > Date.now()) return access.token;
  return renew(access?.token);
}

/** A token other than the stale one. Throws TypeError when the server cannot be reached. */
export function renew(stale) {
  return oneAtATime(async () => {
    if (access && access.token !== stale && access.expires_ms > Date.now()) return access.token;
    const refresh_token = localStorage.getItem(STORED);
    if (!refresh_token) return end("You have been signed out. Sign in to go on.");
    const response = await post("/api/v1/auth/refresh", { refresh_token });
    if (response.ok) return keep(await response.json());
    if (response.status === 429 || response.status >= 500) throw new TypeError("the server is not ready");
    return end("Your sign-in has ended. Sign in again to go on.");
  });
}

function keep(answer) {
  access = { token: answer.access_token, expires_ms: Date.now() + answer.expires_in * 1000 };
  sessionStorage.setItem(TAB, JSON.stringify(access));
  localStorage.setItem(STORED, answer.refresh_token);
  return access.token;
}

function forget() {
  access = null;
  sessionStorage.removeItem(TAB);
  localStorage.removeItem(STORED);
}

function end(sentence) {
  forget();
  session.dispatchEvent(new CustomEvent("ended", { detail: { sentence } }));
  return null;
}

function post(path, body, bearer) {
  const headers = { "Content-Type": "application/json", ...(bearer && { Authorization: `Bearer ${bearer}` }) };
  return fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
}

// Two tabs that use the same refresh token at once would sign each other out. Web Locks need a secure context;
// without one (plain HTTP in a home network) only this page's own calls are kept apart.
let queue = Promise.resolve();
function oneAtATime(work) {
  if (navigator.locks) return navigator.locks.request("marquee.refresh", work);
  queue = queue.then(work, work);
  return queue;
}

window.addEventListener("storage", (event) => {
  if (event.key === STORED && event.newValue === null) end("You signed out in another tab.");
});
