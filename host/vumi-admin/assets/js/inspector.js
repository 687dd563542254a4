// What happens behind the phones: messages, logs, runs, values, what is deployed and what was recorded, each in a tab
// of its own.

import { DeployedPanel } from "./deployed-panel.js";
import { byId, el } from "./dom.js";
import { on } from "./events.js";
import { KvPanel } from "./kv-panel.js";
import { LogsPanel } from "./logs-panel.js";
import { MessagesPanel } from "./messages-panel.js";
import { RecordingsPanel } from "./recordings-panel.js";
import { RunsPanel } from "./runs-panel.js";
import { tabs } from "./tabs.js";

export function startInspector(apps) {
  const panels = [new MessagesPanel(), new LogsPanel(), new RunsPanel(), new KvPanel(), new DeployedPanel(), new RecordingsPanel()];
  const roots = ["messages", "logs", "runs", "kv", "deployed", "recordings"].map((name) => byId(`ip-${name}`));
  const select = byId("app-select");
  const chooseApp = () => panels.forEach((panel) => panel.setApp(select.value));

  setApps(apps);
  select.addEventListener("change", chooseApp);
  chooseApp();
  tabs(byId("inspector-tabs"), roots, (chosen) => {
    panels.forEach((panel, index) => panel.setVisible?.(index === chosen));
  })(0);
  on("resync", () => panels.forEach((panel) => panel.load()));
}

/** The apps to choose from; the choice is only shown where there is one. */
export function setApps(apps) {
  const select = byId("app-select");
  const names = apps.map((app) => app.name);
  if (names.join() === [...select.options].map((option) => option.value).join()) return;
  const before = select.value;
  select.replaceChildren(...names.map((name) => el("option", { value: name }, name)));
  if (names.includes(before)) select.value = before;
  byId("app-choice").hidden = names.length < 2;
  if (select.value !== before) select.dispatchEvent(new Event("change"));
}
