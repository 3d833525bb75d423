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

const notice = document.getElementById("session-notice");
if (notice) {
  const endsAt = Number(notice.dataset.endsAt);
  const text = notice.querySelector("p");
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "short" });
  const check = () => {
    if (endsAt - Date.now() > 10 * 60 * 1000) return;
    if (!notice.hidden) return;
    for (const node of text.childNodes) {
      node.nodeValue &&= node.nodeValue.replace("%time%", clock.format(endsAt));
    }
    notice.hidden = false;
    notice.setAttribute("role", "alert");
  };
  check();
  setInterval(check, 30 * 1000);
}
