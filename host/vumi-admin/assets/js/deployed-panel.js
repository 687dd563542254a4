// Apps that were deployed while the host runs. They change without an event, so they are asked for while they are
// looked at.

import { api } from "./api.js";
import { appRow } from "./deployed-app.js";
import { byId } from "./dom.js";
import { showUploadDialog, startUploadDialog } from "./upload-dialog.js";

const PERIOD = 3000;

export class DeployedPanel {
  constructor() {
    this.root = byId("deployed-feed");
    this.rows = new Map();
    this.visible = false;
    byId("deployed-upload").addEventListener("click", () => showUploadDialog());
    startUploadDialog((app) => this.load(app));
    setInterval(() => document.hidden || this.load(), PERIOD);
  }

  // All apps are shown at once.
  setApp() {}

  setVisible(visible) {
    this.visible = visible;
    this.load();
  }

  /** Asks anew; the app that is named is shown open. */
  async load(opened) {
    if (!this.visible) return;
    try {
      this.show(await api.deployments(), opened);
    } catch {
      // The strip on top says that the host is away.
    }
  }

  /** Rows that did not change stay as they are. */
  show(apps, opened) {
    const known = new Map(this.rows);
    this.rows.clear();
    let next = this.root.firstElementChild;
    for (const app of apps) {
      const state = JSON.stringify(app);
      const old = known.get(app.name);
      const same = old?.state === state;
      const row = same ? old.row : appRow(app, (action) => this.order(action));
      if (old && !same) replace(old.row, row);
      if (old && !same && next === old.row) next = row;
      if (app.name === opened) row.open = true;
      if (row === next) next = next.nextElementSibling;
      else this.root.insertBefore(row, next);
      this.rows.set(app.name, { state, row });
      known.delete(app.name);
      if (same) row.refresh();
    }
    for (const { row } of known.values()) row.remove();
  }

  /** Does something, shows why if it did not work, and what has become of it. */
  async order(action) {
    try {
      byId("deployed-problem").textContent = "";
      await action();
    } catch (error) {
      byId("deployed-problem").textContent = error.message;
    }
    await this.load();
  }
}

/** Whoever had the focus in the old row finds it again in the new one. */
function replace(old, row) {
  const focused = old.contains(document.activeElement);
  row.open = old.open;
  row.classList.add("fresh");
  old.replaceWith(row);
  if (focused) row.querySelector("summary").focus();
}
