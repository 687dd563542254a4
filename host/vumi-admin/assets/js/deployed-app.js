// One deployed app: which version answers, which are on trial, and the orders that change that.

import { api } from "./api.js";
import { Differences } from "./differences.js";
import { announce, byId, el } from "./dom.js";
import { openRow } from "./feed.js";
import { bytes, dateTime, plural } from "./format.js";
import { jsonView } from "./json.js";
import { showUploadDialog } from "./upload-dialog.js";

/** The row of an app. `order` carries out an action and shows what came of it. */
export function appRow(app, order) {
  const differences = new Differences(app);
  const summary = [
    el("b", { class: "preview" }, app.name),
    el("span", { class: "states" }, ...states(app)),
    el("span", { class: "dim" }, plural(app.versions.length, "version")),
  ];
  const row = openRow("deployed", summary, () => {
    differences.load();
    return [
      orders(app, order),
      el("div", { class: "versions" }, ...app.versions.map((version) => versionView(app, version, order))),
      differences.view,
      facts(app),
    ];
  });
  row.refresh = () => row.open && differences.load();
  return row;
}

function states({ active, previous, canary, shadow }) {
  return [
    active === undefined ? el("span", { class: "state", "data-state": "none" }, "answers nothing") : chip("active", `version ${active} answers`),
    canary && chip("canary", `${canary.percent} % to version ${canary.version}`),
    shadow !== undefined && chip("shadow", `version ${shadow} in the shadow`),
    previous !== undefined && el("span", { class: "dim" }, `before: version ${previous}`),
  ].filter(Boolean);
}

const chip = (state, text) => el("span", { class: "state", "data-state": state }, text);

const button = (testid, text, onclick) => el("button", { type: "button", class: "quiet", "data-testid": testid, onclick }, text);

function orders({ name, previous }, order) {
  return el("div", { class: "orders" },
    button("upload-version", "Upload a version…", () => showUploadDialog(name)),
    previous !== undefined && button("roll-back", `Roll back to version ${previous}`, () => order(async () => {
      const { active } = await api.rollBack(name);
      announce(`Version ${active} of ${name} answers again`);
    })));
}

function versionView(app, version, order) {
  const { name, active, previous, canary, shadow, generation } = app;
  const { number } = version;
  const isCanary = canary?.version === number;
  const activate = () => order(async () => {
    await api.activate(name, number, generation);
    announce(`Version ${number} of ${name} answers now`);
  });
  return el("div", { class: "version", "data-testid": "version", "data-version": number },
    el("b", {}, `Version ${number}`),
    el("span", { class: "states" },
      number === active && chip("active", "answers"),
      isCanary && chip("canary", `canary, ${canary.percent} %`),
      number === shadow && chip("shadow", "shadow"),
      number === previous && el("span", { class: "dim" }, "answered before")),
    el("span", { class: "dim about" },
      el("time", {}, dateTime(version.created_at)), ` by ${version.created_by} · `,
      el("code", { title: `SHA-256 ${version.hash}` }, version.hash.slice(0, 12)), ` · ${bytes(version.bytes)}`,
      version.source === "upload" ? "" : ` · ${version.source}`),
    version.note && el("p", { class: "said" }, version.note),
    number !== active && el("div", { class: "orders" },
      button("activate", "Activate", activate),
      isCanary && button("end-canary", "End canary", () => order(() => api.endCanary(name))),
      button("set-canary", isCanary ? "Change canary %…" : "Set canary %…", () => askPercent(app, number, order)),
      number === shadow
        ? button("shadow-off", "Shadow off", () => order(() => api.endShadow(name)))
        : button("shadow-on", "Shadow on", () => order(() => api.setShadow(name, number)))));
}

/** Asks for a canary's share, and sets it. */
function askPercent({ name, canary }, number, order) {
  const dialog = byId("canary-dialog");
  byId("canary-title").textContent = `Version ${number} of ${name} as a canary`;
  byId("canary-percent").value = canary?.version === number ? canary.percent : 5;
  dialog.returnValue = "";
  dialog.showModal();
  byId("canary-percent").select();
  dialog.addEventListener("close", () => {
    const percent = byId("canary-percent").valueAsNumber;
    if (dialog.returnValue === "set") order(() => api.setCanary(name, number, percent));
  }, { once: true });
}

function facts({ settings, secrets, created_at, updated_at }) {
  const names = secrets.map((secret) => el("code", { title: `set ${dateTime(secret.updated_at)}` }, secret.name));
  return el("div", { class: "about-app" },
    el("dl", { class: "facts" },
      el("dt", {}, "Secrets"), el("dd", { class: "names" }, ...(names.length ? names : ["none"])),
      el("dt", {}, "First deployed"), el("dd", {}, dateTime(created_at)),
      el("dt", {}, "Last changed"), el("dd", {}, dateTime(updated_at))),
    el("h3", {}, "Settings"), jsonView(settings));
}
