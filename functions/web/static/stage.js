// Where videos are shown: the cards of what was sent, and one video of the list, opened.

import { showError, showVideo } from "./card.js";
import { announce, element } from "./elements.js";
import { learnResult } from "./videos.js";
import { onRetry } from "./wishes.js";

const results = document.getElementById("results");

/** Show the results of a message, above those that are there. */
export function showResults(answers) {
  const cards = answers.map(card);
  results.prepend(...cards);
  cards[0].scrollIntoView({ block: "nearest" });
  const states = cards.map((one) => one.querySelector("h3, .state")?.textContent ?? "Ready");
  announce(`${cards.length === 1 ? "1 result" : `${cards.length} results`}: ${states.join(", ")}`);
}

function card(result) {
  const root = element("li");
  const { type, error, code, retryable, data = {} } = result;
  const notices = result.notices ?? data.notices ?? [];
  const videoId = data.videoId ?? result.videoId;
  if (type === "VIDEO_PENDING" && videoId) {
    const { status, progress } = data;
    learnResult({ videoId, status, progress, notices }, data.retryAfterSeconds);
  } else if (type === "CHAT_VIDEO" && videoId) {
    const { videoUrl, posterUrl } = data;
    learnResult({ videoId, status: "completed", videoUrl, posterUrl, notices });
  } else if (error && videoId) {
    learnResult({ videoId, status: "failed", error: { message: error, code, retryable }, notices });
  } else {
    const sentence = error ?? "This result is of a kind that the page does not know.";
    showError(root, { error: sentence, code, retryable, notices });
    return root;
  }
  showVideo(root, videoId, { open });
  return root;
}

const cardOf = (videoId) =>
  results.querySelector(`:scope > [data-video-id="${CSS.escape(videoId)}"]`);

onRetry((videoId, olderId) => {
  if (cardOf(videoId)) return; // another tab had tried it, or the first answer was lost
  const root = element("li");
  showVideo(root, videoId, { open });
  const older = cardOf(olderId);
  if (older) older.before(root);
  else results.prepend(root);
  root.scrollIntoView({ block: "nearest" });
  announce(`Trying again: ${root.ariaLabel}`);
});

/** Lead to a video: to its card, if there is one in sight, or else to the viewer. */
function open(videoId) {
  const there = viewer.open ? null : cardOf(videoId);
  if (!there) return view(videoId);
  there.scrollIntoView({ block: "nearest" });
  there.focus();
}

// ---- the viewer

const viewer = document.getElementById("viewer");
const viewed = document.getElementById("viewed");
const close = viewer.querySelector("form button");
let stopViewing = () => {};

/** Open a video, in place of the one that is open. */
export function view(videoId) {
  stopViewing();
  stopViewing = showVideo(viewed, videoId, { open, play: true });
  if (!viewer.open) viewer.showModal();
  // By itself a dialog would focus "Cancel", where the Enter that opened it may still be held.
  (viewed.querySelector("video") ?? close).focus();
}

viewer.addEventListener("close", () => {
  stopViewing();
  viewed.replaceChildren(); // silences the player as well
});
