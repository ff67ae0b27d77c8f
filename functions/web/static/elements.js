// Make elements and fill them. All text goes in as text, so no text can become markup.

export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

export const quietButton = (textContent) =>
  element("button", { type: "button", className: "quiet", textContent });

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
  const log = document.getElementById("announcer");
  log.append(element("p", { textContent: text }));
  if (log.childElementCount > 4) log.firstElementChild.remove();
}
