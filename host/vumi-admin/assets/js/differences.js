// What the version in the shadow did differently from the one that answers.

import { api } from "./api.js";
import { el } from "./dom.js";
import { Feed, openRow } from "./feed.js";
import { dateTime } from "./format.js";

const MOST = 100;

export class Differences {
  constructor({ name, shadow }) {
    this.name = name;
    this.list = el("div", { class: "difference-list" });
    this.empty = el("p", { class: "dim" }, `Version ${shadow} has done the same as the version that answers so far.`);
    this.feed = new Feed(this.list, row);
    this.trial = shadow !== undefined;
    this.view = el("section", { class: "differences", "data-testid": "differences", hidden: !this.trial },
      el("h3", {}, "Differences in the shadow"), this.empty, this.list);
  }

  async load() {
    try {
      const { items } = await api.differences(this.name, MOST);
      this.feed.merge(items);
      this.empty.hidden = items.length > 0;
      this.view.hidden = items.length === 0 && !this.trial;
    } catch {
      // The strip on top says that the host is away.
    }
  }
}

function row(difference) {
  const { kind, live, shadow, live_version, shadow_version, user, message_id, at } = difference;
  const summary = [
    el("span", { class: "state", "data-state": "shadow" }, kind),
    el("span", { class: "preview" }, user ?? message_id),
    el("time", {}, dateTime(at)),
  ];
  return openRow("difference", summary, () => [
    el("div", { class: "sides" }, side(`Version ${live_version}, live`, live), side(`Version ${shadow_version}, shadow`, shadow)),
    el("p", { class: "dim" }, "Message ", el("code", {}, message_id)),
  ]);
}

const side = (title, text) => el("div", {}, el("p", { class: "dim" }, title), el("pre", { class: "json" }, text));
