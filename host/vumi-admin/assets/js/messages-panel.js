// Every message as it travels between the workers.

import { api } from "./api.js";
import { byId, el, icon } from "./dom.js";
import { on } from "./events.js";
import { Feed, openRow } from "./feed.js";
import { exactTime } from "./format.js";
import { copyButton, jsonView } from "./json.js";
import { onNumbers } from "./phones.js";

const ICONS = { inbound: "in", outbound: "out", event: "event", status: "alert", failure: "alert" };
const WORDS = { inbound: "to the app", outbound: "from the app", event: "event", status: "status", failure: "failure" };

export class MessagesPanel {
  constructor() {
    const select = byId("messages-phone");
    this.feed = new Feed(byId("messages-feed"), row, (message) => !select.value || message.user === select.value);
    select.addEventListener("change", () => this.feed.refilter());
    onNumbers((numbers) => {
      const before = select.value;
      select.replaceChildren(el("option", { value: "" }, "all"), ...numbers.map((number) => el("option", { value: number }, number)));
      select.value = numbers.includes(before) ? before : "";
      this.feed.refilter();
    });
    byId("messages-clear").addEventListener("click", () => this.feed.clear());
    on("message", (message) => this.feed.add(message));
  }

  // Messages are those of the whole host: with one app they are its own, with several the phone is the better filter.
  setApp() {}

  async load() {
    try {
      this.feed.merge((await api.messages(100)).items);
    } catch {
      // The strip on top says that the host is away.
    }
  }
}

function row(message) {
  const { payload, direction } = message;
  const bad = direction === "failure" || payload.event_type === "nack" || payload.delivery_status === "failed" || payload.status === "down";
  const way = el("span", { class: "way", "data-direction": direction, "data-bad": bad, title: WORDS[direction] }, icon(bad ? "alert" : ICONS[direction]), el("span", { class: "visually-hidden" }, WORDS[direction]));
  const summary = [
    way,
    el("time", {}, exactTime(message.at)),
    el("span", { class: "who preview" }, message.user ?? message.transport_name ?? ""),
    el("span", { class: "dim" }, tag(message)),
    el("span", { class: "preview line2" }, preview(payload, direction)),
  ];
  return openRow("message", summary, () => [jsonView(payload), copyButton(JSON.stringify(payload, null, 2))]);
}

function tag({ payload, direction, transport_name }) {
  if (direction === "inbound" || direction === "outbound") {
    return [payload.transport_type, payload.session_event].filter(Boolean).join(" · ") || transport_name || "";
  }
  return WORDS[direction];
}

function preview(payload, direction) {
  switch (direction) {
    case "inbound":
    case "outbound":
      return payload.content ?? (payload.session_event === "new" ? `dialled ${payload.to_addr}` : "no content");
    case "event":
      return [payload.event_type, payload.delivery_status, payload.nack_reason, `for ${payload.user_message_id}`].filter(Boolean).join(" · ");
    case "status":
      return [payload.component, payload.status, payload.message].filter(Boolean).join(" · ");
    default:
      return payload.reason ?? "";
  }
}
