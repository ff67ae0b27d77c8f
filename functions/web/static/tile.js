// A video of the list: a button with its picture, prompt, state and age.

import { ownAddress } from "./api.js";
import { setClock } from "./clocks.js";
import { element, progressBar, setProgress, write } from "./elements.js";
import { phaseOf, watch } from "./videos.js";
import { remarkOf, standingOf } from "./words.js";

/** A tile that calls `open` when it is clicked: its node, and the function that ends it. */
export function tile(videoId, open) {
  const picture = element("img", { alt: "", loading: "lazy" });
  const length = element("span", { className: "length" });
  const bar = progressBar();
  const screen = element("span", { className: "screen", ariaHidden: "true" }, picture, length, bar);
  const prompt = element("span", { className: "prompt", dir: "auto" });
  const state = element("span", { className: "state" });
  const remark = element("span");
  const age = element("time");
  const button = element("button", { type: "button" }, screen,
    element("span", {}, prompt, element("span", { className: "standing" }, state, remark, age)));
  const node = element("li", {}, button);
  node.dataset.videoId = videoId;
  button.addEventListener("click", open);
  picture.addEventListener("error", () => (picture.hidden = true));

  const stop = watch(videoId, (entry) => {
    const { video } = entry;
    const poster = ownAddress(video.posterUrl);
    node.dataset.state = phaseOf(entry);
    if (poster && picture.src !== poster) picture.src = poster;
    write(length, video.seconds ? `${video.seconds} s` : "");
    bar.hidden = phaseOf(entry) !== "pending";
    setProgress(bar, video.progress);
    write(prompt, video.prompt ?? "");
    node.dataset.status = video.status ?? "";
    write(state, standingOf(entry));
    write(remark, remarkOf(video));
    age.dateTime = video.createdAt ?? "";
    setClock(age, "ago", entry);
  });
  return { node, stop };
}
