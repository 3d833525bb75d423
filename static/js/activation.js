// Sends "Activate this device" into the hidden frame and tells how it goes, by short polling.
// What the bridge says (the "handfast" event) is a hint only: the portal is asked for the truth.
"use strict";

const FIRST_WAIT = 100;
const LONGEST_WAIT = 4000;
const PATIENT_AFTER = 10 * 60 * 1000;
const PATIENT_WAIT = 30 * 1000;
const GIVE_UP_AFTER_LOAD = 3000;
const LONGEST_FETCH = 10 * 1000;
const ORDER = ["issued", "taken", "agreed", "active"];
const FINAL = new Set(["active", "unconfirmed", "revoked", "expired", "dead"]);

const panel = document.getElementById("progress");
const part = (name) => panel.querySelector(name);
const title = part("#progress-title");
const text = part(".progress-text");
const hint = part(".progress-hint");
const result = part(".result");
const frame = document.querySelector("iframe[name=activation-frame]");
const notYou = part(".whose-is-it").cloneNode(true);

let run = null;

for (const form of document.querySelectorAll("form.activate")) {
  form.addEventListener("submit", (event) => submit(form, event));
}

document.addEventListener("handfast", (event) => {
  if (!run) return;
  const told = event.detail ?? {};
  if (told.stage === "refused") {
    run.giveUp(text.dataset.refused);
    title.textContent = title.dataset.refused;
  } else if (told.stage === "error") {
    run.giveUp(sentence(told.message ?? text.dataset.dead), sentence(told.hint ?? ""));
  } else if (told.stage === "agreed") {
    mark("agreed");
  }
  run.askNow();
});

// A page that was opened while the activation is still open goes on by itself.
if (panel.dataset.status && !FINAL.has(panel.dataset.stage)) {
  run = follow(panel.dataset.status);
}

function submit(form, event) {
  // A code to type is a page of its own.
  if (event.submitter?.hasAttribute("formaction")) return;
  if ("keep" in form.dataset) {
    // A document of its own: it opens outside of this page, which only watches.
    restart(form.dataset.status);
    return;
  }
  const error = form.querySelector(".choose");
  const first = form.querySelector("input[name=service]");
  error.hidden = form.querySelector("input[name=service]:checked") !== null;
  if (!error.hidden) {
    event.preventDefault();
    first.focus();
    return;
  }
  form.target = frame.name;
  frame.addEventListener("load", () => run?.answered(), { once: true });
  // A second press would make a second document, which kills the first. The form is sent first.
  setTimeout(() => setBusy(true));
  restart(form.dataset.status);
}

function setBusy(isBusy) {
  for (const button of document.querySelectorAll("form.activate:not([data-keep]) button")) {
    button.disabled = isBusy;
  }
}

// A page that comes back from the browser's memory is ready again.
addEventListener("pageshow", (event) => { if (event.persisted) setBusy(false); });

function restart(url) {
  run?.stop();
  panel.hidden = false;
  if (FINAL.has(panel.dataset.stage)) panel.dataset.stage = "none";
  part(".steps").hidden = false;
  result.hidden = true;
  part(".whose-is-it").replaceWith(notYou.cloneNode(true));
  hint.hidden = true;
  part(".progress-page").hidden = true;
  title.textContent = title.dataset.running;
  text.textContent = text.dataset.sending;
  for (const step of panel.querySelectorAll("[data-step]")) {
    step.className = step.dataset.step === "issued" ? "now" : "";
  }
  panel.focus();
  run = follow(url);
}

function follow(url) {
  let givenUp = false;
  let wait = FIRST_WAIT;
  let timer = 0;
  let stopped = false;
  let loadedAt = Infinity;
  let asking = false;
  let again = false;
  const startedAt = performance.now();

  const later = () => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(ask, wait);
    // Quick for the first two seconds, then calmer.
    const longest = performance.now() - startedAt > PATIENT_AFTER ? PATIENT_WAIT : LONGEST_WAIT;
    wait = Math.min(longest, wait < 200 ? wait + 5 : wait * 1.4);
  };
  async function ask() {
    if (asking) { again = true; return; }
    asking = true;
    const status = await fetchStatus(url);
    asking = false;
    if (stopped) return;
    if (again) { again = false; wait = FIRST_WAIT; }
    const hasWaited = performance.now() - loadedAt > GIVE_UP_AFTER_LOAD;
    // The device gave up, so only the end is still news.
    if (status && givenUp && !FINAL.has(status.stage)) wait = LONGEST_WAIT;
    else if (status && show(status, hasWaited)) stopped = true;
    if (!stopped) later();
  }
  ask();
  return {
    giveUp(sentence, next) { givenUp = true; fail(sentence, next); },
    askNow() { wait = FIRST_WAIT; clearTimeout(timer); ask(); },
    answered() { loadedAt = performance.now(); this.askNow(); },
    stop() { stopped = true; clearTimeout(timer); },
  };
}

async function fetchStatus(url) {
  try {
    const answer = await fetch(url, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (answer.status === 401 || answer.redirected) return { stage: "signed-out" };
    if (answer.ok) return await answer.json();
  } catch {
    // The network is away for a moment; the next round asks again.
  }
  text.textContent = text.dataset.lost;
  return null;
}

// Returns whether there is nothing more to ask.
function show(status, hasWaited) {
  if (status.stage === "signed-out") return fail(text.dataset.signedOut);
  if (status.stage === "none") return hasWaited ? fail(text.dataset.nothing) : false;
  if (status.stage === "waiting") return leadOn(status);
  if (status.stage === "expired" || status.stage === "dead") {
    return fail(text.dataset[status.stage]);
  }
  panel.hidden = false;
  mark(status.stage);
  showLink(status);
  say(text.dataset[status.confirm_by ? "unconfirmed" : status.stage]);
  if (status.stage !== "active") return false;
  finish(status);
  return true;
}

// No handler took the document: the activation's own page says how to go on.
function leadOn(status) {
  if (panel.dataset.stage === "waiting") return false;
  const link = part(".progress-page a");
  location.assign(link.dataset.pattern.replace("ID", encodeURIComponent(status.id)));
  return true;
}

function mark(stage) {
  const reached = ORDER.indexOf(stage);
  for (const step of panel.querySelectorAll("[data-step]")) {
    const place = ORDER.indexOf(step.dataset.step);
    step.className = place <= reached ? "done" : place === reached + 1 ? "now" : "";
    const mark = step.querySelector(".mark");
    mark.textContent = place <= reached ? mark.dataset.done : "";
  }
}

// On "Your account" the activation's own page is one step away while the device is awaited.
function showLink(status) {
  const place = part(".progress-page");
  const link = place.querySelector("a");
  link.href = link.dataset.pattern.replace("ID", encodeURIComponent(status.id));
  place.hidden = status.stage !== "issued" || !frame;
}

// The same sentence is not announced twice.
function say(sentence) {
  if (text.textContent !== sentence) text.textContent = sentence;
}

// What a device says is written for a terminal: in small letters and without a full stop.
function sentence(words) {
  const said = String(words);
  return said.charAt(0).toUpperCase() + said.slice(1) + (/[\p{L}\p{N}"”)]$/u.test(said) ? "." : "");
}

function fail(sentence, next = "") {
  setBusy(false);
  title.textContent = title.dataset.failed;
  part(".progress-page").hidden = true;
  say(sentence);
  hint.textContent = next;
  hint.hidden = !next;
  panel.querySelector("[data-step].now")?.setAttribute("class", "failed");
  return true;
}

function finish(status) {
  const list = part(".words-list");
  const names = JSON.parse(list.dataset.names);
  list.replaceChildren(...status.words.map(([service, ...words]) => {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.className = "soft";
    name.textContent = names[service] ?? service;
    const shown = document.createElement("span");
    shown.className = "words";
    shown.translate = false;
    shown.textContent = words.join(" ");
    item.append(name, shown);
    return item;
  }));
  part(".result-device").textContent = status.device;
  part(".result-address").textContent = status.address ?? "";
  part(".result-at").replaceChildren(moment(status.at * 1000));
  const revoke = part(".result-revoke");
  revoke.href = revoke.dataset.pattern.replace("ID", status.id);
  const ending = status.confirm_by ? "unconfirmed" : "active";
  title.textContent = title.dataset[ending];
  if (status.confirm_by) askWhose(status.id);
  result.hidden = false;
  panel.dataset.stage = ending;
  const help = document.getElementById("finish");
  if (help) help.hidden = true;
  // Pressed before it has a new ticket, the button would only show this result again.
  if (frame) renewAccounts().finally(() => setBusy(false));
  else setBusy(false);
}

// Anybody may have used this document: the activation's own page has the question and its form.
async function askWhose(id) {
  const mine = run;
  const link = part(".progress-page a");
  const fresh = await fetchPage(link.dataset.pattern.replace("ID", encodeURIComponent(id)));
  const asked = fresh?.querySelector(".whose-is-it");
  // Another activation may have begun meanwhile.
  if (!asked || run !== mine) return;
  part(".whose-is-it").replaceWith(asked);
  title.textContent = fresh.getElementById("progress-title").textContent;
}

// A moment as people say it, with the exact one on hover; page.js keeps it right.
function moment(milliseconds) {
  const time = document.createElement("time");
  time.dateTime = new Date(milliseconds).toISOString();
  time.title = new Intl.DateTimeFormat(document.documentElement.lang, {
    dateStyle: "long", timeStyle: "long",
  }).format(milliseconds);
  time.textContent = text.dataset.justNow;
  return time;
}

// The cards below still tell how it was before. What the person ticked stays as it is.
async function renewAccounts() {
  const fresh = await fetchPage(location.pathname);
  if (!fresh) return;
  for (const form of document.querySelectorAll("form.activate")) {
    const account = form.elements.account.value;
    const now = fresh.querySelector(`form.activate:has(input[value="${CSS.escape(account)}"])`);
    if (!now) continue;
    form.elements.ticket.value = now.elements.ticket.value;
    form.dataset.status = now.dataset.status;
    for (const box of form.querySelectorAll("input[name=service]")) {
      const same = now.querySelector(`input[name=service][value="${CSS.escape(box.value)}"]`);
      const told = same?.parentElement.querySelector(".service-text");
      if (told) box.parentElement.querySelector(".service-text").replaceWith(told);
    }
  }
}

async function fetchPage(path) {
  try {
    const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(LONGEST_FETCH) });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null; // They are right again when the page is next loaded.
  }
}
