// Finds the frames that hold an activation document. The headers name the original media type but
// not the document; the loaded event names the document but not the type: the two are joined by
// tab, frame and address.
const MEDIA_TYPE = "application/vnd.handfast.activation+jwt";
const FRAMES = ["main_frame", "sub_frame"];

const announced = new Map(); // "tab:frame" -> address whose answer had our media type

export function watchDocuments(portals, origins, onDocument) {
  // An empty list of addresses would mean every address to the browser.
  if (portals.length === 0) return;
  chrome.webRequest.onHeadersReceived.addListener(
    remember,
    { urls: portals, types: FRAMES },
    ["responseHeaders"],
  );
  chrome.webNavigation.onDOMContentLoaded.addListener((event) => {
    if (!isAnnounced(event)) return;
    // Taken from the browser's event: a sandboxed document calls its own origin "null".
    const { origin } = new URL(event.url);
    if (!origins.has(origin) || event.documentLifecycle !== "active") return;
    onDocument({
      tabId: event.tabId,
      frameId: event.frameId,
      documentId: event.documentId,
      parentDocumentId: event.parentDocumentId ?? null,
      origin,
    });
  });
}

export function forgetTab(tabId) {
  for (const key of announced.keys()) {
    if (key.startsWith(`${tabId}:`)) announced.delete(key);
  }
}

function remember({ tabId, frameId, url, statusCode, responseHeaders }) {
  const key = `${tabId}:${frameId}`;
  if (statusCode === 200 && mediaType(responseHeaders) === MEDIA_TYPE) announced.set(key, url);
  else announced.delete(key);
}

function isAnnounced({ tabId, frameId, url }) {
  const key = `${tabId}:${frameId}`;
  const matches = announced.get(key) === url;
  announced.delete(key);
  return matches;
}

function mediaType(headers) {
  const values = headers.filter(({ name }) => name.toLowerCase() === "content-type");
  // Two types are one too many: nobody can say which of them the sender meant.
  if (values.length !== 1) return null;
  return (values[0].value ?? "").split(";")[0].trim().toLowerCase();
}
