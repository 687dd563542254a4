// Recorded runs of an app: the newest, older ones on demand, and each one's tape.

import { api } from "./api.js";
import { byId, el } from "./dom.js";
import { on } from "./events.js";
import { openRow } from "./feed.js";
import { dateTime, duration, plural } from "./format.js";
import { tapeView } from "./tape.js";

const PAGE = 50;
const PERIOD = 5000;
const AFTER_RUN = 400;

export class RecordingsPanel {
  constructor() {
    this.root = byId("recordings-feed");
    this.user = byId("recordings-user");
    this.visible = false;
    this.forget();
    this.user.addEventListener("input", () => {
      this.forget();
      this.soon();
    });
    byId("recordings-older").addEventListener("click", () => this.load(this.next));
    on("run", (run) => run.app === this.app && this.soon());
    setInterval(() => document.hidden || this.load(), PERIOD);
  }

  setApp(app) {
    this.app = app;
    this.forget();
    this.load();
  }

  setVisible(visible) {
    this.visible = visible;
    this.load();
  }

  forget() {
    this.known = new Set();
    this.next = undefined;
    this.root.replaceChildren();
    byId("recordings-more").hidden = true;
  }

  soon() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.load();
    }, AFTER_RUN);
  }

  /** The newest ones, or those before a time. */
  async load(before) {
    if (!this.visible || !this.app) return;
    const { app } = this;
    const user = this.user.value.trim();
    try {
      const page = await api.recordings(app, user, PAGE, before);
      if (app === this.app && user === this.user.value.trim()) this.merge(page, before);
    } catch {
      // The strip on top says that the host is away.
    }
  }

  merge({ items, next }, before) {
    // The newest page is asked for again and again; only the first time its end is the end of what is known.
    if (this.known.size === 0 || before !== undefined) {
      this.next = next;
      byId("recordings-more").hidden = next === undefined;
    }
    const fresh = items.filter((item) => !this.known.has(item.id));
    fresh.forEach((item) => this.known.add(item.id));
    const rows = fresh.map(row);
    if (before === undefined) this.root.prepend(...rows);
    else this.root.append(...rows);
  }
}

function row(recording) {
  const { id, at, version, outcome, reason, user, message_id, sent, wall_us } = recording;
  const failed = outcome === "failed";
  const summary = [
    el("span", { class: "outcome", "data-outcome": outcome }, failed ? `failed: ${reason ?? "error"}` : "ok"),
    el("span", { class: "preview" }, user ?? message_id),
    el("time", {}, dateTime(at)),
    el("span", { class: "dim" }, `${version === undefined ? "" : `version ${version} · `}${plural(sent, "message")} sent · ${duration(wall_us)}`),
  ];
  const view = openRow("recording", summary, () => [tapeOf(id)]);
  view.dataset.testid = "recording";
  return view;
}

/** A place for the tape, which fills when it has come. */
function tapeOf(id) {
  const place = el("div", { class: "tape" }, el("p", { class: "dim" }, "Loading…"));
  api.recording(id).then(
    (recording) => place.replaceChildren(...tapeView(recording)),
    (error) => place.replaceChildren(el("p", { class: "problem" }, error.message)),
  );
  return place;
}
