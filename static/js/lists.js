// Lists by keyboard: "/" goes to the search, "j" and "k" from line to line. Who works with a voice
// or a switch may turn these keys off; the browser remembers it.
"use strict";

const OFF = "handfast-list-keys-off";
const search = document.getElementById("filter-q");
const lines = [...document.querySelectorAll("a[data-line]")];
const told = document.querySelector("[data-keys]");
const button = told?.querySelector("button");

function areOff() {
  try {
    return localStorage.getItem(OFF) !== null;
  } catch {
    return false;
  }
}

function show() {
  if (!told) return;
  told.hidden = false;
  button.textContent = areOff() ? button.dataset.on : button.dataset.off;
}

button?.addEventListener("click", () => {
  if (areOff()) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
  show();
});

function step(by) {
  const here = lines.indexOf(document.activeElement);
  const next = here < 0 ? 0 : Math.min(Math.max(here + by, 0), lines.length - 1);
  lines[next]?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || areOff()) return;
  if (event.target.closest("input, select, textarea, [contenteditable]")) return;
  if (event.key === "/") {
    event.preventDefault();
    search?.focus();
    search?.select();
  } else if (event.key === "j") {
    step(1);
  } else if (event.key === "k") {
    step(-1);
  }
});

show();
