// Sending a component. With XMLHttpRequest, because fetch does not tell how much has been sent.

import { ApiError } from "./api.js";
import { askToken, token } from "./token.js";

/** Uploads a file as a version of an app; `moved` is told the share that has been sent. Ends with an AbortError when
 * `signal` says so. */
export async function upload(app, file, params, moved, signal) {
  const path = `/api/v1/deployments/${encodeURIComponent(app)}/versions?${new URLSearchParams(params)}`;
  for (;;) {
    const used = token();
    const { status, text } = await send(path, file, used, moved, signal);
    if (status === 401) {
      await askToken(used);
      continue;
    }
    const answer = parse(text);
    if (status >= 200 && status < 300) return answer;
    throw new ApiError(status, answer.detail ?? `The host answers with ${status}.`, answer.retry_after_seconds);
  }
}

function send(path, file, used, moved, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Content-Type", "application/wasm");
    if (used) request.setRequestHeader("Authorization", `Bearer ${used}`);
    request.upload.onprogress = (event) => event.lengthComputable && moved(event.loaded / event.total);
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => reject(new ApiError(0, "The host does not answer. Is it running?"));
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
