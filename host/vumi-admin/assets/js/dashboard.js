// The strip on top: which workers run and how they are, how full the queues are, how much passes.

import { api } from "./api.js";
import { showDeadLetters } from "./dead-letters.js";
import { byId, el, svgEl } from "./dom.js";
import { on } from "./events.js";
import { setApps } from "./inspector.js";

const PERIOD = 3000;
/** The rate is the mean over so many seconds; the line shows the last minute. */
const WINDOW = 5;
const MINUTE = 60;
const LINKS = { connecting: "Connecting", live: "Live", lost: "Connection lost, trying again" };

const perSecond = new Array(MINUTE).fill(0);
let total = 0;
let timer;

export function startDashboard(system) {
  byId("version").textContent = system.version;
  showBanners(system);
  on("link", (state) => {
    byId("link").dataset.state = state;
    byId("link").textContent = LINKS[state];
  });
  on("message", () => {
    total += 1;
    perSecond[MINUTE - 1] += 1;
  });
  byId("queues-dead").addEventListener("click", () => showDeadLetters(soon));
  on("status", soon);
  on("run", soon);
  on("resync", soon);
  setInterval(() => {
    showRate();
    perSecond.shift();
    perSecond.push(0);
  }, 1000);
  setInterval(() => document.hidden || load(), PERIOD);
  load();
  showRate();
}

function showBanners(system) {
  const banners = [];
  if (!system.durable) {
    banners.push(["Everything is in memory: start with ", el("code", {}, "--data-dir"), " to keep it."]);
  }
  if (!system.simulator) banners.push(["This host has no simulator transport: the phones are not connected."]);
  for (const warning of system.warnings) banners.push([warning]);
  byId("banners").replaceChildren(...banners.map((parts) => el("p", { class: "banner" }, el("span", {}, ...parts))));
}

/** Asks again shortly: one question for all that happens in the meantime. */
function soon() {
  timer ??= setTimeout(() => {
    timer = undefined;
    load();
  }, 250);
}

async function load() {
  try {
    const [apps, transports, queues] = await Promise.all([api.apps(), api.transports(), api.queues()]);
    setApps(apps);
    byId("tile-apps").replaceChildren(...apps.map(appView));
    byId("tile-transports").replaceChildren(...transports.map((transport) => worker(transport, transport.listen)));
    showQueues(queues);
  } catch {
    // The link on the right says that the host is away.
  }
}

function appView(app) {
  const failures = Object.values(app.counters.failures).reduce((sum, count) => sum + count, 0);
  const runs = `${app.counters.runs} runs`;
  return worker(app, failures ? `${runs}, ${failures} failed` : runs, app.last_error?.message);
}

function worker({ name, status, status_message }, detail, hint) {
  return el("span", { class: "worker", title: status_message ?? hint },
    el("i", { class: "dot", "data-status": status }),
    el("b", {}, name), el("span", { class: "visually-hidden" }, status),
    detail && el("small", {}, status === "ok" ? detail : `${status} · ${detail}`));
}

function showQueues(queues) {
  for (const field of ["ready", "unacked", "dead"]) {
    const full = queues.filter((queue) => queue[field] > 0);
    const view = byId(`queues-${field}`);
    view.title = full.map((queue) => `${queue.name}: ${queue[field]}`).join("\n");
    view.querySelector("b").textContent = String(full.reduce((sum, queue) => sum + queue[field], 0));
    if (field === "dead") view.classList.toggle("bad", full.length > 0);
  }
}

function showRate() {
  const recent = perSecond.slice(-WINDOW).reduce((sum, count) => sum + count, 0) / WINDOW;
  const highest = Math.max(...perSecond, 4);
  const points = perSecond.map((count, index) => `${(index * 74) / (MINUTE - 1)},${19 - (count / highest) * 17}`).join(" ");
  const spark = svgEl("svg", { class: "spark", viewBox: "0 0 74 20", "aria-hidden": "true" });
  spark.append(svgEl("polyline", { points }));
  byId("tile-rate").replaceChildren(
    el("span", { class: "count", title: `${total} since this page was opened` }, el("b", {}, recent.toFixed(1)), " /s"),
    spark,
  );
}
