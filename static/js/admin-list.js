// Shows how far a list of people is: short polling, and the page anew once its state changes.
"use strict";

const EVERY = 700;
const moving = document.getElementById("moving");

const show = ({ done, lines, text }) => {
  const progress = moving.querySelector("progress");
  progress.max = lines || 1;
  progress.value = done;
  progress.nextElementSibling.textContent = text;
};

const poll = async () => {
  try {
    const answer = await fetch(moving.dataset.status, { headers: { Accept: "application/json" } });
    if (!answer.ok) return location.reload();
    const status = await answer.json();
    if (!status.working || status.state !== moving.dataset.state) return location.reload();
    show(status);
  } catch {
    // The network may come back; the next poll finds out.
  }
  setTimeout(poll, EVERY);
};

if (moving) setTimeout(poll, EVERY);
