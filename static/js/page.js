// What every page does beyond its HTML: copy buttons, the end of the session, focus on errors.
"use strict";

for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.querySelector("span");
    const before = label.textContent;
    label.textContent = document.body.dataset.copied;
    setTimeout(() => { label.textContent = before; }, 2000);
  });
}

const summary = document.getElementById("error-summary");
if (summary) summary.focus();

// Relative times stay right while a page lies open; the exact one is shown on hover.
const UNITS = [["week", 604_800], ["day", 86_400], ["hour", 3600], ["minute", 60]];
const fast = Date.now() - (Date.parse(document.body.dataset.now) || Date.now());
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang);
setInterval(() => {
  for (const time of document.querySelectorAll("time")) {
    const away = (Date.parse(time.dateTime) - Date.now() + fast) / 1000;
    const [unit, size] = UNITS.find(([, size]) => Math.abs(away) >= size) ?? [];
    // Months and years do not change while somebody looks.
    if (unit && Math.abs(away) < 4 * 604_800) {
      time.textContent = relative.format(Math.round(away / size), unit);
    }
  }
}, 60_000);

// The session may end while a page lies open; that is said five minutes before.
const notice = document.getElementById("session-notice");
if (notice?.hidden) {
  const left = Number(notice.dataset.secondsLeft) - 5 * 60;
  setTimeout(() => {
    notice.setAttribute("role", "alert");
    notice.hidden = false;
  }, left * 1000);
}
