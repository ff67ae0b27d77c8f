// The page: the message box, and the list of videos.

import { Trouble, listVideos, sendMessage } from "./api.js";
import { isKeyWanted, onKeyGranted } from "./key.js";
import "./keyform.js";
import { showResults, view } from "./stage.js";
import { tile } from "./tile.js";
import { learnRecord } from "./videos.js";
import { onRetry } from "./wishes.js";

const find = (id) => document.getElementById(id);

// ---- sending

const box = find("message");
const send = find("send");
const notice = find("notice");
const example = box.defaultValue;
let unsettled = null; // the message whose fate is not known: sent again, it keeps its id
let sending = false;

function say(text, kind = "") {
  notice.textContent = text;
  notice.dataset.kind = kind;
}

async function submit() {
  const text = box.value;
  if (sending) return;
  if (!text.trim()) {
    say("Write or paste a message first.");
    box.focus();
    return;
  }
  // Where no id can be made (plain http), the API does without.
  if (unsettled?.text !== text) unsettled = { text, messageId: crypto.randomUUID?.() };
  let accepted = false;
  sending = true;
  send.ariaDisabled = "true";
  send.textContent = "Sending…";
  say("");
  try {
    const answer = await sendMessage(text, unsettled.messageId);
    unsettled = null;
    accepted = showAnswer(answer);
    refreshHistory();
  } catch (trouble) {
    if (!(trouble instanceof Trouble)) throw trouble;
    if (!trouble.passing) unsettled = null;
    if (trouble.wantsKey) {
      say(`${trouble.message} Your message is still here.`, "error");
      find("key-field").focus();
      return;
    }
    const safe = "Your message is still here. Sending it again is safe: nothing starts twice.";
    say(trouble.status === 0 ? `${trouble.message} ${safe}` : trouble.message, "error");
  } finally {
    sending = false;
    send.ariaDisabled = null;
    // The same text once more is another video, and maybe another bill: the button says so.
    send.textContent = accepted && box.value === text ? "Send again" : "Send";
  }
}

/** Show an answer of POST /actions; gives whether there was anything in it. */
function showAnswer({ type, results = [] }) {
  if (type === "CONTINUE" || !results.length) {
    say("No action in this message, so there is nothing to make. "
      + "A video starts with a <createAIVideo> tag.");
    return false;
  }
  showResults(results);
  return true;
}

find("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
send.addEventListener("click", (event) => {
  if (event.detail > 1) event.preventDefault(); // a double click is meant once
});
box.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  if (!event.repeat) submit();
});
box.addEventListener("input", () => {
  if (!sending) send.textContent = "Send";
});
find("example").addEventListener("click", () => {
  box.value = example;
  box.focus();
});

// ---- the list

const FRESH = 15_000; // milliseconds between two looks for videos that others started
const list = find("history");
const note = find("history-note");
const more = find("more");
const tiles = new Map();
let cursor = null;
let turn = Promise.resolve(); // one change of the list at a time
let refreshTimer;

function tileFor(video) {
  learnRecord(video);
  if (tiles.has(video.videoId)) return [];
  const made = tile(video.videoId, () => view(video.videoId));
  tiles.set(video.videoId, made);
  return [made.node];
}

async function loadNewest() {
  if (document.hidden || isKeyWanted()) return;
  try {
    const page = await listVideos();
    const joins = page.videos.some(({ videoId }) => tiles.has(videoId));
    if (!joins) {
      // Nothing in common with what is shown: there may be a gap, so the list starts anew.
      for (const { stop } of tiles.values()) stop();
      tiles.clear();
      list.replaceChildren();
      cursor = page.cursor;
    }
    list.prepend(...page.videos.flatMap(tileFor));
    note.textContent = tiles.size ? "" : "No videos yet. The first one that you send appears here.";
  } catch (trouble) {
    if (!(trouble instanceof Trouble)) throw trouble;
    note.textContent = trouble.wantsKey
      ? "Your videos appear here when you have given a key."
      : `The list cannot be brought up to date: ${trouble.message} Trying again.`;
  }
  note.hidden = !note.textContent;
  more.hidden = !cursor;
}

async function loadMore() {
  if (!cursor) return;
  try {
    const page = await listVideos(cursor);
    const nodes = page.videos.flatMap(tileFor);
    list.append(...nodes);
    cursor = page.cursor;
    nodes[0]?.firstElementChild.focus();
  } catch (trouble) {
    if (!(trouble instanceof Trouble)) throw trouble;
    note.textContent = trouble.message;
    note.hidden = false;
  }
  more.hidden = !cursor;
}

function refreshHistory() {
  clearTimeout(refreshTimer);
  turn = turn.then(loadNewest, loadNewest).finally(() => {
    clearTimeout(refreshTimer);
    refreshTimer = setTimeout(refreshHistory, FRESH);
  });
}

more.addEventListener("click", () => (turn = turn.then(loadMore, loadMore)));
document.addEventListener("visibilitychange", () => document.hidden || refreshHistory());
onRetry(refreshHistory);
onKeyGranted(() => {
  say("");
  refreshHistory();
});
refreshHistory();
