// What an app keeps. Values change without an event, so they are asked for while they are looked at.

import { api } from "./api.js";
import { byId, el } from "./dom.js";
import { on } from "./events.js";
import { openRow } from "./feed.js";
import { remaining } from "./format.js";
import { copyButton, jsonView } from "./json.js";

const PERIOD = 2000;
const AFTER_RUN = 120;

export class KvPanel {
  constructor() {
    this.root = byId("kv-feed");
    this.prefix = byId("kv-prefix");
    this.rows = new Map();
    this.visible = false;
    this.prefix.addEventListener("input", () => this.soon());
    on("run", (run) => run.app === this.app && this.soon());
    setInterval(() => document.hidden || this.load(), PERIOD);
  }

  setApp(app) {
    this.app = app;
    this.rows.clear();
    this.root.replaceChildren();
    this.load();
  }

  setVisible(visible) {
    this.visible = visible;
    this.load();
  }

  soon() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.load();
    }, AFTER_RUN);
  }

  async load() {
    if (!this.visible || !this.app) return;
    const { app } = this;
    const prefix = this.prefix.value;
    try {
      const listing = await api.kv(app, prefix);
      if (app === this.app && prefix === this.prefix.value) this.show(listing);
    } catch {
      // The strip on top says that the host is away.
    }
  }

  /** Rows that did not change stay as they are, so that an opened one stays open. */
  show({ items, more }) {
    const known = new Map(this.rows);
    this.rows.clear();
    let next = this.root.firstElementChild;
    for (const entry of items) {
      const old = known.get(entry.key);
      const same = old && old.value === entry.value;
      const row = same ? old.row : this.row(entry, old);
      if (old && !same) old.row.replaceWith(row);
      if (old && !same && next === old.row) next = row;
      row.querySelector(".dim").textContent = entry.ttl_seconds === undefined ? "" : `${remaining(entry.ttl_seconds)} left`;
      if (row === next) next = next.nextElementSibling;
      else this.root.insertBefore(row, next);
      this.rows.set(entry.key, { value: entry.value, row });
      known.delete(entry.key);
    }
    for (const { row } of known.values()) row.remove();
    byId("kv-more").hidden = !more;
  }

  row({ key, value }, old) {
    const summary = [
      el("span", { class: "key-name" }, key),
      el("span", { class: "preview" }, value),
      el("span", { class: "dim" }),
    ];
    const row = openRow("kv", summary, () => [jsonView(parse(value)), copyButton(value)]);
    row.classList.toggle("fresh", Boolean(old));
    row.open = Boolean(old?.row.open);
    return row;
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
