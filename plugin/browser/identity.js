// Tells each trusted portal which device this is, so that it binds its documents to this device and
// a stolen one is of no use. The host is asked for the names; the browser sets the header by rules
// of this session, which are in no file. Each portal gets the name this device has towards it, and
// no other: two portals cannot find out that they serve the same device.
import { HOST } from "./host.js";

const HEADER = "Handfast-Device";
const THUMBPRINT = /^[\w-]{43}$/;
const FRESH_FOR = 60_000; // milliseconds, in which another visit asks nothing

const rules = chrome.declarativeNetRequest;

let origins = new Set();
let asking = null; // the question that is under way
let askedAt = -Infinity;

export function introduceTo(portals) {
  origins = portals;
  if (origins.size === 0) return;
  chrome.runtime.onMessage.addListener(whenIntroduced);
  introduceFirst();
}

async function introduceFirst() {
  if ((await rules.getSessionRules()).length === 0) await renew();
}

// A page of a portal has begun and may soon want a document: its forms wait for the answer.
function whenIntroduced({ type }, _sender, answer) {
  if (type !== "introduce") return false;
  renew().finally(() => answer({ type: "introduced" }));
  return true; // The answer comes later.
}

async function renew() {
  if (asking !== null || Date.now() - askedAt > FRESH_FOR) await learn();
}

// The first activation makes a name that was not there, and a failed one may have used an old name.
export async function activated(origin, hasWorked) {
  if (!hasWorked || !(await isKnownTo(origin))) await learn();
}

async function learn() {
  asking ??= ask()
    // A host that does not answer has not said that the names have changed.
    .then((identities) => identities && setRules(identities))
    .finally(() => {
      asking = null;
      askedAt = Date.now();
    });
  await asking;
}

function ask() {
  return new Promise((resolve) => {
    const port = chrome.runtime.connectNative(HOST);
    port.onMessage.addListener(({ type, identities }) => {
      resolve(type === "identities" ? identities : null);
      port.disconnect();
    });
    port.onDisconnect.addListener(() => {
      void chrome.runtime.lastError; // A host that is missing is told when a document comes.
      resolve(null);
    });
    port.postMessage({ type: "identities" });
  });
}

async function setRules(identities) {
  const known = Object.entries(identities).filter(
    ([issuer, thumbprint]) => origins.has(issuer) && THUMBPRINT.test(thumbprint),
  );
  const old = await rules.getSessionRules();
  await rules.updateSessionRules({
    removeRuleIds: old.map(({ id }) => id),
    addRules: known.map(([issuer, thumbprint], index) => rule(index + 1, issuer, thumbprint)),
  });
}

function rule(id, issuer, thumbprint) {
  return {
    id,
    action: {
      type: "modifyHeaders",
      requestHeaders: [{ header: HEADER, operation: "set", value: thumbprint }],
    },
    condition: {
      urlFilter: addressOf(issuer),
      isUrlFilterCaseSensitive: true,
      requestMethods: ["post"],
      resourceTypes: ["main_frame", "sub_frame"],
    },
  };
}

async function isKnownTo(origin) {
  const current = await rules.getSessionRules();
  return current.some(({ condition }) => condition.urlFilter === addressOf(origin));
}

// The bars stand for both ends of the address.
function addressOf(issuer) {
  return `|${issuer}/activations|`;
}
