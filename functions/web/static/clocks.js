// The clocks of the page: how long a video has been under way, and how old it is.

import { now } from "./api.js";

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

function ago(seconds) {
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? [];
  return unit ? RELATIVE.format(-Math.floor(seconds / length), unit) : "just now";
}

function elapsed(seconds) {
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  if (seconds >= 3600) parts.unshift(Math.floor(seconds / 3600));
  return parts.map((part, at) => (at ? String(part).padStart(2, "0") : part)).join(":");
}

const FORMATS = { elapsed, ago };
const startOf = ({ video, since }) => Date.parse(video.createdAt) || since;
const secondsSince = (moment) => Math.max(0, Math.floor((now() - moment) / 1000));

/** How long ago a video was asked for. */
export const ageOf = (entry) => secondsSince(startOf(entry));

function show(clock) {
  const text = FORMATS[clock.dataset.clock](secondsSince(Number(clock.dataset.since)));
  if (clock.textContent !== text) clock.textContent = text;
}

/** Make `clock` show, and go on showing, the age of a video: as "elapsed" (0:42) or "ago". */
export function setClock(clock, format, entry) {
  Object.assign(clock.dataset, { clock: format, since: startOf(entry) });
  show(clock);
}

setInterval(() => document.querySelectorAll("[data-clock]").forEach(show), 1000);
