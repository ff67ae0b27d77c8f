// A video as a card: it waits, plays or says what went wrong, above or below its caption.

import { announce, element, keepFocus, write, writeList } from "./elements.js";
import { failure } from "./failure.js";
import { player } from "./player.js";
import { phaseOf, watch } from "./videos.js";
import { waiting } from "./waiting.js";
import { factsOf, standingOf } from "./words.js";

/**
 * Keep `root` showing a video through all that happens to it; gives the function that ends it.
 * `open` is called with the id of another video that the card leads to.
 */
export function showVideo(root, videoId, { open, play = false }) {
  const update = cardIn(root, { open, play });
  let said, heard;
  root.dataset.videoId = videoId;
  return watch(videoId, (entry) => {
    update(entry);
    const standing = standingOf(entry);
    const subject = (entry.video.prompt ?? "video").slice(0, 80);
    root.ariaLabel = subject;
    if (said && said !== standing) announce(entry.trouble ? standing : `${standing}: ${subject}`);
    said = standing;
    const sentence = entry.wish?.sentence;
    if (sentence && sentence !== heard) announce(sentence);
    heard = sentence;
  });
}

/** Show in `root` an error that belongs to no video. */
export function showError(root, { error, code, retryable, notices }) {
  const video = { status: "failed", error: { message: error, code, retryable }, notices };
  cardIn(root, {})({ video });
}

const PARTS = { pending: waiting, completed: player, error: failure };

/** Make `root` a card; gives the function that brings it up to date. */
function cardIn(root, { open, play }) {
  const about = caption();
  const outcome = element("p", { className: "outcome" });
  let phase, part;
  root.tabIndex = -1; // to be led to, and to have the focus when the button that had it is gone
  return (entry) => keepFocus(root, () => {
    if (phase !== phaseOf(entry)) {
      // Within a phase the nodes stay, so a playing video and the reader's focus do too.
      phase = phaseOf(entry);
      part = PARTS[phase]({ caption: about.node, outcome, open, play });
      root.dataset.state = phase;
      root.replaceChildren(...part.nodes);
    }
    root.dataset.status = entry.video.status ?? "";
    part.update(entry);
    about.update(entry.video);
    write(outcome, entry.wish?.sentence ?? "");
  });
}

function caption() {
  const prompt = element("p", { className: "prompt", dir: "auto" });
  const facts = element("ul", { className: "facts" });
  const notices = element("ul", { className: "notices", ariaLabel: "Notices" });
  return {
    node: element("div", { className: "caption" }, prompt, facts, notices),
    update(video) {
      write(prompt, video.prompt ?? "");
      writeList(facts, factsOf(video));
      writeList(notices, video.notices ?? []);
    },
  };
}
