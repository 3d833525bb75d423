// Passkeys: ask the service what to ask the authenticator, ask it, and send the form with its answer.
"use strict";

const offers = document.querySelectorAll("form[data-passkey]");

function asJson(options, kind) {
  return kind === "create"
    ? PublicKeyCredential.parseCreationOptionsFromJSON(options)
    : PublicKeyCredential.parseRequestOptionsFromJSON(options);
}

function complain(form) {
  const told = document.createElement("div");
  told.className = "notice bad";
  told.tabIndex = -1;
  told.append(document.createElement("p"));
  told.firstChild.textContent = form.dataset.failed;
  document.getElementById("messages").replaceChildren(told);
  told.focus();
}

async function ask(form) {
  const kind = form.dataset.passkey;
  const answer = await fetch(form.dataset.options, {
    method: "POST", body: new FormData(form), headers: { Accept: "application/json" },
  });
  // Somewhere else first, such as to show again who one is.
  if (answer.redirected) return location.assign(answer.url);
  if (!answer.ok) throw new Error(answer.status);
  // A session that began with the question has a token of its own for this form.
  const token = answer.headers.get("Handfast-Form-Token");
  if (token) form.elements.csrf_token.value = token;
  const publicKey = asJson(await answer.json(), kind);
  const made = await navigator.credentials[kind]({ publicKey });
  form.elements.answer.value = JSON.stringify(made.toJSON());
  form.submit();
}

for (const form of offers) {
  const can = window.PublicKeyCredential?.parseRequestOptionsFromJSON;
  form.hidden = !can;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await ask(form);
    } catch {
      // The person said no, took too long, or has no passkey here; browsers do not say which.
      complain(form);
    } finally {
      button.disabled = false;
    }
  });
}
