// Holds the form that asks for a document until its portal can be told which device this is. Right
// after the browser's start the host has not said it yet, and a document that names no device is
// good for whoever takes it. A form is held for a moment only: then it goes as it is, and the
// portal asks its owner whose device it was.
"use strict";

const LONGEST_HOLD = 5000; // milliseconds from the page's beginning

let holding = false;
let held = null; // the form that was sent meanwhile, its button, and the words below it

hold();
// A page that comes back from the browser's memory may be old.
addEventListener("pageshow", (event) => {
  if (event.persisted) hold();
});
// In the capturing phase, before any script of the page: it hears of the form when it goes.
addEventListener("submit", keep, true);

async function hold() {
  holding = true;
  await Promise.race([introduction(), new Promise((go) => setTimeout(go, LONGEST_HOLD))]);
  holding = false;
  letGo();
}

async function introduction() {
  try {
    await chrome.runtime.sendMessage({ type: "introduce" });
  } catch {
    // The extension was replaced or removed since: nobody is left to wait for.
  }
}

function keep(event) {
  if (!holding || !asksForDocument(event)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  // Pressing again makes no second document.
  held ??= { form: event.target, button: event.submitter, words: wordsBelow(event.target) };
}

function letGo() {
  if (held === null) return;
  const { form, button, words } = held;
  held = null;
  words.remove();
  form.requestSubmit(button?.form === form ? button : null);
}

function asksForDocument({ target: form, submitter }) {
  const asks = (own, ofForm) => submitter?.getAttribute(own) ?? form.getAttribute(ofForm) ?? "";
  const address = new URL(asks("formaction", "action"), document.baseURI).href;
  const method = asks("formmethod", "method").toLowerCase();
  return method === "post" && address === `${location.origin}/activations`;
}

function wordsBelow(form) {
  const words = document.createElement("p");
  words.setAttribute("role", "status");
  words.lang = chrome.i18n.getMessage("language");
  words.dir = chrome.i18n.getMessage("direction");
  form.append(words);
  // A change is read out; what a new element already says is not, everywhere.
  words.textContent = chrome.i18n.getMessage("form_held");
  return words;
}
