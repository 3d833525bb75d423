// Everything the bridge does to the portal's pages: take a document out of its frame, say how it
// goes, and leave something readable behind.

// The ISOLATED world, because a sandboxed document has no other that a script may enter.
export async function takeText(job, leaveBehind) {
  const text = await inFrame(job, replaceText, [[leaveBehind], null]);
  return typeof text === "string" ? text : "";
}

// The frame still holds the document, and the page around it belongs to the same portal.
export async function isThere(job) {
  const frame = await frameOf(job.tabId, job.documentId);
  if (frame === null) return false;
  if (job.parentDocumentId === null) return true;
  const parent = await frameOf(job.tabId, job.parentDocumentId);
  return parent !== null && new URL(parent.url).origin === job.origin;
}

// A hint for the page, nothing more: any script there could have made the same event, so the page
// asks its server for the truth.
export async function tell(job, detail) {
  if (job.parentDocumentId === null) return;
  await execute({
    target: { tabId: job.tabId, documentIds: [job.parentDocumentId] },
    world: "MAIN",
    func: dispatch,
    args: [detail],
  });
}

// A document that filled the whole tab has no page around it to tell: the tab goes to the list of
// activations, and after a failure it says what went wrong.
export async function end(job, outcome) {
  if (job.parentDocumentId !== null) {
    await tell(job, outcome);
  } else if (outcome.stage === "error") {
    const lines = [outcome.message, outcome.hint];
    const back = { text: chrome.i18n.getMessage("frame_back"), url: `${job.origin}/activations` };
    await inFrame(job, replaceText, [lines, back]);
  } else {
    await chrome.tabs.update(job.tabId, { url: `${job.origin}/activations` }).catch(ignoreGone);
  }
}

async function frameOf(tabId, documentId) {
  return chrome.webNavigation.getFrame({ tabId, documentId }).catch(() => null);
}

async function inFrame(job, func, args) {
  const target = { tabId: job.tabId, documentIds: [job.documentId] };
  return execute({ target, world: "ISOLATED", func, args });
}

async function execute(injection) {
  const results = await chrome.scripting.executeScript(injection).catch(ignoreGone);
  return results?.[0]?.result ?? null;
}

// A tab or frame that went away in the meantime has nobody left to tell.
function ignoreGone() {
  return null;
}

// The two functions below run inside the page: they may use nothing from this file.

function replaceText(lines, back) {
  const text = document.body.textContent;
  const paragraphs = lines.filter(Boolean).map((line) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    return paragraph;
  });
  if (back) {
    const link = document.createElement("a");
    link.textContent = back.text;
    link.href = back.url;
    paragraphs.push(link);
  }
  document.body.replaceChildren(...paragraphs);
  document.documentElement.style.colorScheme = "light dark";
  document.body.style.cssText =
    "font: 1.125rem/1.5 system-ui, sans-serif; margin: 10vh auto; max-width: 34rem; padding: 1rem";
  return text;
}

function dispatch(detail) {
  document.dispatchEvent(new CustomEvent("handfast", { detail }));
}
