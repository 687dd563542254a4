// Messages that were set aside: look at them, send them again, drop them.

import { api } from "./api.js";
import { byId, el } from "./dom.js";
import { openRow } from "./feed.js";
import { exactTime, plural } from "./format.js";
import { copyButton, jsonView } from "./json.js";

/** Opens the dialog; `changed` is called after each letter that left. */
export async function showDeadLetters(changed) {
  byId("dead-list").replaceChildren();
  byId("dead-dialog").showModal();
  await order(async () => {
    const queues = (await api.queues()).filter((queue) => queue.dead > 0);
    const letters = await Promise.all(queues.map((queue) => api.dead(queue.name)));
    byId("dead-list").replaceChildren(...letters.flat().map((letter) => row(letter, changed)));
  });
}

/** Does something, and shows why if it did not work. */
async function order(action) {
  try {
    byId("dead-problem").textContent = "";
    await action();
  } catch (error) {
    byId("dead-problem").textContent = error.message;
  }
}

function row(letter, changed) {
  const leave = (action) => order(async () => {
    await action(letter.queue, letter.id);
    view.remove();
    changed();
  });
  const text = JSON.stringify(letter.payload, null, 2);
  const summary = [
    el("time", {}, exactTime(letter.at)),
    el("b", { class: "preview" }, letter.queue),
    el("span", { class: "dim" }, plural(letter.attempts, "attempt")),
    el("span", { class: "reason" }, letter.reason),
  ];
  const view = openRow("dead", summary, () => [
    el("div", { class: "orders" },
      el("button", { type: "button", class: "quiet", onclick: () => leave(api.requeue) }, "Send again"),
      el("button", { type: "button", class: "quiet", onclick: () => leave(api.drop) }, "Drop")),
    jsonView(letter.payload), copyButton(text),
  ]);
  view.dataset.testid = "dead-letter";
  return view;
}
