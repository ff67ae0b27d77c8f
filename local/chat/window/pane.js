// The pane of the messages: its end stays in sight, unless somebody reads further up.

const [pane, lists, latest] = ["pane", "lists", "latest"].map((id) => document.getElementById(id));
let following = true;

/** At once: while it glides, what arrives would look as if somebody read further up. */
export function toLatest() {
  following = true;
  pane.scrollTop = pane.scrollHeight;
  latest.hidden = true;
}

pane.addEventListener("scroll", () => {
  const below = pane.scrollHeight - pane.clientHeight - pane.scrollTop;
  following = below < 80;
  latest.hidden = following;
}, { passive: true });
new ResizeObserver(() => following && toLatest()).observe(lists);
new ResizeObserver(() => following && toLatest()).observe(pane);
latest.addEventListener("click", toLatest);
