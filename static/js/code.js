// Tells how a typed code stands: it asks every two seconds, and counts down in between.
"use strict";

const PAUSE = 2000;
const LONGEST_FETCH = 10 * 1000;

const standing = document.getElementById("code-standing");
const code = document.getElementById("code");
const countdown = standing.querySelector(".countdown");
let left = Number(countdown?.dataset.left ?? 0);

for (const way of standing.querySelectorAll(".without-script")) way.hidden = true;
if (countdown) {
  tick();
  setInterval(tick, 1000);
}
if (standing.dataset.status) setTimeout(ask, PAUSE);

function tick() {
  const minutes = Math.floor(left / 60);
  const seconds = String(left % 60).padStart(2, "0");
  countdown.textContent = countdown.dataset.text.replace("{time}", `${minutes}:${seconds}`);
  left = Math.max(0, left - 1);
}

async function ask() {
  let told = null;
  try {
    const answer = await fetch(standing.dataset.status, { signal: AbortSignal.timeout(LONGEST_FETCH) });
    if (answer.ok) told = await answer.json();
  } catch {
    // No network for a moment: the next question may get through.
  }
  if (told === null) {
    setTimeout(ask, 2 * PAUSE);
  } else if (told.over) {
    // What can be done now differs from stage to stage; the page without the code has it all.
    location.replace(standing.dataset.page);
  } else {
    show(told);
    setTimeout(ask, PAUSE);
  }
}

function show(told) {
  const text = standing.querySelector(".standing-text");
  if (text.textContent !== told.text) text.textContent = told.text;
  standing.querySelector(".standing-tries").textContent = told.tries;
  standing.dataset.stage = told.stage;
  left = told.left;
  if (code) code.classList.toggle("spent", told.stage !== "open");
}
