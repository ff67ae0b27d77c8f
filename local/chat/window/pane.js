// The pane of the messages: its end stays in sight, unless somebody reads further up.

const [pane, lists, latest] = ["pane", "lists", "latest"].map((id) => document.getElementById(id));
let following = true;
let before = { top: 0, height: 0 };

/** At once: while it glides, what arrives would look as if somebody read further up. */
export function toLatest() {
  follow(true);
  pane.scrollTop = pane.scrollHeight;
}

function follow(now) {
  following = now;
  latest.hidden = now;
}

// Messages that come and go move what is in sight, too. Who reads further up moves it upwards, and
// nothing else has changed.
pane.addEventListener("scroll", () => {
  const { scrollTop: top, scrollHeight: height } = pane;
  if (height - pane.clientHeight - top < 80) follow(true);
  else if (top < before.top && height === before.height) follow(false);
  before = { top, height };
}, { passive: true });
new ResizeObserver(() => following && toLatest()).observe(lists);
new ResizeObserver(() => following && toLatest()).observe(pane);
latest.addEventListener("click", toLatest);
