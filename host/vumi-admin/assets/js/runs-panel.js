// What each run of an app used, and why it failed if it did.

import { api } from "./api.js";
import { byId, el } from "./dom.js";
import { on } from "./events.js";
import { Feed, openRow } from "./feed.js";
import { bytes, duration, exactTime, plural } from "./format.js";

export class RunsPanel {
  constructor() {
    this.feed = new Feed(byId("runs-feed"), row);
    byId("runs-clear").addEventListener("click", () => this.feed.clear());
    on("run", (run) => run.app === this.app && this.feed.add(run));
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
      const { items } = await api.runs(app, 100);
      if (app === this.app) this.feed.merge(items);
    } catch {
      // The strip on top says that the host is away.
    }
  }
}

function row(run) {
  const failed = run.outcome === "failed";
  const use = (name, value) => el("span", {}, `${name} `, el("b", {}, value));
  const summary = [
    el("span", { class: "outcome", "data-outcome": run.outcome }, failed ? `failed: ${run.reason ?? "error"}` : "ok"),
    el("time", {}, exactTime(run.at)),
    bar(run),
    el("span", { class: "dim" }, duration(run.wall_us)),
    el("span", { class: "uses" },
      use("CPU", duration(run.cpu_us)),
      use("memory", bytes(run.peak_memory_bytes)),
      use("host", `${plural(run.host_calls, "call")}, ${duration(run.host_time_us)}`),
      use("sent", String(run.replies))),
  ];
  return openRow("run", summary, () => [
    run.error && el("pre", { class: "trace" }, run.error),
    facts({
      "Message": run.message_id, "User": run.user, "Transport": run.transport_name,
      "CPU time": `${run.cpu_us} µs`, "Peak memory": `${run.peak_memory_bytes} bytes`, "Host calls": run.host_calls,
      "Time in host calls": `${run.host_time_us} µs`, "From start to end": `${run.wall_us} µs`, "Messages sent": run.replies,
    }),
  ]);
}

/** How the run's time was spent: in the guest, in the host for it, and otherwise. */
function bar(run) {
  const guest = Math.min(run.cpu_us, run.wall_us);
  const host = Math.min(run.host_time_us, run.wall_us - guest);
  const rest = Math.max(run.wall_us - guest - host, 0);
  const parts = { guest, host, rest };
  const view = el("span", { class: "bar", "aria-hidden": "true" });
  for (const [name, micros] of Object.entries(parts)) {
    const piece = el("i", { class: name });
    piece.style.flexGrow = String(micros);
    view.append(piece);
  }
  return view;
}

function facts(values) {
  const known = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return el("dl", { class: "facts" }, ...known.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))]));
}
