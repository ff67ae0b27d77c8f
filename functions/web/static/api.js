// Everything the page asks of the API, and which addresses are the API's.

import { heldKey, refuseKey } from "./key.js";

/** A request that gave no usable answer. `status` is 0 when nobody answered at all. */
export class Trouble extends Error {
  constructor(sentence, status = 0, code = null) {
    super(sentence);
    Object.assign(this, { status, code });
  }

  /** Whether the request was not let in: for want of a key, or with a wrong one. */
  get wantsKey() {
    return this.status === 401 || this.status === 403;
  }

  /** Whether the same request may do better in a moment. */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

// Times in records are the server's; its clock and the reader's need not agree.
let clockSkew = 0;
export const now = () => Date.now() + clockSkew;

/** The body of an answer to a request; raises Trouble if none came within `patience` seconds. */
async function ask(path, patience, options = {}) {
  const key = heldKey();
  const headers = { ...options.headers, ...(key && { authorization: `Bearer ${key}` }) };
  let answer, text;
  try {
    const signal = AbortSignal.timeout(patience * 1000);
    const url = new URL(path, document.baseURI);
    answer = await fetch(url, { cache: "no-store", signal, ...options, headers });
    text = await answer.text();
  } catch {
    throw new Trouble("Actionreel cannot be reached.");
  }
  const date = Date.parse(answer.headers.get("date"));
  if (date) clockSkew = date - Date.now();

  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    // A gateway in between may answer with a page of its own: the sentence below covers that.
  }
  if (answer.ok && body !== null && typeof body === "object") return body;
  const trouble = new Trouble(
    typeof body?.error === "string"
      ? body.error
      : `Actionreel gave an answer that cannot be used (status ${answer.status}).`,
    answer.ok ? 502 : answer.status,
    body?.code,
  );
  if (trouble.wantsKey) {
    trouble.message = key ? "The API key was refused." : "This needs an API key.";
    refuseKey(key);
  }
  throw trouble;
}

const post = (path, body) => ask(path, 45, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

const pathOf = (videoId) => `videos/${encodeURIComponent(videoId)}`;

export const sendMessage = (text, messageId) => post("actions", { text, messageId });
export const readVideo = (videoId) => ask(pathOf(videoId), 20);
export const deleteVideo = (videoId) => ask(pathOf(videoId), 45, { method: "DELETE" });
export const postRetry = (videoId, body) => post(`${pathOf(videoId)}/retry`, body);

export const listVideos = (cursor) =>
  ask(`videos?${new URLSearchParams(cursor ? { limit: 12, cursor } : { limit: 12 })}`, 20);

/** The address if it is one of ours, over http or https; null for anything else. */
export function ownAddress(text) {
  if (!text) return null;
  try {
    const url = new URL(text, document.baseURI);
    return /^https?:$/.test(url.protocol) && url.origin === location.origin ? url.href : null;
  } catch {
    return null;
  }
}
