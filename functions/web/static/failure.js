// A video that will not come: why, whether it cost something, and what can be done.

import { tryingAgain } from "./again.js";
import { element, write } from "./elements.js";
import { TRIED_AGAIN, adviceOf, chargedOf, stateOf } from "./words.js";

export function failure({ caption, outcome, open }) {
  const heading = element("h3");
  const sentence = element("p", { className: "sentence" });
  const charged = element("p", { className: "charged" });
  const advice = element("span");
  const code = element("code");
  const footer = element("p", { className: "advice" }, advice, code);
  const again = tryingAgain(open);
  return {
    nodes: [heading, sentence, charged, footer, ...again.nodes, outcome, caption],
    update(entry) {
      const { video } = entry;
      const error = video.error ?? entry.refusal ?? {};
      write(heading, stateOf(entry));
      write(sentence, error.message ?? "No reason was given.");
      write(charged, chargedOf(video));
      write(advice, video.retriedAs ? TRIED_AGAIN : adviceOf(error, video.maybeCharged));
      write(code, error.code ?? "");
      again.update(entry);
    },
  };
}
