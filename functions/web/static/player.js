// A finished video: the player, and what can be done with the file.

import { announce, element, quietButton, shape, shapeAs } from "./elements.js";
import { ownAddress } from "./api.js";

export function player({ caption, outcome, play }) {
  const video = element("video", {
    className: "screen", controls: true, playsInline: true, preload: "metadata", ariaLabel: "Video",
  });
  const fault = faultOf(video, () => link);
  // In a tab of its own: where the answer is not a download, the results here stay.
  const download = element("a", { textContent: "Download", target: "_blank", rel: "noopener" });
  let link; // the newest: the player keeps the one that it has begun with, while that works
  const actions = element("p", { className: "actions" }, download, copyButton(() => link));
  const missing = element("p", {
    className: "fault",
    textContent: "The link to this video is not one of ours, so it is not opened.",
  });
  video.addEventListener("loadedmetadata", () => {
    shape(video, video.videoWidth, video.videoHeight);
  });

  return {
    nodes: [video, fault, missing, caption, outcome, actions],
    update({ video: { videoId, videoUrl, posterUrl, size } }) {
      const address = ownAddress(videoUrl);
      const poster = ownAddress(posterUrl);
      video.hidden = actions.hidden = !address;
      missing.hidden = Boolean(address);
      if (!video.videoWidth) shapeAs(video, size);
      if (poster && video.poster !== poster) video.poster = poster;
      if (!address || link === address) return;
      const begun = link && !video.error;
      link = address;
      if (!begun) video.src = link;
      download.href = `${address}${address.includes("?") ? "&" : "?"}download=1`;
      download.download = `actionreel-${videoId}.mp4`;
      // A browser may insist on a click first: the controls are there for it.
      if (play && !begun) video.play().catch(() => {});
    },
  };
}

/** What is said when the file does not load, with a way to try again. */
function faultOf(video, link) {
  const again = quietButton("Load it again");
  const fault = element("p", { className: "fault", hidden: true },
    "The video could not be loaded. ", again);
  video.addEventListener("loadedmetadata", () => (fault.hidden = true));
  video.addEventListener("error", () => {
    fault.hidden = false;
    announce("The video could not be loaded.");
  });
  again.addEventListener("click", () => {
    // The signed file behind the link may have expired: loading anew signs it again.
    const position = video.currentTime;
    if (video.src === link()) video.load();
    else video.src = link();
    video.currentTime = position;
  });
  return fault;
}

function copyButton(address) {
  const button = quietButton("Copy link");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(address());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed to copy";
    }
    announce(button.textContent);
    setTimeout(() => (button.textContent = "Copy link"), 2000);
  });
  return button;
}
