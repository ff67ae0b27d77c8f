// A video that is not there yet: its state, time and progress on the screen that it will play on.

import { cancelling } from "./cancelling.js";
import { ageOf, setClock } from "./clocks.js";
import { element, progressBar, setProgress, shapeAs, write } from "./elements.js";
import { stateOf, troubleOf } from "./words.js";

const LONG = 10 * 60; // seconds after which a wait deserves a word

export function waiting({ caption, outcome }) {
  const trouble = element("p", { className: "trouble" });
  const state = element("p", { className: "state" });
  const percent = element("span", { className: "percent" });
  const clock = element("span", { className: "clock", title: "Time since the start" });
  const times = element("p", { className: "times" }, percent, clock);
  const bar = progressBar();
  const screen = element("div", { className: "screen waiting" }, trouble, state, times, bar);
  const patience = element("p", { className: "patience" });
  const cancel = cancelling();
  return {
    nodes: [screen, caption, patience, outcome, cancel.node],
    update(entry) {
      const { progress, size } = entry.video;
      shapeAs(screen, size);
      write(trouble, troubleOf(entry));
      write(state, stateOf(entry));
      write(percent, typeof progress === "number" ? `${Math.round(progress)} %` : "");
      setClock(clock, "elapsed", entry);
      setProgress(bar, progress);
      write(patience, ageOf(entry) > LONG
        ? "This takes longer than usual. You can leave: the video will be in your list." : "");
      cancel.update(entry);
    },
  };
}
