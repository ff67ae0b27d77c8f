// The way to have a video made again: at once, or after a question where it may be charged twice.

import { element, label, onPress, quietButton } from "./elements.js";
import { retry } from "./wishes.js";
import { DOUBLE_CHARGE, canTryAgain, needsConsent } from "./words.js";

/** `open` is called with the id of the new video, when the reader wants to see it. */
export function tryingAgain(open) {
  const button = quietButton("");
  const offer = element("p", { className: "actions" }, button);
  const newer = quietButton("Show the new video");
  const tried = element("p", { className: "actions" }, newer);
  const question = doubleCharge({
    accept: () => retry(entry.video.videoId, true),
    leave() {
      setAsking(false);
      button.focus();
    },
  });
  let entry;
  let asking = false;

  function show() {
    const { video, wish } = entry;
    const possible = canTryAgain(entry);
    const words = needsConsent(video) ? "Try again anyway" : "Try again";
    offer.hidden = !possible || asking;
    question.node.hidden = !possible || !asking;
    tried.hidden = !video.retriedAs;
    label(button, wish?.busy ? "Trying again…" : words, wish?.busy);
    question.update(wish);
  }

  function setAsking(now) {
    asking = now;
    show();
  }

  onPress(button, () => {
    if (!needsConsent(entry.video)) return retry(entry.video.videoId);
    setAsking(true);
    // Not a button gets the focus: an Enter that is still held down must not answer.
    question.words.focus();
  });
  onPress(newer, () => open(entry.video.retriedAs));

  return {
    nodes: [offer, question.node, tried],
    update(news) {
      entry = news;
      show();
    },
  };
}

/** The question whether a second charge is accepted. */
function doubleCharge({ accept, leave }) {
  const words = element("p", { tabIndex: -1 },
    element("strong", { textContent: DOUBLE_CHARGE.warning }), ` ${DOUBLE_CHARGE.reason}`);
  const yes = element("button", { type: "button", className: "risky" });
  const no = quietButton("Leave it");
  // What leaves things as they are comes first: it is where the button was that led here.
  const answers = element("p", { className: "actions" }, no, yes);
  onPress(yes, accept);
  onPress(no, leave);
  return {
    words,
    node: element("div", { className: "question", role: "group", ariaLabel: DOUBLE_CHARGE.warning },
      words, answers),
    update(wish) {
      no.hidden = Boolean(wish?.busy);
      label(yes, wish?.busy ? "Trying again…" : DOUBLE_CHARGE.consent, wish?.busy);
    },
  };
}
