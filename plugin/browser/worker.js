// The bridge's worker: an activation document that a trusted portal answers with goes to the
// native host, which verifies it; the person is asked here; the host goes on. It touches nothing
// but the portals named in the manifest's host_permissions.
import { Job } from "./job.js";
import { listenForAnswers } from "./prompt.js";
import { enqueue, leave, leaveTab } from "./queue.js";
import { forgetTab, watchDocuments } from "./watch.js";

const portals = chrome.runtime.getManifest().host_permissions ?? [];

watchDocuments(portals, (document) => enqueue(new Job(document)));
listenForAnswers();

chrome.webNavigation.onCommitted.addListener(leave);
chrome.tabs.onRemoved.addListener((tabId) => {
  forgetTab(tabId);
  leaveTab(tabId);
});
