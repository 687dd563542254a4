// The live stream. Read with fetch instead of EventSource, which cannot send a token.

import { open } from "./api.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 8000;
// The host sends a comment every 15 seconds; a stream that is silent for longer is dead.
const SILENCE = 45_000;

/** Things that happen, by name: message, log, run, status, phone; also `link` for the connection, and `resync` when
 * what is shown may have gaps: the stream has begun, or has left something out. */
export const events = new EventTarget();

export const on = (name, handler) => events.addEventListener(name, (event) => handler(event.detail));
const emit = (name, detail) => events.dispatchEvent(new CustomEvent(name, { detail }));

let lastId = "";

/** Listens for ever; comes back after every loss and goes on where it was. */
export async function listen() {
  let delay = FIRST_DELAY;
  for (;;) {
    try {
      await read(() => {
        delay = FIRST_DELAY;
        emit("link", "live");
      });
    } catch {
      // Why does not matter: it is tried again.
    }
    emit("link", "lost");
    await new Promise((resolve) => setTimeout(resolve, delay));
    delay = Math.min(delay * 2, LONGEST_DELAY);
  }
}

async function read(opened) {
  const abort = new AbortController();
  let watchdog;
  const alive = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => abort.abort(), SILENCE);
  };
  alive();
  try {
    const headers = lastId ? { "Last-Event-ID": lastId } : {};
    const response = await open("/events", { headers, signal: abort.signal });
    opened();
    const text = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await text.read();
      if (done) return;
      alive();
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      blocks.forEach(dispatch);
    }
  } finally {
    clearTimeout(watchdog);
  }
}

function dispatch(block) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
    else if (field === "id") lastId = value;
  }
  if (name === "ready" || name === "lagged") emit("resync");
  else if (data.length > 0) emit(name, JSON.parse(data.join("\n")));
}
