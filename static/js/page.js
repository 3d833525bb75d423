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

// The session may end while a page lies open; that is said five minutes before.
const notice = document.getElementById("session-notice");
if (notice?.hidden) {
  const left = Number(notice.dataset.secondsLeft) - 5 * 60;
  setTimeout(() => {
    notice.setAttribute("role", "alert");
    notice.hidden = false;
  }, left * 1000);
}
