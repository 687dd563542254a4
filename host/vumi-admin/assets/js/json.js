// JSON as people read it: indented, coloured, and to be copied with one press.

import { announce, el, icon } from "./dom.js";

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)/g;

/** A coloured view of a value. */
export function jsonView(value) {
  const text = JSON.stringify(value, null, 2) ?? "null";
  const view = el("pre", { class: "json" });
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [whole, string, colon, number, word] = match;
    view.append(text.slice(at, match.index));
    if (string) view.append(el("span", { class: colon ? "key-name" : "text" }, string), colon ?? "");
    else if (number) view.append(el("span", { class: "number" }, number));
    else view.append(el("span", { class: "word" }, word));
    at = match.index + whole.length;
  }
  view.append(text.slice(at));
  return view;
}

/** A button that puts a text on the clipboard. */
export function copyButton(text) {
  const label = el("span", {}, "Copy");
  const button = el("button", { type: "button", class: "quiet copy", onclick: async () => {
    await copy(text);
    label.textContent = "Copied";
    announce("Copied");
    setTimeout(() => { label.textContent = "Copy"; }, 1500);
  } }, icon("copy"), label);
  return button;
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Browsers keep the clipboard from pages that come neither from this machine nor over TLS; the old way still works.
  const box = el("textarea", { class: "visually-hidden" });
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  return box.remove();
}
