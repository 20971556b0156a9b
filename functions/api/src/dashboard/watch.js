// Watching what changes: quickly while it does, more and more seldom while it does not.

import { Gone, Problem, getChanged } from "./api.js";

const SOON_MS = 250;
const SELDOM_MS = 5_000;

/** Waits; false if that was cut short. */
export function pause(ms, signal) {
  return new Promise((done) => {
    if (signal.aborted) return done(false);
    const timer = setTimeout(() => done(true), ms);
    signal.addEventListener("abort", () => { clearTimeout(timer); done(false); }, { once: true });
  });
}

/**
 * Looks at `path` until `see` says that it is enough, or until the signal. `see(body)` hears every change;
 * `lost(error)` hears when nobody answers, and `found()` when somebody does again. Another problem ends it as an error.
 */
export async function watch(path, { see, lost, found, signal }) {
  let wait = SOON_MS;
  let etag = null;
  let isLost = false;
  while (!signal.aborted) {
    try {
      const answer = await getChanged(path, etag, signal);
      if (isLost) found();
      isLost = false;
      if (answer.unchanged) {
        wait = Math.min(wait * 1.5, SELDOM_MS);
      } else {
        etag = answer.etag;
        wait = SOON_MS;
        if (see(answer.body)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      const mayPass = error instanceof Gone || (error instanceof Problem && error.status >= 500);
      if (!mayPass) throw error;
      isLost = true;
      lost(error);
      wait = Math.min(wait * 2, SELDOM_MS);
    }
    if (!(await pause(wait, signal))) return;
  }
}
