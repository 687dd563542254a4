// The app that is being worked on: which version answers, and what the compiler says when it does not build. The phones
// and their sessions stay as they are.

import { api } from "./api.js";
import { byId, el } from "./dom.js";
import { on } from "./events.js";
import { exactTime } from "./format.js";

/** App -> its newest build. */
const builds = new Map();

export function startBuilds(apps) {
  take(apps);
  on("build", (build) => {
    builds.set(build.app, build);
    show();
  });
  on("resync", load);
}

async function load() {
  try {
    take(await api.apps());
  } catch {
    // The strip on top says that the host is away.
  }
}

function take(apps) {
  builds.clear();
  for (const { name, build } of apps) if (build) builds.set(name, build);
  show();
}

function show() {
  const all = [...builds.values()];
  const newest = all.sort((a, b) => b.at - a.at)[0];
  const note = byId("build-note");
  note.hidden = !newest;
  if (newest) {
    note.dataset.state = newest.state;
    note.textContent = noteOf(newest);
    note.title = newest.content_hash;
  }
  byId("builds").replaceChildren(...all.filter((build) => build.output).map(panel));
}

function noteOf({ app, state, version, at, took_ms }) {
  if (state === "building") return `${app}: building …`;
  if (state === "failed") return `${app} v${version} · does not build`;
  if (version === 1) return `${app} v1`;
  const took = took_ms === undefined ? "" : ` in ${(took_ms / 1000).toFixed(1)} s`;
  return `${app} v${version} · reloaded ${exactTime(at)}${took}`;
}

function panel({ app, state, version, output }) {
  const failed = state === "failed";
  const title = failed
    ? `${app} does not build. Version ${version} goes on answering.`
    : `${app} was reloaded as version ${version}, but its types do not fit.`;
  return el("section", { class: "build-output", "data-state": state, "data-testid": "build-output", role: failed ? "alert" : "status" },
    el("h2", {}, title),
    el("pre", { tabindex: "0", "aria-label": "What the compiler says" }, output));
}
