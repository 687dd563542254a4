// A recording's tape as people read it. What stands on a tape is the sandbox's business and grows with it: a list is
// shown line by line, everything else as JSON.

import { el } from "./dom.js";
import { copyButton, jsonView } from "./json.js";

/** Fields that name an entry of a list. */
const NAMES = ["call", "name", "function", "kind", "type"];
/** Fields that hold what came back; they stand behind an arrow. */
const ANSWERS = ["answer", "result", "returned"];

export function tapeView({ id, hash, message_id, tape }) {
  return [
    el("dl", { class: "facts" },
      el("dt", {}, "Recording"), el("dd", {}, el("code", {}, id)),
      el("dt", {}, "Message"), el("dd", {}, el("code", {}, message_id)),
      el("dt", {}, "Component"), el("dd", {}, el("code", { title: `SHA-256 ${hash}` }, hash.slice(0, 12)))),
    ...(isObject(tape) ? Object.entries(tape).flatMap(section) : [jsonView(tape)]),
    copyButton(JSON.stringify(tape, null, 2)),
  ];
}

function section([name, value]) {
  if (Array.isArray(value)) {
    const lines = value.map((entry) => el("li", {}, line(entry)));
    return [el("h3", {}, `${title(name)} (${value.length})`), value.length > 0 && el("ol", { class: "tape-lines" }, ...lines)].filter(Boolean);
  }
  if (isObject(value)) return [el("h3", {}, title(name)), jsonView(value)];
  return [el("p", { class: "tape-fact" }, el("span", { class: "dim" }, `${title(name)} `), short(value))];
}

/** One line: name, arguments, arrow, answer; the whole of it opens below. */
function line(entry) {
  if (!isObject(entry)) return el("code", {}, short(entry));
  const keys = Object.keys(entry);
  const named = NAMES.find((key) => typeof entry[key] === "string");
  // A value of a kind is often written as an object whose only key is the kind.
  const only = named === undefined && keys.length === 1 ? keys[0] : undefined;
  const answer = ANSWERS.find((key) => key in entry);
  const rest = only ? entry[only] : Object.fromEntries(Object.entries(entry).filter(([key]) => key !== named && key !== answer));
  return el("details", {}, el("summary", {},
    el("b", {}, named ? entry[named] : only ?? ""), " ",
    el("code", {}, isObject(rest) ? Object.values(rest).map(short).join(" ") : short(rest)),
    answer && el("span", { class: "dim" }, " → "),
    answer && el("code", { class: "answer" }, short(entry[answer]))), jsonView(entry));
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const title = (name) => (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll("_", " ");

function short(value) {
  if (Array.isArray(value)) return value.map(short).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
