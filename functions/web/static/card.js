// A video as a card: it waits, plays or says what went wrong, above or below its caption.

import { announce, element, write, writeList } from "./elements.js";
import { player } from "./player.js";
import { phaseOf, watch } from "./videos.js";
import { waiting } from "./waiting.js";
import { adviceOf, costOf, standingOf, stateOf } from "./words.js";

/** Keep `root` showing a video through all that happens to it; gives the function that ends it. */
export function showVideo(root, videoId, play = false) {
  const update = cardIn(root, play);
  let said;
  return watch(videoId, (entry) => {
    update(entry);
    const standing = standingOf(entry);
    const subject = (entry.video.prompt ?? "video").slice(0, 80);
    if (said && said !== standing) announce(entry.trouble ? standing : `${standing}: ${subject}`);
    said = standing;
  });
}

/** Show in `root` an error that belongs to no video. */
export function showError(root, { error, code, retryable, notices }) {
  const video = { status: "failed", error: { message: error, code, retryable }, notices };
  cardIn(root)({ video });
}

const PARTS = { pending: waiting, completed: player, error: failure };

/** Make `root` a card; gives the function that brings it up to date. */
function cardIn(root, play) {
  const about = caption();
  let phase, part;
  return (entry) => {
    if (phase !== phaseOf(entry)) {
      // Within a phase the nodes stay, so a playing video and the reader's focus do too.
      phase = phaseOf(entry);
      part = PARTS[phase](about.node, play);
      root.dataset.state = phase;
      root.replaceChildren(...part.nodes);
    }
    part.update(entry);
    about.update(entry.video);
  };
}

function caption() {
  const prompt = element("p", { className: "prompt", dir: "auto" });
  const facts = element("ul", { className: "facts" });
  const notices = element("ul", { className: "notices", ariaLabel: "Notices" });
  return {
    node: element("div", { className: "caption" }, prompt, facts, notices),
    update({ prompt: words, model, seconds, size, costUsd, notices: changes }) {
      write(prompt, words ?? "");
      writeList(facts, [model, seconds && `${seconds} s`, size, costOf(costUsd)].filter(Boolean));
      writeList(notices, changes ?? []);
    },
  };
}

function failure(about) {
  const heading = element("h3");
  const sentence = element("p", { className: "sentence" });
  const charged = element("p", {
    className: "charged",
    textContent: "You may have been charged for this attempt. "
      + "Check with the provider before you start it again.",
  });
  const advice = element("span");
  const code = element("code");
  const footer = element("p", { className: "advice" }, advice, code);
  return {
    nodes: [heading, sentence, charged, footer, about],
    update(entry) {
      const { maybeCharged } = entry.video;
      const error = entry.video.error ?? entry.refusal ?? {};
      write(heading, stateOf(entry));
      write(sentence, error.message ?? "No reason was given.");
      charged.hidden = !maybeCharged;
      write(advice, adviceOf(error, maybeCharged));
      write(code, error.code ?? "");
    },
  };
}
