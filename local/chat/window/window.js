// The window: its rooms, what is in them, and the box to write in.

import { Trouble, ask, post } from "./api.js";
import { element, messageView, write } from "./message.js";
import { toLatest } from "./pane.js";

const PAUSE = 700; // milliseconds between two looks into the room
const find = (id) => document.getElementById(id);
const [box, send, notice, gone] = ["text", "send", "notice", "gone"].map(find);

const NAMES = { slack: "Slack", discord: "Discord", telegram: "Telegram" };
const nameOf = (room) => NAMES[room] ?? room.charAt(0).toUpperCase() + room.slice(1);

const EXAMPLES = [
  ["Paper boat", "/video a paper boat in the rain --seconds 4"],
  ["Lighthouse", "/video a lighthouse in a storm --portrait"],
  ["One that fails", "/video a broken projector [fail:server]"],
];

// ---- rooms

const rooms = new Map(); // by name: { name, tab, list, views, tag }
let room = null; // the one that is open

const addressOf = (name) => `/rooms/${encodeURIComponent(name)}`;

function addRoom(name) {
  const tab = element("button", { type: "button", role: "tab", id: `tab-${name}`,
    textContent: nameOf(name), ariaSelected: "false", tabIndex: -1 });
  tab.dataset.room = name;
  tab.setAttribute("aria-controls", "room");
  tab.addEventListener("click", () => open(name));
  const list = element("ol", { className: "messages", role: "list", hidden: true });
  rooms.set(name, { name, tab, list, views: new Map(), tag: null });
  find("tabs").append(tab);
  find("lists").append(list);
}

function open(name) {
  if (room?.name === name) return;
  room = rooms.get(name);
  for (const { tab, list } of rooms.values()) {
    const chosen = tab === room.tab;
    tab.ariaSelected = String(chosen);
    tab.tabIndex = chosen ? 0 : -1;
    list.hidden = !chosen;
  }
  document.body.dataset.room = name;
  document.title = `${nameOf(name)} · Actionreel chat`;
  history.replaceState(null, "", `#${name}`);
  find("room").setAttribute("aria-labelledby", room.tab.id);
  write(find("played"), `This window plays ${nameOf(name)} on this machine. `
    + `Nothing is sent to ${nameOf(name)}.`);
  write(notice, "");
  toLatest();
  look();
}

find("tabs").addEventListener("keydown", ({ key, target }) => {
  const names = [...rooms.keys()];
  const at = names.indexOf(target.dataset.room);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[key];
  if (to === undefined || at < 0) return;
  const name = names.at(to % names.length);
  open(name);
  rooms.get(name).tab.focus();
});

// ---- messages

const quoteOf = (messages, at) => {
  const { thread } = messages[at];
  const before = messages[at - 1];
  // An answer right below what it answers needs no quotation.
  if (!thread || before?.id === thread || before?.thread === thread) return "";
  return messages.find(({ id }) => id === thread)?.text ?? "";
};

function show(target, messages) {
  const { list, views } = target;
  const fresh = target.tag === null;
  const last = list.lastElementChild?.dataset.messageId;
  const present = new Set(messages.map(({ id }) => id));
  for (const [id, { node }] of views) {
    if (present.has(id)) continue;
    node.remove();
    views.delete(id);
  }
  messages.forEach((message, at) => {
    let view = views.get(message.id);
    if (!view) {
      const path = `${addressOf(target.name)}/messages/${encodeURIComponent(message.id)}/press`;
      view = messageView(message, (value) => act(() => post(path, { value })));
      views.set(message.id, view);
    }
    const before = view.shown();
    view.show(message, quoteOf(messages, at));
    if (list.children[at] !== view.node) list.insertBefore(view.node, list.children[at] ?? null);
    if (!fresh) announce(message, before);
  });
  if (messages.at(-1)?.id !== last) for (const { free } of views.values()) free();
  find("welcome").hidden = messages.length > 0;
}

/** Says what is new to those who listen: an answer, a video, an outcome; never a tick. */
function announce(message, before) {
  if (message.author === "you" || message.pending) return;
  const isNew = !before.id || before.pending;
  const film = message.video && !before.video ? `Video: ${message.filename || "ready"}.` : "";
  const outcome = (before.buttons ?? []).length !== message.buttons.length;
  const words = isNew || outcome || film ? `${message.text} ${film}`.trim() : "";
  if (!words) return;
  const log = find("announcer");
  log.append(element("p", { textContent: `Actionreel: ${words}` }));
  if (log.childElementCount > 4) log.firstElementChild.remove();
}

// ---- looking into the room

let timer;
let looks = 0;

async function look() {
  clearTimeout(timer);
  if (document.hidden) return;
  const mine = (looks += 1);
  const target = room;
  try {
    if (!target) {
      await enter();
    } else {
      const headers = target.tag ? { "if-none-match": target.tag } : {};
      const { answer, body } = await ask(addressOf(target.name), { headers }, 10);
      if (mine !== looks) return; // a later look is on its way
      if (body) {
        show(target, body.messages);
        target.tag = answer.headers.get("etag");
      } else {
        find("welcome").hidden = target.views.size > 0;
      }
    }
    write(gone, "");
  } catch (trouble) {
    if (!(trouble instanceof Trouble)) throw trouble;
    if (mine !== looks) return;
    write(gone, trouble.status ? trouble.message
      : `${trouble.message} This window goes on as soon as it runs again.`);
  }
  if (mine === looks) timer = setTimeout(look, PAUSE);
}

async function enter() {
  const { body } = await ask("/rooms", {}, 10);
  if (rooms.size) return;
  body.rooms.forEach(addRoom);
  const wanted = decodeURIComponent(location.hash.slice(1));
  open(rooms.has(wanted) ? wanted : body.rooms[0]);
}

document.addEventListener("visibilitychange", look);

// ---- writing

async function act(request) {
  write(notice, "");
  try {
    await request();
  } catch (trouble) {
    write(notice, trouble.status ? trouble.message : "Nobody answered that.");
    throw trouble;
  } finally {
    look();
  }
}

let sending = false;

async function submit() {
  const text = box.value;
  if (sending || !room || !text.trim()) return;
  sending = true;
  send.ariaDisabled = "true";
  box.value = "";
  toLatest();
  try {
    const sent = act(() => post(addressOf(room.name), { text }));
    look(); // what was written is in the room before it is answered
    await sent;
  } catch {
    box.value ||= text; // nothing that was written gets lost
  } finally {
    sending = false;
    send.ariaDisabled = null;
  }
}

find("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
box.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!event.repeat) submit();
});

find("examples").append(...EXAMPLES.map(([textContent, text]) => {
  const chip = element("button", { type: "button", textContent, title: text });
  chip.addEventListener("click", () => {
    box.value = text;
    box.focus();
  });
  return chip;
}));

look();
