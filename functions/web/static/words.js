// The page's words for how a video stands, what it cost, and what can be done about it.

import { phaseOf } from "./videos.js";

const STATES = {
  queued: "Waiting in the queue",
  submitting: "Handing over to the provider",
  generating: "Generating",
  storing: "Saving the file",
  completed: "Ready",
  failed: "Failed",
  cancelled: "Cancelled",
  expired: "Expired",
  unknown: "Outcome unknown",
};

// Moderation, quota and outage must not look alike.
const REASONS = {
  invalid_action: "Action not understood",
  too_many_actions: "Too many actions",
  not_found: "Video not found",
  moderation: "Declined by moderation",
  invalid_input: "Input not accepted",
  quota: "Quota used up",
  rate_limited: "Too many requests",
  provider_unavailable: "Provider not available",
  provider_rejected: "Rejected by the provider",
  timeout: "Took too long",
  expired: "Expired",
  cancelled: "Cancelled",
  outcome_unknown: "Outcome unknown",
  storage: "File could not be kept",
  internal: "Something broke on our side",
};

// With these the provider has made the video, or may have: another try is another video.
const PERHAPS_MADE = new Set(["outcome_unknown", "timeout", "storage"]);

// Where it is not the action that would have to change before another try.
const NOT_AS_THINGS_ARE = {
  moderation: "The same prompt is likely to be declined again.",
  quota: "Trying again will not help until there is quota again.",
  rate_limited: "Trying again at once will not help.",
  provider_unavailable: "Trying again will not help until this is put right.",
  provider_rejected: "Trying again will not help until this is put right.",
  expired: "Trying again starts a new video.",
  internal: "Whether trying again would help is not known.",
};

/** What trying again would do; empty where the API does not say whether it may help. */
export function adviceOf({ code, retryable, retryAfterSeconds }, maybeCharged = false) {
  if (code === "cancelled") return "To have it after all, ask for a new one.";
  if (maybeCharged || PERHAPS_MADE.has(code)) {
    return "Trying again may make, and bill, the video a second time.";
  }
  if (retryable === true && retryAfterSeconds > 600) return ""; // the sentence says when it does
  if (retryable === true) return "Trying again may help.";
  if (retryable !== false) return "";
  return NOT_AS_THINGS_ARE[code] ?? "Trying again unchanged will not help.";
}

export const TRIED_AGAIN = "This video was tried again.";

/** Whether there is something to try again, and nobody has done it yet. */
export function canTryAgain({ read, video: { status, retriedAs } }) {
  // Only a record tells a failure from an unknown outcome; a result says "error" to both.
  return Boolean(read) && !retriedAs && ["failed", "expired", "unknown"].includes(status);
}

/** Whether the API makes a video again only for somebody who accepts a second charge. */
export const needsConsent = ({ status }) => status === "unknown";

export const DOUBLE_CHARGE = {
  warning: "You may be charged twice.",
  reason: "The provider may have made this video already. Trying again asks for another one.",
  consent: "Accept and try again",
};

/** What is said of a wish that the API did not answer as hoped. */
export function sentenceOf({ status, passing, message }) {
  if (status === 0) return `${message} Trying once more is safe: nothing happens twice.`;
  return passing ? `${message} Try again in a minute.` : message;
}

/** How a video stands, in a few words. */
export function stateOf(entry) {
  const { video: { status, error }, refusal } = entry;
  if (phaseOf(entry) !== "error") return STATES[status] ?? "Under way";
  const otherwise = error || !refusal ? STATES[status] ?? "Failed" : "State not known";
  return REASONS[(error ?? refusal)?.code] ?? otherwise;
}

/** What keeps the page from asking about a video, empty if nothing does. */
export function troubleOf({ trouble, failures }, attempt = failures) {
  if (!trouble) return "";
  if (trouble.wantsKey) return "Waiting for an API key";
  const what = trouble.status === 0 ? "Connection lost" : "The service is not answering properly";
  return attempt > 1 ? `${what}, trying again (attempt ${attempt})` : `${what}, trying again`;
}

/** The trouble if there is some, else the state: words that stay the same from try to try. */
export const standingOf = (entry) => troubleOf(entry, 1) || stateOf(entry);

/** What an error says of money: empty where it cost nothing, or that is not known. */
export function chargedOf({ status, maybeCharged, retriedAs }) {
  if (!maybeCharged) return "";
  const charged = "You may have been charged for this attempt.";
  return retriedAs || status === "cancelled"
    ? charged
    : `${charged} Check with the provider before you start it again.`;
}

/** What the list adds to how a video stands. */
export function remarkOf({ maybeCharged, retriedAs }) {
  if (retriedAs) return "tried again";
  return maybeCharged ? "perhaps charged" : "";
}

/** What is known of a video besides its prompt. */
export function factsOf({ model, seconds, size, status, maybeCharged, costUsd, retryOf }) {
  const free = maybeCharged === false && ["failed", "cancelled"].includes(status);
  const price = free ? "not charged" : costOf(costUsd);
  return [model, seconds && `${seconds} s`, size, price, retryOf && "another try"].filter(Boolean);
}

/** A price in US dollars, null where it is not known. */
export function costOf(usd) {
  if (typeof usd !== "number") return null;
  if (usd === 0) return "free";
  return usd < 0.01 ? "under US$0.01" : `US$${usd.toFixed(2)}`;
}
