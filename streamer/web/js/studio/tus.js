// Resumable upload, tus 1.0: create, ask how far it got, send from there.

import { ApiError, problem, send } from "/web/js/api.js";
import { renew, token } from "/web/js/session.js";

const UPLOADS = "/api/v1/uploads";
const CHUNK_BYTES = 16 * 2 ** 20;
const LONGEST_WAIT_MS = 30_000;
const VERSION = { "Tus-Resumable": "1.0.0" };

/**
 * Sends a file to its end, through lost connections.
 *
 * url: where an earlier attempt left off, or null. metadata: names and words for `Upload-Metadata`.
 * created: called with the new upload's URL. progressed: called with the bytes that are there.
 * waits: called with a sentence while the server cannot be reached, with "" when it can again.
 * Throws ApiError when trying again by itself cannot help, AbortError when `signal` says so.
 */
export async function sendFile(file, { url, metadata, created, progressed, waits, signal }) {
  let place = url && { url, offset: await offsetOf(url, signal) };
  if (!place || place.offset === null) {
    place = { url: await create(file, metadata, signal), offset: 0 };
    created(place.url);
  }
  let failures = 0;
  while (place.offset < file.size) {
    signal.throwIfAborted();
    try {
      place.offset = await sendChunk(file, place, progressed, signal);
      if (failures) waits("");
      failures = 0;
    } catch (error) {
      if (!mayPass(error)) throw error;
      failures += 1;
      waits(error.status === 0 ? "The connection is lost. Trying again…" : error.message);
      await pause(Math.min(1000 * 2 ** failures, LONGEST_WAIT_MS), signal);
      place.offset = (await offsetOf(place.url, signal).catch(() => place.offset)) ?? 0;
    }
  }
}

/** Ends an upload and frees what it took. One that is gone already is no error. */
export async function dropUpload(url) {
  await send(url, { method: "DELETE", headers: VERSION }).catch((error) => {
    if (![404, 410].includes(error.status)) throw error;
  });
}

async function create(file, metadata, signal) {
  const headers = { ...VERSION, "Upload-Length": String(file.size), "Upload-Metadata": encode(metadata) };
  const response = await send(UPLOADS, { method: "POST", headers, signal });
  return new URL(response.headers.get("Location"), location.href).pathname;
}

/** How many bytes are there; null when the upload is not there any more. */
async function offsetOf(url, signal) {
  try {
    const response = await send(url, { method: "HEAD", headers: VERSION, signal });
    return Number(response.headers.get("Upload-Offset"));
  } catch (error) {
    if ([404, 410].includes(error.status)) return null;
    throw error;
  }
}

async function sendChunk(file, { url, offset }, progressed, signal) {
  const chunk = file.slice(offset, offset + CHUNK_BYTES);
  const headers = {
    ...VERSION,
    "Content-Type": "application/offset+octet-stream",
    "Upload-Offset": String(offset),
    ...(await checksum(chunk)),
  };
  const report = (sent) => progressed(offset + sent);
  const bearer = await token();
  let request = await patch(url, chunk, { headers, bearer, report, signal });
  if (request.status === 401)
    request = await patch(url, chunk, { headers, bearer: await renew(bearer), report, signal });
  if (request.status !== 204) throw await problem(new Response(request.responseText, { status: request.status }));
  return Number(request.getResponseHeader("Upload-Offset"));
}

/** fetch tells nothing of an upload's progress; XMLHttpRequest does. */
function patch(url, body, { headers, bearer, report, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    const settle = (act) => () => (signal.removeEventListener("abort", abort), act());
    signal.addEventListener("abort", abort);
    request.open("PATCH", url);
    for (const [name, value] of Object.entries({ ...headers, Authorization: `Bearer ${bearer}` })) {
      request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => report(event.loaded);
    request.onload = settle(() => resolve(request));
    request.onerror = settle(() => reject(new ApiError("Marquee cannot be reached.")));
    request.onabort = settle(() => reject(signal.reason));
    request.send(body);
  });
}

/** The chunk's SHA-256, so that no bit turns on the way; browsers give it in a secure context only. */
async function checksum(chunk) {
  if (!crypto.subtle) return {};
  const digest = await crypto.subtle.digest("SHA-256", await chunk.arrayBuffer());
  return { "Upload-Checksum": `sha256 ${base64(new Uint8Array(digest))}` };
}

function mayPass(error) {
  if (error.name === "AbortError") return false;
  // A full disk (507) is for a person to see to; the other refusals would be the same again.
  return error instanceof TypeError || [0, 408, 409, 423, 429, 460, 500, 502, 503, 504].includes(error.status);
}

function encode(metadata) {
  const pairs = Object.entries(metadata).map(([name, words]) => `${name} ${base64(new TextEncoder().encode(words))}`);
  return pairs.join(",");
}

function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}
