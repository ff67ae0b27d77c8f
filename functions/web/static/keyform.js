// The form that asks for an API key, and the way to have it forgotten. At home neither is seen.

import { Trouble, listVideos } from "./api.js";
import { announce, label, onPress, write } from "./elements.js";
import {
  forget, heldKey, isRemembered, keepKey, onKeyGranted, onKeyWanted, tryKey,
} from "./key.js";

const find = (id) => document.getElementById(id);
const section = find("key");
const form = find("key-form");
const field = find("key-field");
const show = find("key-show");
const remember = find("key-remember");
const use = find("key-use");
const fault = find("key-fault");
const kept = find("key-kept");

const REFUSED = "This key was refused. It may be mistyped, or revoked.";

function complain(sentence) {
  write(fault, sentence);
  field.ariaInvalid = sentence ? "true" : null;
  if (sentence) announce(sentence);
}

function reveal(visible) {
  field.type = visible ? "text" : "password";
  show.ariaPressed = String(visible);
}

function showKept() {
  kept.hidden = !heldKey();
  const where = isRemembered() ? "remembered on this device" : "kept for this tab";
  write(find("key-where"), `API key ${where}`);
}

onKeyWanted((hadOne) => {
  section.hidden = false;
  complain(hadOne ? REFUSED : "");
  if (!hadOne) announce("Actionreel asks for an API key.");
  // Who is writing a message is not interrupted.
  if (document.activeElement === document.body) field.focus();
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (use.ariaDisabled) return;
  const key = field.value.trim();
  if (!/^[\x21-\x7e]+$/.test(key)) {
    complain(key ? "A key has no spaces or accents in it. Copy it whole." : "Enter a key first.");
    field.focus();
    return;
  }
  label(use, "Trying it…", true);
  complain("");
  try {
    tryKey(key);
    await listVideos();
    keepKey(remember.checked);
  } catch (trouble) {
    if (!(trouble instanceof Trouble)) throw trouble;
    forget();
    complain(trouble.wantsKey ? REFUSED : `${trouble.message} Try again in a minute.`);
    showKept();
    field.focus();
  } finally {
    label(use, "Use this key");
  }
});

onKeyGranted(() => {
  field.value = "";
  reveal(false);
  section.hidden = true;
  showKept();
  announce("The key works.");
  find("message").focus();
});

onPress(show, () => reveal(field.type === "password"));
field.addEventListener("input", () => complain(""));

onPress(find("key-forget"), () => {
  forget();
  location.reload(); // nothing that the key had shown stays in sight
});

showKept();
