// One activation document on its way from a frame to the native host and back.
import { HOST } from "./host.js";
import { activated } from "./identity.js";
import * as page from "./page.js";
import { Prompt } from "./prompt.js";

const LONGEST_DOCUMENT = 64 * 1024;

export class Job {
  #taking = null;
  #untrustedText = "";
  #abandoned = false;
  #giveUp = () => {};

  constructor({ tabId, frameId, documentId, parentDocumentId, origin }) {
    Object.assign(this, { tabId, frameId, documentId, parentDocumentId, origin });
  }

  // Reads the document out of its frame at once: from here on it is only in this worker's memory.
  take() {
    this.#taking = page.takeText(this, chrome.i18n.getMessage("frame_waiting"));
  }

  async turnAway() {
    await page.takeText(this, chrome.i18n.getMessage("error_busy"));
    await page.end(this, failure("busy"));
  }

  // The person left the page. While undecided that is a refusal; later the host just goes on.
  abandon() {
    this.#abandoned = true;
    this.#giveUp();
  }

  async run() {
    this.#untrustedText = await this.#taking;
    const outcome = await this.#outcome();
    this.#untrustedText = "";
    this.#taking = null;
    if (!this.#abandoned) await page.end(this, outcome);
    if (outcome.stage !== "refused") activated(this.origin, outcome.stage === "active");
  }

  async #outcome() {
    if (this.#abandoned || !(await page.isThere(this))) {
      this.#abandoned = true;
      return { stage: "refused" };
    }
    if (this.#untrustedText.length === 0) return failure("unreadable");
    if (this.#untrustedText.length > LONGEST_DOCUMENT) return failure("too_large");
    return this.#converse();
  }

  // connectNative and not sendNativeMessage: the open port keeps this worker alive while the
  // person thinks.
  #converse() {
    return new Promise((resolve) => {
      const port = chrome.runtime.connectNative(HOST);
      let prompt = null;
      let over = false;
      const finish = (outcome, leaveHost = false) => {
        if (over) return;
        over = true;
        this.#giveUp = () => {};
        if (!prompt?.decided) prompt?.close();
        if (!leaveHost) port.disconnect();
        resolve(outcome);
      };
      const decide = (allowed) => {
        if (over) return;
        this.#giveUp = () => {};
        port.postMessage({ type: allowed ? "allow" : "refuse" });
      };
      // Closing the port is the end of the host's input, which it takes as a refusal.
      this.#giveUp = () => finish({ stage: "refused" });
      port.onDisconnect.addListener(() => finish(lostHost(chrome.runtime.lastError)));
      port.onMessage.addListener((message) => {
        if (message.type === "consent" && prompt === null) {
          prompt = new Prompt(message.request);
          prompt.answer.then(decide, () => finish(failure("no_window")));
          page.tell(this, { stage: "asking" });
        } else if (message.type === "progress") {
          page.tell(this, { stage: message.stage });
        } else {
          // After "done" the host finishes what an earlier start left, and ends by itself: a closed
          // port would have it killed in the middle.
          finish(lastWord(message), message.type === "done");
        }
      });
      port.postMessage({ type: "document", document: this.#untrustedText, origin: this.origin });
    });
  }
}

function lastWord(message) {
  if (message.type === "done") return { stage: "active" };
  if (message.type === "refused") return { stage: "refused" };
  if (message.type === "error") {
    const { code, message: what, hint } = message;
    return { stage: "error", code, message: sentence(what), hint: sentence(hint) };
  }
  return failure("host_spoke_oddly");
}

function lostHost(error) {
  // The browser's text is the only sign that tells a host that is not there from one that ended.
  const absent = /not found|forbidden/i.test(error?.message ?? "");
  return failure(absent ? "host_missing" : "host_lost");
}

// The handler speaks as on a terminal: lower case, no period. A page wants a sentence.
function sentence(words) {
  const said = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$|^$/.test(said) ? said : `${said}.`;
}

function failure(name) {
  return {
    stage: "error",
    code: name,
    message: chrome.i18n.getMessage(`error_${name}`),
    hint: chrome.i18n.getMessage(`hint_${name}`),
  };
}
