// What an app says about itself.

import { api } from "./api.js";
import { byId, el } from "./dom.js";
import { on } from "./events.js";
import { Feed } from "./feed.js";
import { exactTime } from "./format.js";

const LEVELS = ["debug", "info", "warning", "error", "critical"];

export class LogsPanel {
  constructor() {
    const select = byId("logs-level");
    this.feed = new Feed(byId("logs-feed"), row, (line) => LEVELS.indexOf(line.level) >= LEVELS.indexOf(select.value));
    select.addEventListener("change", () => this.feed.refilter());
    byId("logs-clear").addEventListener("click", () => this.feed.clear());
    on("log", (line) => line.app === this.app && this.feed.add(line));
  }

  setApp(app) {
    this.app = app;
    this.feed.forget();
    this.load();
  }

  async load() {
    const app = this.app;
    if (!app) return;
    try {
      const { items } = await api.logs(app, 200);
      if (app === this.app) this.feed.merge(items);
    } catch {
      // The strip on top says that the host is away.
    }
  }
}

function row(line) {
  return el("div", { class: "row plain log", "data-testid": "inspector-row", "data-level": line.level, title: line.user },
    el("time", {}, exactTime(line.at)),
    el("span", { class: "level", "data-level": line.level }, line.level),
    el("span", { class: "said" }, line.text));
}
