// The token of whoever looks at this page, where the host wants one: asked for once per browser tab.

import { byId } from "./dom.js";

const KEY = "vumi-token";
let asking = null;
let problem = "";

export const token = () => sessionStorage.getItem(KEY);

/** Waits for the dialog, if it is open: what was sent before it closes could only be refused. */
export const settled = () => asking ?? Promise.resolve();

/** Does something about a token that did not work, or about there being none. A wrong one is forgotten first: the next
 * request shows whether the host needs one at all. Then it asks, with one dialog for all who wait. */
export function askToken(used, why) {
  if (token() !== used) return settled();
  if (used) {
    sessionStorage.removeItem(KEY);
    problem = why;
    return Promise.resolve();
  }
  asking ??= show().finally(() => { asking = null; });
  return asking;
}

function show() {
  const dialog = byId("token-dialog");
  const input = byId("token-input");
  byId("token-problem").textContent = problem;
  problem = "";
  input.value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const done = () => {
      dialog.removeEventListener("close", done);
      if (input.value.trim()) sessionStorage.setItem(KEY, input.value.trim());
      resolve();
    };
    dialog.addEventListener("close", done);
  });
}
