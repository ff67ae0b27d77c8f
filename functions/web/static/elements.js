// Make elements and fill them. All text goes in as text, so no text can become markup.

export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

export const quietButton = (textContent) =>
  element("button", { type: "button", className: "quiet", textContent });

/** Do `act` when `button` is clicked, but not while it is busy; a double click is meant once. */
export function onPress(button, act) {
  button.addEventListener("click", ({ detail }) => {
    if (detail < 2 && !button.ariaDisabled) act();
  });
}

/** Label a button; while it is busy it keeps the focus, which one that is disabled would lose. */
export function label(button, text, busy = false) {
  write(button, text);
  button.ariaDisabled = busy ? "true" : null;
}

/** Make `change`; if that takes away what has the focus in `root`, then `root` has it. */
export function keepFocus(root, change) {
  const focused = document.activeElement;
  const inside = root !== focused && root.contains(focused);
  change();
  if (inside && !focused.checkVisibility()) root.focus({ preventScroll: true });
}

export function write(node, text) {
  node.hidden = !text;
  if (node.textContent !== text) node.textContent = text;
}

export function writeList(list, texts) {
  list.hidden = !texts.length;
  // Left alone when nothing changed, so that a reader's selection survives the polling.
  if (texts.join("\n") === [...list.children].map((item) => item.textContent).join("\n")) return;
  list.replaceChildren(...texts.map((textContent) => element("li", { textContent })));
}

export const progressBar = () => element("progress", { max: 100, ariaLabel: "Progress" });

export function setProgress(bar, progress) {
  if (typeof progress === "number") bar.value = progress;
  else bar.removeAttribute("value"); // indeterminate: the provider does not say
}

/** Give a screen the form of a picture, once its measures are known. */
export function shape(screen, width, height) {
  if (width > 0 && height > 0) screen.style.setProperty("--ratio", width / height);
}

/** The same, with the measures of a record: "1280x720", or null. */
export const shapeAs = (screen, size) => shape(screen, ...(size ?? "").split("x").map(Number));

let lastSaid = { text: "", at: 0 };

/** Say something to those who listen to the page: a change of state, never a tick. */
export function announce(text) {
  // One lost connection, or one video shown in two places, is one piece of news.
  if (text === lastSaid.text && Date.now() - lastSaid.at < 3000) return;
  lastSaid = { text, at: Date.now() };
  // While a dialog is open, nothing outside of it is heard.
  const log = document.querySelector("dialog[open] .heard") ?? document.getElementById("announcer");
  log.append(element("p", { textContent: text }));
  if (log.childElementCount > 4) log.firstElementChild.remove();
}
