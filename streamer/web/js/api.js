// The API, as functions. Every failure is an ApiError whose message is a sentence for the person at the screen.

import { renew, token } from "/web/js/session.js";

export class ApiError extends Error {
  /** status: the HTTP status, 0 when no answer came. reasons: `[{code, sentence}]` of a refusal. */
  constructor(message, { status = 0, code = "", reasons = [] } = {}) {
    super(message);
    Object.assign(this, { status, code, reasons });
  }
}

const UNREACHABLE = "Marquee cannot be reached. Check your connection and try again.";
const SIGN_IN = "Your sign-in has ended. Sign in again to go on.";

/** Sends a request with a fresh token; a 401 is tried once more with a newer one. Answers the OK `Response`. */
export async function send(path, options = {}) {
  const first = await token().catch(unreachable);
  let response = await attempt(path, options, first);
  if (response.status === 401 && first) {
    const second = await renew(first).catch(unreachable);
    if (second) response = await attempt(path, options, second);
  }
  if (!response.ok) throw await problem(response);
  return response;
}

/** The error that a refused response tells of (RFC 9457). */
export async function problem(response) {
  const body = await response.json().catch(() => ({}));
  const words = body.reasons?.[0]?.sentence ?? body.detail ?? body.title ?? plain(response.status);
  return new ApiError(asSentence(words), { status: response.status, code: body.code, reasons: body.reasons ?? [] });
}

export const api = {
  me: () => json("GET", "/api/v1/me"),
  titles: (query = {}, signal) => json("GET", `/api/v1/titles?${parameters(query)}`, undefined, signal),
  title: (id) => json("GET", `/api/v1/titles/${id}`),
  createTitle: (fields) => json("POST", "/api/v1/titles", fields),
  renameTitle: (id, name) => json("PATCH", `/api/v1/titles/${id}`, { name }),
  publish: (id) => json("POST", `/api/v1/titles/${id}/publish`),
  unpublish: (id) => json("POST", `/api/v1/titles/${id}/unpublish`),
  jobs: () => json("GET", "/api/v1/jobs"),
  job: (id) => json("GET", `/api/v1/titles/${id}/job`),
  cancelJob: (id) => json("DELETE", `/api/v1/titles/${id}/job`),
  /** version: for studio members, another than the one viewers get. */
  playback: (id, version = null) =>
    json("POST", `/api/v1/titles/${id}/playback`, { device: { player: "shaka" }, version }),
  heartbeat: (session_id, state) => json("POST", `/api/v1/playback/${session_id}/heartbeat`, state),
};

async function json(method, path, body, signal) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  const response = await send(path, { method, headers, signal, body: body && JSON.stringify(body) });
  return response.status === 204 ? null : response.json();
}

function attempt(path, options, bearer) {
  if (!bearer) throw new ApiError(SIGN_IN, { status: 401 });
  const headers = { ...options.headers, Authorization: `Bearer ${bearer}` };
  return fetch(path, { ...options, headers }).catch(unreachable);
}

function unreachable(error) {
  if (error instanceof ApiError || error.name === "AbortError") throw error;
  throw new ApiError(UNREACHABLE);
}

function parameters(query) {
  return new URLSearchParams(Object.entries(query).filter(([, value]) => value));
}

function asSentence(words) {
  const ended = /[.!?…]$/.test(words) ? words : `${words}.`;
  return ended[0].toUpperCase() + ended.slice(1);
}

function plain(status) {
  if (status === 401) return SIGN_IN;
  if (status === 429) return "That was too often. Wait a moment and try again.";
  if (status >= 500) return "Marquee is not ready just now. Try again in a moment.";
  return `The request was refused (${status}).`;
}
