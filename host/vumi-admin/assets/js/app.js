// Where the page begins: asks the host what it is, then listens to it.

import { api } from "./api.js";
import { byId, el } from "./dom.js";
import { startBuilds } from "./builds.js";
import { startDashboard } from "./dashboard.js";
import { listen } from "./events.js";
import { startInspector } from "./inspector.js";
import { startPhones } from "./phones.js";

async function start() {
  for (;;) {
    try {
      const [system, apps] = await Promise.all([api.system(), api.apps()]);
      byId("banners").replaceChildren();
      startPhones(system.simulator);
      startInspector(apps);
      startBuilds(apps);
      startDashboard(system);
      listen();
      return;
    } catch (error) {
      byId("banners").replaceChildren(el("p", { class: "banner" }, error.message));
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

start();
