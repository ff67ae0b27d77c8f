// The way to cancel a video that is being made.

import { element, label, onPress, quietButton } from "./elements.js";
import { cancel } from "./wishes.js";

export function cancelling() {
  const button = quietButton("");
  const node = element("p", { className: "actions" }, button);
  let videoId;
  onPress(button, () => cancel(videoId));
  return {
    node,
    update({ video, wish }) {
      videoId = video.videoId;
      // A video that is being saved is made and paid for, and always too late to cancel.
      node.hidden = Boolean(wish?.over) || video.status === "storing";
      label(button, wish?.busy ? "Cancelling…" : "Cancel", wish?.busy);
    },
  };
}
