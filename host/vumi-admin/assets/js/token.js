// The admin token, where the host wants one: asked for once per browser tab.

import { byId } from "./dom.js";

const KEY = "vumi-token";
let asking = null;

export const token = () => sessionStorage.getItem(KEY);

/** Asks for a token, one dialog for all who wait. `refused` is the token that did not work. */
export function askToken(refused) {
  if (token() !== refused) return Promise.resolve();
  asking ??= show(refused).finally(() => { asking = null; });
  return asking;
}

function show(refused) {
  const dialog = byId("token-dialog");
  const input = byId("token-input");
  byId("token-problem").textContent = refused ? "That is not the token." : "";
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
