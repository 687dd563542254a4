// The dialog that uploads a component: as a new app, or as a new version of one that is there.

import { announce, byId } from "./dom.js";
import { bytes } from "./format.js";
import { upload } from "./upload.js";

/** The host's own limit; said here before anything is sent. */
const MOST = 64 * 1024 * 1024;

let running = null;
let uploaded = () => {};

/** Wires the dialog; `done` is called with the app's name after each upload that worked. */
export function startUploadDialog(done) {
  uploaded = done;
  const dialog = byId("upload-dialog");
  byId("upload-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!running) send();
  });
  byId("upload-cancel").addEventListener("click", () => dialog.close());
  // Also when Escape closes it.
  dialog.addEventListener("close", () => running?.abort());
}

/** Opens the dialog; with an app, for a version of that one. */
export function showUploadDialog(app) {
  byId("upload-form").reset();
  byId("upload-title").textContent = app ? `Upload a version of ${app}` : "Upload an app";
  byId("upload-app").value = app ?? "";
  byId("upload-app").readOnly = Boolean(app);
  show("");
  byId("upload-dialog").showModal();
  byId(app ? "upload-file" : "upload-app").focus();
}

async function send() {
  const app = byId("upload-app").value;
  const [file] = byId("upload-file").files;
  if (file.size > MOST) return show(`The file has ${bytes(file.size)}; a component may have at most ${bytes(MOST)}.`);
  const note = byId("upload-note").value.trim();
  const params = { activate: byId("upload-activate").checked, ...(note && { note }) };
  running = new AbortController();
  show("");
  moved(0, file);
  try {
    const { version, new: isNew, active } = await upload(app, file, params, (share) => moved(share, file), running.signal);
    const state = active ? "it answers now" : "it does not answer yet";
    announce(isNew ? `Version ${version.number} of ${app} is uploaded, ${state}` : `${app} had this component already: version ${version.number}, ${state}`);
    byId("upload-dialog").close();
    uploaded(app);
  } catch (error) {
    show(error.name === "AbortError" ? "" : error.message);
  } finally {
    running = null;
    byId("upload-send").disabled = false;
  }
}

function moved(share, file) {
  byId("upload-progress").hidden = false;
  byId("upload-send").disabled = true;
  const bar = byId("upload-bar");
  // All is sent: how long checking takes is not known, and the bar says so.
  if (share >= 1) bar.removeAttribute("value");
  else bar.value = share;
  byId("upload-step").textContent = share >= 1 ? "Checking and compiling…" : `${bytes(Math.round(share * file.size))} of ${bytes(file.size)}`;
}

function show(problem) {
  byId("upload-problem").textContent = problem;
  byId("upload-progress").hidden = true;
}
