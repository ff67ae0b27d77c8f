// What a reader can want of a video: that it is cancelled, or tried again.

import { Trouble, deleteVideo, postRetry } from "./api.js";
import { entryOf, learnRecord, learnWish, phaseOf } from "./videos.js";
import { sentenceOf } from "./words.js";

/** Cancel a video. What comes of it is told to those who watch it. */
export const cancel = (videoId) => carryOut(videoId, async () => {
  const { outcome, message, video } = await deleteVideo(videoId);
  learnRecord(video);
  // A cancelled video speaks for itself; the other answers would be the same another time.
  return outcome === "cancelled" ? null : { sentence: message, over: true };
});

/** Try a video again, as a new one, which those who asked with `onRetry` are told of. */
export const retry = (videoId, acceptDoubleCharge) => carryOut(videoId, async () => {
  const video = await postRetry(videoId, acceptDoubleCharge ? { acceptDoubleCharge } : {});
  learnRecord(video);
  learnRecord({ ...entryOf(videoId).video, retriedAs: video.videoId });
  for (const listener of listeners) listener(video.videoId, videoId);
  return null;
});

const listeners = new Set();

/** Call `listener` with the id of each video that is made again here, and of the one before it. */
export const onRetry = (listener) => listeners.add(listener);

async function carryOut(videoId, act) {
  const entry = entryOf(videoId);
  // One thing at a time, however often it is clicked and wherever the video is shown.
  if (entry.wish?.busy) return;
  const before = phaseOf(entry);
  learnWish(videoId, { busy: true });
  let said = null;
  try {
    said = await act();
  } catch (trouble) {
    if (!(trouble instanceof Trouble)) throw trouble;
    // Of a video that has ended meanwhile there is better to tell.
    if (before === phaseOf(entry)) said = { sentence: sentenceOf(trouble) };
  } finally {
    learnWish(videoId, said);
  }
}
