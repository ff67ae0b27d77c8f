// One message in the window. All text goes in as text, so no text can become markup.

export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

export function write(node, text) {
  node.hidden = !text;
  if (node.textContent !== text) node.textContent = text;
}

const SPECIAL = /https?:\/\/[^\s<>"]+[^\s<>"'.,;:!?)\]}]|(?<!\S)--[a-z]+/g;
const ELSEWHERE = { target: "_blank", rel: "noopener noreferrer" };

/** The text in pieces: addresses on the web as links, options such as --seconds in one line, and
 * all else as it is. */
function pieces(text) {
  const made = [];
  let end = 0;
  for (const { 0: textContent, index } of text.matchAll(SPECIAL)) {
    const option = textContent.startsWith("--");
    if (!option && !URL.canParse(textContent)) continue;
    made.push(text.slice(end, index), option
      ? element("span", { className: "option", textContent })
      : element("a", { ...ELSEWHERE, href: textContent, textContent }));
    end = index + textContent.length;
  }
  return [...made, text.slice(end)];
}

function film({ video: src, filename }) {
  const name = filename || "video.mp4";
  const player = element("video", { src, controls: true, playsInline: true, preload: "metadata" });
  player.ariaLabel = name;
  player.addEventListener("loadedmetadata", () => {
    const { videoWidth, videoHeight } = player;
    if (videoHeight) player.style.setProperty("--ratio", videoWidth / videoHeight);
  });
  const save = element("a", { ...ELSEWHERE, href: src, download: name, textContent: "Save" });
  const trouble = element("span", { hidden: true });
  player.addEventListener("error", () => write(trouble, "This video cannot be played here."));
  return [player, element("p", {}, save, trouble)];
}

const dots = () =>
  element("span", { className: "dots", role: "img", ariaLabel: "Still writing", hidden: true },
    element("i"), element("i"), element("i"));

/**
 * The elements of a message. `press(value)` is called for a button and gives a promise; it is
 * pressed once: only when the message changes, `free()` is called or `press` fails, once more.
 */
export function messageView({ id, author }, press) {
  const quoted = element("p", { className: "quoted", dir: "auto", hidden: true });
  const who = author === "you" ? "You" : "Actionreel";
  const text = element("p", { className: "text", dir: "auto" });
  const waiting = dots();
  const heard = element("span", { className: "heard", textContent: `${who}: ` });
  const bubble = element("div", { className: "bubble" }, heard, text, waiting);
  const screen = element("div", { className: "film", hidden: true });
  const buttons = element("div", { className: "buttons", role: "group", ariaLabel: "Answers" });
  const meta = element("p", { className: "meta" });
  const node = element("li", { className: "message", tabIndex: -1 },
    quoted, bubble, screen, buttons, meta);
  node.dataset.author = author;
  node.dataset.messageId = id;
  let shown = {};
  let busy = false;

  function setBusy(now) {
    busy = now;
    // Not `disabled`: a button that is loses the focus, and the keyboard its place.
    for (const button of buttons.children) button.ariaDisabled = now ? "true" : null;
  }

  function button({ label, value }) {
    const made = element("button", { type: "button", textContent: label });
    made.addEventListener("click", () => {
      if (busy) return;
      setBusy(true);
      press(value).catch(() => setBusy(false));
    });
    return made;
  }

  /** Shows the message as it is now; what did not change is left alone, so nothing flickers. */
  function show(message, quote) {
    write(quoted, quote);
    const changed = (...keys) =>
      keys.some((key) => JSON.stringify(message[key]) !== JSON.stringify(shown[key]));
    if (changed("text", "buttons", "pending", "video")) setBusy(false);
    if (changed("text")) text.replaceChildren(...pieces(message.text));
    text.hidden = !message.text;
    waiting.hidden = !message.pending;
    bubble.hidden = !message.text && !message.pending;
    if (changed("video")) screen.replaceChildren(...(message.video ? film(message) : []));
    screen.hidden = !message.video;
    if (changed("buttons")) {
      const inside = buttons.contains(document.activeElement);
      buttons.replaceChildren(...message.buttons.map(button));
      if (inside) node.focus({ preventScroll: true }); // the keyboard is still here
    }
    buttons.hidden = !message.buttons.length;
    write(meta, message.onlyYou ? "Only you see this" : "");
    shown = message;
  }

  return { node, show, free: () => setBusy(false), shown: () => shown };
}
