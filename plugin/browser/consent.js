// Shows who asks for what, and takes the person's answer. Closing the window is a refusal: the
// worker sees the connection end.
const ARMS_AFTER = 1000; // milliseconds; a window that jumps under the pointer must not be clicked

const text = (name, ...values) => chrome.i18n.getMessage(name, values);
const at = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });

let arming = null;
let until = Infinity;
let answered = false;

document.documentElement.lang = text("language");
document.documentElement.dir = text("direction");
document.title = text("consent_page_title");
for (const element of document.querySelectorAll("[data-text]")) {
  element.textContent = text(element.dataset.text);
}

const worker = chrome.runtime.connect();
worker.onMessage.addListener(({ type, request }) => {
  if (type === "request") show(request);
});
worker.onDisconnect.addListener(() => window.close());

at("refuse").addEventListener("click", () => answer("refuse"));
at("allow").addEventListener("click", (event) => {
  if (event.isTrusted && isArmed()) answer("allow");
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") answer("refuse");
});
// Coming back to the window arms it anew: a page could cover it and step aside mid-click.
window.addEventListener("focus", arm);

function answer(type) {
  if (answered) return;
  answered = true;
  disarm();
  at("refuse").setAttribute("aria-disabled", "true");
  at("said").textContent = text(`consent_said_${type}`);
  worker.postMessage({ type });
}

function show(request) {
  at("issuer").textContent = request.issuer.replace(/^https:\/\//, "");
  at("fingerprint").textContent = request.fingerprint;
  at("known-since").textContent = knownSince(request.known_since);
  at("accounts-label").textContent = text(
    request.accounts.length === 1 ? "consent_account" : "consent_accounts",
  );
  at("accounts").replaceChildren(...request.accounts.map(accountItem));
  at("device").textContent = request.device;
  until = request.until * 1000;
  at("until").textContent = clock.format(until);
  at("until").dateTime = new Date(until).toISOString();
  countDown();
  setInterval(countDown, 1000);
  at("title").focus();
  arm();
}

function accountItem({ address, services }) {
  const item = document.createElement("li");
  const name = document.createElement("strong");
  name.textContent = address;
  const list = document.createElement("ul");
  list.className = "services";
  list.append(...services.map(serviceItem));
  item.append(name, list);
  return item;
}

function serviceItem(service) {
  const item = document.createElement("li");
  item.textContent = text(`service_${service.replace(/\W/g, "_")}`) || service;
  return item;
}

function knownSince(seconds) {
  return seconds ? text("consent_known_since", day.format(seconds * 1000)) : "";
}

function countDown() {
  const seconds = Math.max(0, Math.round((until - Date.now()) / 1000));
  const minutes = Math.floor(seconds / 60);
  at("left").textContent =
    minutes > 0 ? text("consent_minutes_left", String(minutes)) : text("consent_seconds_left");
  if (seconds === 0) answer("refuse");
}

function arm() {
  disarm();
  if (answered) return;
  arming = setTimeout(() => at("allow").setAttribute("aria-disabled", "false"), ARMS_AFTER);
}

function disarm() {
  clearTimeout(arming);
  at("allow").setAttribute("aria-disabled", "true");
}

function isArmed() {
  return at("allow").getAttribute("aria-disabled") === "false";
}
