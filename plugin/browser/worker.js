// The bridge's worker: an activation document that a trusted portal answers with goes to the
// native host, which verifies it; the person is asked here; the host goes on. The portal is told
// which device this is. It touches nothing but the portals named in the manifest's
// host_permissions.
import { introduceTo } from "./identity.js";
import { Job } from "./job.js";
import { listenForAnswers } from "./prompt.js";
import { enqueue, leave, leaveTab } from "./queue.js";
import { forgetTab, watchDocuments } from "./watch.js";

const portals = chrome.runtime.getManifest().host_permissions ?? [];
const origins = new Set(portals.map((pattern) => new URL(pattern.replace(/\*$/, "")).origin));

watchDocuments(portals, origins, (document) => enqueue(new Job(document)));
listenForAnswers();
introduceTo(origins);

chrome.webNavigation.onCommitted.addListener(leave);
chrome.tabs.onRemoved.addListener((tabId) => {
  forgetTab(tabId);
  leaveTab(tabId);
});
