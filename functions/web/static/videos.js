// Everything the page asks of the API, and what it knows about each video.

const FINAL = new Set(["completed", "failed", "cancelled", "expired", "unknown"]);
const SHORTEST_WAIT = 1; // seconds between two questions about a video, as all waits here
const USUAL_WAIT = 2;
const LONGEST_WAIT = 10;
const LONGEST_BACKOFF = 30;

/** A request that gave no usable answer. `status` is 0 when nobody answered at all. */
export class Trouble extends Error {
  constructor(sentence, status = 0, code = null) {
    super(sentence);
    Object.assign(this, { status, code });
  }

  /** Whether the same request may do better in a moment. */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

// Times in records are the server's; its clock and the reader's need not agree.
let clockSkew = 0;
export const now = () => Date.now() + clockSkew;

async function ask(path, patience, options = {}) {
  let answer, text;
  try {
    const signal = AbortSignal.timeout(patience * 1000);
    const url = new URL(path, document.baseURI);
    answer = await fetch(url, { cache: "no-store", signal, ...options });
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
  const sentence = typeof body?.error === "string"
    ? body.error
    : `Actionreel gave an answer that cannot be used (status ${answer.status}).`;
  throw new Trouble(sentence, answer.ok ? 502 : answer.status, body?.code);
}

export const sendMessage = (text, messageId) => ask("actions", 45, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ text, messageId }),
});

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

const entries = new Map();

function entryOf(videoId) {
  if (!entries.has(videoId)) {
    entries.set(videoId, {
      video: { videoId },
      read: false, // whether `video` is a record, or only what a result said
      since: now(),
      wait: null, // what the API asked for
      trouble: null, // a passing Trouble: asking goes on
      refusal: null, // a final Trouble: asking is over
      failures: 0,
      asking: false,
      timer: 0,
      listeners: new Set(),
    });
  }
  return entries.get(videoId);
}

/** What a reader sees of a video: "pending", "completed" or "error". */
export function phaseOf({ video, refusal }) {
  if (video.status === "completed") return "completed";
  return FINAL.has(video.status) || refusal ? "error" : "pending";
}

const wantsNews = (entry) => !entry.refusal && !(entry.read && FINAL.has(entry.video.status));

/** Take in what a result of POST /actions says; the record is fetched once somebody watches. */
export function learnResult(video, wait = null) {
  const entry = entryOf(video.videoId);
  if (!entry.read) entry.video = { ...entry.video, ...video };
  Object.assign(entry, { wait, refusal: null });
  tell(entry);
}

/** Take in a record of GET /videos. */
export function learnRecord(video) {
  const entry = entryOf(video.videoId);
  // Answers can overtake each other, and a video never comes back from its end.
  if (entry.read && FINAL.has(entry.video.status) && !FINAL.has(video.status)) return;
  entry.video = { ...entry.video, ...video };
  Object.assign(entry, { read: true, refusal: null, trouble: null, failures: 0 });
  tell(entry);
}

/** Call `listener` with the entry now and after every change; gives the function that ends it. */
export function watch(videoId, listener) {
  const entry = entryOf(videoId);
  entry.listeners.add(listener);
  listener(entry);
  schedule(entry);
  return () => entry.listeners.delete(listener);
}

function tell(entry) {
  for (const listener of entry.listeners) listener(entry);
  schedule(entry);
}

function secondsToWait(entry) {
  if (entry.failures) {
    // Pages that lost the same server must not all come back in the same instant.
    return Math.min(LONGEST_BACKOFF, 2 ** entry.failures) * (0.75 + Math.random() / 2);
  }
  if (!entry.read) return 0;
  if (document.hidden) return LONGEST_WAIT;
  // However many videos are under way, the page asks at most about twice a second.
  const underWay = [...entries.values()].filter((one) => one.listeners.size && wantsNews(one));
  const wait = Math.max(entry.wait ?? USUAL_WAIT, underWay.length / 2);
  return Math.min(LONGEST_WAIT, Math.max(SHORTEST_WAIT, wait));
}

function schedule(entry) {
  clearTimeout(entry.timer);
  if (entry.asking || !entry.listeners.size || !wantsNews(entry)) return;
  entry.timer = setTimeout(askAbout, secondsToWait(entry) * 1000, entry);
}

async function askAbout(entry) {
  entry.asking = true;
  let video, trouble;
  try {
    video = await ask(`videos/${encodeURIComponent(entry.video.videoId)}`, 20);
  } catch (error) {
    trouble = error;
  }
  entry.asking = false;
  if (video) return learnRecord(video);
  entry.failures += 1;
  Object.assign(entry, trouble.passing ? { trouble } : { trouble: null, refusal: trouble });
  tell(entry);
}

function resume() {
  if (document.hidden) return;
  for (const entry of entries.values()) {
    if (!entry.asking && entry.listeners.size && wantsNews(entry)) {
      clearTimeout(entry.timer);
      askAbout(entry);
    }
  }
}

addEventListener("online", resume);
document.addEventListener("visibilitychange", resume);
