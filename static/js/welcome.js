// The secret of a one-time link goes from the address into the form, and out of the history.
"use strict";

const field = document.getElementById("link");
if (location.hash.length > 1) {
  field.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}
if (field.value) {
  const box = field.closest(".field");
  box.hidden = true;
  document.getElementById("without-script").hidden = true;
  document.getElementById("with-script").hidden = false;
}
