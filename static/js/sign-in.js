// Moves the sign-in along: short polling while the mail server is asked, then the last step.
"use strict";

const EVERY = 400;
const steps = document.getElementById("steps");

const show = (step) => {
  const items = [...steps.querySelectorAll("li")];
  const at = items.findIndex((item) => item.dataset.step === step);
  items.forEach((item, index) => {
    const state = index < at ? "done" : index === at ? "now" : "later";
    if (item.className === state) return;
    item.className = state;
    item.querySelector(".state").textContent = steps.dataset[state];
  });
};

const poll = async () => {
  try {
    const answer = await fetch(steps.dataset.status, { headers: { Accept: "application/json" } });
    if (!answer.ok) return location.reload();
    const { step, working } = await answer.json();
    if (!working) return location.reload();
    show(step);
  } catch {
    // The network may come back; the next poll finds out.
  }
  setTimeout(poll, EVERY);
};

if (steps) setTimeout(poll, EVERY);

const finish = document.getElementById("finish");
if (finish) finish.requestSubmit();
