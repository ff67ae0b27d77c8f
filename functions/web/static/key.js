// The API key that requests carry, where Actionreel asks for one. It goes into a header alone.

const NAME = "actionreel.key";
const STORES = ["sessionStorage", "localStorage"]; // for this tab, or on this device

let { key: held, store } = stored();
let wanted = false; // whether requests wait for a key, or for a better one
const onWant = new Set();
const onGrant = new Set();

export const heldKey = () => held;
export const isRemembered = () => store === "localStorage";
export const isKeyWanted = () => wanted;

/** Call `listener` when requests begin to need another key, with whether there was one. */
export const onKeyWanted = (listener) => onWant.add(listener);

/** Call `listener` when there is a key that works. */
export const onKeyGranted = (listener) => onGrant.add(listener);

/** Note that a request with that key (null: without one) was not let in. */
export function refuseKey(key) {
  if (key !== held || wanted) return; // another one is being used by now, or it is known
  wanted = true;
  for (const listener of onWant) listener(key !== null);
}

/** Have requests carry this key from now on; it is kept nowhere until it is known to work. */
export function tryKey(key) {
  forget();
  held = key;
}

/** Keep the key, which works: on this device, or else for as long as this tab is open. */
export function keepKey(remember) {
  wanted = false;
  store = STORES[Number(remember)];
  reach(store, (one) => one.setItem(NAME, held));
  for (const listener of onGrant) listener();
}

export function forget() {
  for (const name of STORES) reach(name, (one) => one.removeItem(NAME));
  held = store = null;
}

function stored() {
  for (const name of STORES) {
    const key = reach(name, (one) => one.getItem(NAME));
    if (key) return { key, store: name };
  }
  return { key: null, store: null };
}

/** What `act` gives for a store of the browser; null where the reader has switched it off. */
function reach(name, act) {
  try {
    return act(window[name]);
  } catch {
    return null;
  }
}
