// The keys under the code. Typing works as well, so they are no tab stops of their own.

import { el } from "./dom.js";

const KEYS = [
  ["1", ""], ["2", "ABC"], ["3", "DEF"], ["4", "GHI"], ["5", "JKL"], ["6", "MNO"],
  ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"], ["*", ""], ["0", "+"], ["#", ""],
];

export function keypad(root, input, changed) {
  const press = (edit) => {
    edit();
    changed();
  };
  for (const [key, letters] of KEYS) {
    const button = el("button", { type: "button", class: "key", tabindex: "-1" }, key, el("small", {}, letters));
    button.addEventListener("click", () => press(() => { input.value += key; }));
    root.querySelector(".keypad").append(button);
  }
  root.querySelector(".erase").addEventListener("click", () => press(() => { input.value = input.value.slice(0, -1); }));
}
