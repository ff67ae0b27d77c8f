// What the page knows about each video, and the asking that keeps it up to date.

import { now, readVideo } from "./api.js";
import { isKeyWanted, onKeyGranted } from "./key.js";

const FINAL = new Set(["completed", "failed", "cancelled", "expired", "unknown"]);
const SHORTEST_WAIT = 1; // seconds between two questions about a video, as all waits here
const USUAL_WAIT = 2;
const LONGEST_WAIT = 10;
const LONGEST_BACKOFF = 30;

const entries = new Map();

/** What is known of a video, always in the same object. */
export function entryOf(videoId) {
  if (!entries.has(videoId)) {
    entries.set(videoId, {
      video: { videoId },
      read: false, // whether `video` is a record, or only what a result said
      since: now(),
      wait: null, // what the API asked for
      trouble: null, // a passing Trouble: asking goes on
      refusal: null, // a final Trouble: asking is over
      wish: null, // what the reader wants of it, and what was said to that: see wishes.js
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
const mayAsk = (entry) => !entry.asking && entry.listeners.size && wantsNews(entry);

/** Take in what a result of POST /actions says; the record is fetched once somebody watches. */
export function learnResult(video, wait = null) {
  const entry = entryOf(video.videoId);
  if (!entry.read) entry.video = { ...entry.video, ...video };
  Object.assign(entry, { wait, refusal: null });
  tell(entry);
}

/** Take in a record of the API. */
export function learnRecord(video) {
  const entry = entryOf(video.videoId);
  // Answers can overtake each other: a video never comes back from its end, nor loses its retry.
  if (entry.read && FINAL.has(entry.video.status) && !FINAL.has(video.status)) return;
  const retriedAs = video.retriedAs ?? entry.video.retriedAs;
  const before = phaseOf(entry);
  entry.video = { ...entry.video, ...video, retriedAs };
  Object.assign(entry, { read: true, refusal: null, trouble: null, failures: 0 });
  // What was said to a wish was said of how things stood.
  if (!entry.wish?.busy && (retriedAs || before !== phaseOf(entry))) entry.wish = null;
  tell(entry);
}

/** Take in what the reader wants of a video, or how that stands; null when it is over. */
export function learnWish(videoId, wish) {
  const entry = entryOf(videoId);
  entry.wish = wish;
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
  if (isKeyWanted() || !mayAsk(entry)) return; // with a key, asking goes on
  entry.timer = setTimeout(askAbout, secondsToWait(entry) * 1000, entry);
}

async function askAbout(entry) {
  entry.asking = true;
  let video, trouble;
  try {
    video = await readVideo(entry.video.videoId);
  } catch (error) {
    trouble = error;
  }
  entry.asking = false;
  if (video) return learnRecord(video);
  entry.failures += 1;
  const goesOn = trouble.passing || trouble.wantsKey;
  Object.assign(entry, goesOn ? { trouble } : { trouble: null, refusal: trouble });
  tell(entry);
}

function resume() {
  if (document.hidden || isKeyWanted()) return;
  for (const entry of entries.values()) {
    if (mayAsk(entry)) {
      clearTimeout(entry.timer);
      askAbout(entry);
    }
  }
}

addEventListener("online", resume);
onKeyGranted(resume);
document.addEventListener("visibilitychange", resume);
