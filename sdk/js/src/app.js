/**
 * What an application does, and how it becomes one.
 *
 * @module
 */

import { Event } from './event.js';
import { Message } from './message.js';

/**
 * What an application does. Every call gets a fresh instance of the whole module: nothing stays in memory from one
 * message to the next; what must last goes into {@link kv}. A handler may be async.
 *
 * @typedef {object} Handlers
 * @property {(message: Message) => void | Promise<unknown>} onMessage A user wrote, began or ended a session. What it
 *   throws is recorded for the app's owner; the message is not tried again.
 * @property {(event: Event) => void | Promise<unknown>} [onEvent] Something happened to a message that the app sent.
 * @property {() => import('./dialogue/graph.js').Graph} [graph] What the app's dialogue looks like, for drawings and
 *   tests.
 */

/**
 * What the host calls: the default export of an app's module.
 *
 * @typedef {object} HostApp
 * @property {(fields: import('./message.js').MessageFields) => unknown} onMessage With the fields of a message.
 * @property {(fields: import('./event.js').EventFields) => unknown} onEvent With the fields of an event.
 * @property {() => import('./dialogue/graph.js').Graph} [graph] What the app's dialogue looks like.
 */

/**
 * Joins an application to the host. Its result is the default export of the app's module.
 *
 * @param {Handlers} handlers What the app does.
 * @returns {HostApp} What the host calls.
 * @example
 * import { app } from '@vumi/sdk';
 *
 * export default app({
 *   onMessage(message) {
 *     if (message.isClose) return;
 *     message.reply(message.content ?? 'Enter text to echo:');
 *   },
 * });
 */
export function app(handlers) {
  /** @type {HostApp} */
  const made = {
    onMessage: (fields) => handlers.onMessage(new Message(fields)),
    onEvent: (fields) => handlers.onEvent?.(new Event(fields)),
  };
  if (handlers.graph !== undefined) made.graph = () => /** @type {NonNullable<Handlers['graph']>} */ (handlers.graph)();
  return made;
}
