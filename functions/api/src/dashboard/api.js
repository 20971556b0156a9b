// Calls of the API. Paths are relative to the page, so that it also works below a prefix.

const PATIENCE_MS = 30_000;

/** A problem as the API tells it: a sentence, a word, and the field at fault. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? `the server answered ${status}`);
    this.status = status;
    this.code = body.code ?? "";
    this.field = body.field ?? null;
  }
}

/** Nobody answered. */
export class Gone extends Error {
  constructor() {
    super("The server does not answer. It may have been stopped, or the network is down.");
  }
}

/** The path of a job, and of what is below it. */
export function jobPath(id, ...rest) {
  return ["jobs", id, ...rest].map(encodeURIComponent).join("/");
}

async function send(method, path, { body, etag, signal } = {}) {
  const headers = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (etag) headers["if-none-match"] = etag;
  const limit = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await fetch(path, {
      method, headers, cache: "no-store",
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Gone();
  }
}

async function json(answer) {
  return answer.json().catch(() => ({}));
}

/** Asks; gives the JSON of the answer. */
export async function call(method, path, options) {
  const answer = await send(method, path, options);
  if (!answer.ok) throw new Problem(answer.status, await json(answer));
  return json(answer);
}

export const get = (path, signal) => call("GET", path, { signal });
export const post = (path, body, signal) => call("POST", path, { body, signal });

/** Asks for what may not have changed since: `{ unchanged: true }`, or `{ body, etag }`. */
export async function getChanged(path, etag, signal) {
  const answer = await send("GET", path, { etag, signal });
  if (answer.status === 304) return { unchanged: true };
  if (!answer.ok) throw new Problem(answer.status, await json(answer));
  return { body: await json(answer), etag: answer.headers.get("etag") };
}

let types = null;

/** The job types; asked for once. */
export async function jobTypes(signal) {
  types ??= (await get("job-types", signal)).job_types;
  return types;
}

/** Puts a file up; gives the upload's id. `progress` hears the part that is done, 0 to 1. */
export async function upload(file, progress, signal) {
  const place = await post("uploads", { size: file.size }, signal);
  await new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open(place.method, place.url);
    for (const [name, value] of Object.entries(place.headers)) {
      // The browser sends these by itself and lets nobody else set them.
      if (!["content-length", "host"].includes(name.toLowerCase())) request.setRequestHeader(name, value);
    }
    request.upload.addEventListener("progress", (event) => progress(event.loaded / Math.max(event.total, 1)));
    request.addEventListener("load", () => {
      if (request.status < 300) done();
      else failed(new Problem(request.status, { detail: `The file store refused the file (${request.status}).` }));
    });
    request.addEventListener("error", () => failed(new Gone()));
    request.addEventListener("abort", () => failed(new DOMException("stopped", "AbortError")));
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
  return place.id;
}
