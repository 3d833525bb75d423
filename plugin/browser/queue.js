// One job at a time, so that a person never sees two prompts. The queue is short on purpose: a page
// that posts a hundred times gets a few prompts, not a hundred.
const MOST_JOBS = 3;

const jobs = []; // the first one runs, the others wait

export async function enqueue(job) {
  if (jobs.length >= MOST_JOBS) {
    await job.turnAway();
    return;
  }
  jobs.push(job);
  job.take();
  if (jobs.length === 1) await runAll();
}

// Another document in the job's frame, or in the whole tab, means that its page is gone.
export function leave({ tabId, frameId, documentId }) {
  for (const job of jobs) {
    const gone = job.tabId === tabId && (frameId === 0 || frameId === job.frameId);
    if (gone && documentId !== job.documentId) job.abandon();
  }
}

export function leaveTab(tabId) {
  jobs.filter((job) => job.tabId === tabId).forEach((job) => job.abandon());
}

async function runAll() {
  while (jobs.length > 0) {
    // Whatever goes wrong with one job, the next one gets its turn.
    await jobs[0].run().catch((error) => console.error(error.name));
    jobs.shift();
  }
}
