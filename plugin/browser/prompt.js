// The consent window. It is a page of this extension, never of the portal: the page that wants the
// activation must not be able to draw, cover or press the button that allows it.
const WIDTH = 460;
const HEIGHT = 680;
const LINGER = 400; // milliseconds

let open = null; // the one prompt on the screen

export class Prompt {
  #id = crypto.randomUUID();
  #windowId = null;
  #settle = { resolve: null, reject: null };
  decided = false;

  constructor(request) {
    this.request = request;
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    open = this;
    this.#show();
  }

  isFor(port) {
    return port.sender?.url === chrome.runtime.getURL(`consent.html#${this.#id}`);
  }

  isIn(windowId) {
    return this.#windowId === windowId;
  }

  // The window stays for a moment, so that the person sees what the click did.
  decide(allowed) {
    if (this.decided) return;
    this.decided = true;
    if (open === this) open = null;
    this.#settle.resolve(allowed);
    setTimeout(() => this.close(), LINGER);
  }

  close() {
    if (open === this) open = null;
    this.#settle.resolve(false);
    if (this.#windowId === null) return;
    chrome.windows.remove(this.#windowId).catch(() => {}); // The person closed it first.
    this.#windowId = null;
  }

  async #show() {
    try {
      this.#windowId = await createWindow(`consent.html#${this.#id}`);
      if (open !== this) this.close(); // It was over before the window stood.
    } catch (error) {
      this.#settle.reject(error);
    }
  }
}

export function listenForAnswers() {
  chrome.runtime.onConnect.addListener((port) => {
    const prompt = open;
    if (!prompt?.isFor(port)) {
      port.disconnect();
      return;
    }
    port.onMessage.addListener(({ type }) => prompt.decide(type === "allow"));
    port.onDisconnect.addListener(() => prompt.decide(false));
    port.postMessage({ type: "request", request: prompt.request });
  });
  chrome.windows.onRemoved.addListener((windowId) => {
    if (open?.isIn(windowId)) open.decide(false);
  });
}

async function createWindow(url) {
  const wanted = { type: "popup", url, focused: true, width: WIDTH, height: HEIGHT };
  try {
    return (await chrome.windows.create({ ...wanted, ...(await middleOfBrowser()) })).id;
  } catch {
    // A place that is off the screen is an error to the browser: let it choose one itself.
    return (await chrome.windows.create(wanted)).id;
  }
}

async function middleOfBrowser() {
  const around = await chrome.windows.getLastFocused({ windowTypes: ["normal"] });
  return {
    left: Math.max(0, Math.round(around.left + (around.width - WIDTH) / 2)),
    top: Math.max(0, Math.round(around.top + (around.height - HEIGHT) / 2)),
  };
}
