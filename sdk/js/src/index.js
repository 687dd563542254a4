/**
 * Messaging applications for vumi-host: SMS, USSD and chat, in JavaScript or TypeScript.
 *
 * @module
 */

export { app } from './app.js';
export { config } from './config.js';
export { HostError, isQuota } from './error.js';
export { Event } from './event.js';
export * as kv from './kv.js';
export * as log from './log.js';
export { Message } from './message.js';
export * as metrics from './metrics.js';
export { sendTo } from './outbound.js';
export * as sms from './sms.js';
export { fetchJson, StatusError } from './fetch-json.js';

export { AbortController, AbortSignal } from './fetch/abort.js';
export { fetch } from './fetch/fetch.js';
export { Headers } from './fetch/headers.js';
export { Request } from './fetch/request.js';
export { Response } from './fetch/response.js';
export { URLSearchParams } from './fetch/search-params.js';
export { URL } from './fetch/url.js';

export * as check from './dialogue/check.js';
export { refuse } from './dialogue/check.js';
export { Context } from './dialogue/context.js';
export { Dialogue } from './dialogue/dialogue.js';
export { Booklet, Choice, End, FreeText, Menu, PaginatedChoice, State } from './dialogue/state.js';
export { t, tc, Text, tn } from './dialogue/text.js';
export { Translations } from './dialogue/translations.js';

/** @typedef {import('./app.js').Handlers} Handlers */
/** @typedef {import('./app.js').HostApp} HostApp */
/** @typedef {import('./dialogue/check.js').Check} Check */
/** @typedef {import('./dialogue/dialogue.js').Resume} Resume */
/** @typedef {import('./dialogue/graph.js').Graph} Graph */
/** @typedef {import('./dialogue/record.js').Record} DialogueRecord */
/** @typedef {import('./dialogue/state.js').MenuOption} MenuOption */
/** @typedef {import('./dialogue/state.js').Option} Option */
/** @typedef {import('./error.js').ErrorKind} ErrorKind */
/** @typedef {import('./event.js').EventFields} EventFields */
/** @typedef {import('./fetch-json.js').Retry} Retry */
/** @typedef {import('./log.js').Level} Level */
/** @typedef {import('./message.js').MessageFields} MessageFields */
/** @typedef {import('./message.js').ReplyOptions} ReplyOptions */
/** @typedef {import('./message.js').SessionEvent} SessionEvent */
/** @typedef {import('./metrics.js').Aggregator} Aggregator */
/** @typedef {import('./outbound.js').SendOptions} SendOptions */
