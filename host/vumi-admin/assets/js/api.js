// The JSON API, and nothing else, is how this page speaks to the host.

import { askToken, settled, token } from "./token.js";

const BASE = "/api/v1";

export class ApiError extends Error {
  constructor(status, detail, retryAfter) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** A request with the token, if there is one; asks for it when the host does. Answers with the response. */
export async function open(path, options = {}) {
  for (;;) {
    await settled();
    const used = token();
    const headers = { ...options.headers, ...(used && { Authorization: `Bearer ${used}` }) };
    let response;
    try {
      response = await fetch(BASE + path, { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(0, "The host does not answer. Is it running?");
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    if (response.status === 401) {
      await askToken(used, "That token is not known here, or has expired.");
      continue;
    }
    if (response.status === 429 && used) {
      const wait = problem.retry_after_seconds ?? 60;
      await askToken(used, `Too many wrong tokens were sent from here. Give a right one, or wait ${wait} s before the next try.`);
      continue;
    }
    throw new ApiError(response.status, problem.detail ?? response.statusText, problem.retry_after_seconds);
  }
}

const get = async (path) => (await open(path)).json();
const name = encodeURIComponent;

/** An order with a JSON body, if it has one; answers with what came of it. */
async function order(method, path, body) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  const response = await open(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  return response.status === 204 ? null : response.json();
}

const deployment = (app) => `/deployments/${name(app)}`;

export const api = {
  system: () => get("/system"),
  apps: () => get("/apps"),
  transports: () => get("/transports"),
  queues: () => get("/queues"),
  messages: (limit) => get(`/messages?limit=${limit}`),
  runs: (app, limit) => get(`/apps/${name(app)}/runs?limit=${limit}`),
  logs: (app, limit) => get(`/apps/${name(app)}/logs?limit=${limit}`),
  kv: (app, prefix) => get(`/apps/${name(app)}/kv?limit=500&prefix=${name(prefix)}`),
  dead: (queue) => get(`/queues/${name(queue)}/dead`),
  requeue: (queue, id) => open(`/queues/${name(queue)}/dead/${name(id)}/requeue`, { method: "POST" }),
  drop: (queue, id) => open(`/queues/${name(queue)}/dead/${name(id)}`, { method: "DELETE" }),
  deployments: () => get("/deployments"),
  activate: (app, version, generation) => order("POST", `${deployment(app)}/activate`, { version, generation }),
  rollBack: (app) => order("POST", `${deployment(app)}/rollback`),
  setCanary: (app, version, percent) => order("PUT", `${deployment(app)}/canary`, { version, percent }),
  endCanary: (app) => order("DELETE", `${deployment(app)}/canary`),
  setShadow: (app, version) => order("PUT", `${deployment(app)}/shadow`, { version }),
  endShadow: (app) => order("DELETE", `${deployment(app)}/shadow`),
  differences: (app, limit) => get(`${deployment(app)}/differences?limit=${limit}`),
  recordings: (app, user, limit, before) =>
    get(`/recordings?limit=${limit}&app=${name(app)}&user=${name(user)}${before === undefined ? "" : `&before=${before}`}`),
  recording: (id) => get(`/recordings/${name(id)}`),
  phone: (addr) => get(`/simulator/phones/${name(addr)}`),
  send: async (addr, message) => {
    const response = await open(`/simulator/phones/${name(addr)}/messages`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(message),
    });
    return response.json();
  },
};
