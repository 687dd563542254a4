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
export function app(handlers: Handlers): HostApp;
/**
 * What an application does. Every call gets a fresh instance of the whole module: nothing stays in memory from one
 * message to the next; what must last goes into {@link kv}. A handler may be async.
 */
export type Handlers = {
    /**
     * A user wrote, began or ended a session. What it
     * throws is recorded for the app's owner; the message is not tried again.
     */
    onMessage: (message: Message) => void | Promise<unknown>;
    /**
     * Something happened to a message that the app sent.
     */
    onEvent?: (event: Event) => void | Promise<unknown>;
    /**
     * What the app's dialogue looks like, for drawings and
     * tests.
     */
    graph?: () => import("./dialogue/graph.js").Graph;
};
/**
 * What the host calls: the default export of an app's module.
 */
export type HostApp = {
    /**
     * With the fields of a message.
     */
    onMessage: (fields: import("./message.js").MessageFields) => unknown;
    /**
     * With the fields of an event.
     */
    onEvent: (fields: import("./event.js").EventFields) => unknown;
    /**
     * What the app's dialogue looks like.
     */
    graph?: () => import("./dialogue/graph.js").Graph;
};
import { Message } from './message.js';
import { Event } from './event.js';
