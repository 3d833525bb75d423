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

// A command that is wider than its box scrolls, and the keyboard must get there; others need no stop.
const boxes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const box of document.querySelectorAll(".command, pre")) boxes.observe(box);

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
const renewal = notice?.querySelector("form");

function warnBefore(secondsLeft) {
  setTimeout(() => {
    notice.setAttribute("role", "alert");
    notice.hidden = false;
  }, (secondsLeft - 5 * 60) * 1000);
}

function tell(sentence, kind) {
  const told = document.createElement("div");
  told.className = `notice ${kind}`;
  told.tabIndex = -1;
  told.append(document.createElement("p"));
  told.firstChild.textContent = sentence;
  document.getElementById("messages").replaceChildren(told);
  return told;
}

async function renew(event) {
  event.preventDefault();
  let answer;
  try {
    answer = await fetch(renewal.action, {
      method: "POST", body: new FormData(renewal), headers: { Accept: "application/json" },
    });
  } catch {
    tell(notice.dataset.lost, "bad");
    return;
  }
  // What went wrong is told on a page of its own, such as the one to sign in again.
  if (!answer.ok) return renewal.submit();
  const { seconds_left: secondsLeft, is_final: isFinal } = await answer.json();
  for (const part of notice.querySelectorAll("[data-if]")) {
    part.hidden = (part.dataset.if === "final") !== isFinal;
  }
  notice.hidden = true;
  // The button that had the focus is gone.
  tell(notice.dataset.renewed, "good").focus();
  warnBefore(secondsLeft);
}

if (notice?.hidden) warnBefore(Number(notice.dataset.secondsLeft));
renewal?.addEventListener("submit", renew);
