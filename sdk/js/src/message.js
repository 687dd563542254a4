/**
 * Messages from users, and answers to them.
 *
 * @module
 */

import { reply as hostReply, replyToGroup as hostReplyToGroup } from 'vumi:host';
import { metadataText } from './outbound.js';

/** @typedef {import('../types/contract.d.ts').MessageFields} MessageFields */
/** @typedef {import('../types/contract.d.ts').SessionEvent} SessionEvent */

/**
 * How an answer is sent.
 *
 * @typedef {object} ReplyOptions
 * @property {boolean} [closeSession] Ends the session after this message.
 * @property {Record<string, unknown>} [helperMetadata] Keys that are laid over the original's helper metadata; only
 *   those that the host's configuration allows.
 */

/**
 * A message from a user.
 *
 * @example
 * import { app, kv } from '@vumi/sdk';
 *
 * export default app({
 *   onMessage(message) {
 *     const visits = kv.incr(`visits:${message.user}`);
 *     message.reply(`Welcome! This is visit number ${visits}.`);
 *   },
 * });
 */
export class Message {
  /** @type {MessageFields} */
  #fields;
  /** @type {Record<string, unknown> | undefined} */
  #helperMetadata;
  /** @type {Record<string, unknown> | undefined} */
  #transportMetadata;

  /** @param {MessageFields} fields All fields, as the contract has them. */
  constructor(fields) {
    this.#fields = fields;
  }

  /** Names this message. */
  get id() {
    return this.#fields.messageId;
  }

  /** Who sent it; the empty text when the network did not say. */
  get user() {
    return this.#fields.fromAddr ?? '';
  }

  /** Who sent it; `null` when the network did not say. */
  get fromAddr() {
    return this.#fields.fromAddr;
  }

  /** What kind of address `fromAddr` is, e.g. `msisdn`, where the transport knows. */
  get fromAddrType() {
    return this.#fields.fromAddrType;
  }

  /** Where it was sent to, e.g. a short code. */
  get toAddr() {
    return this.#fields.toAddr;
  }

  /** What kind of address `toAddr` is, where the transport knows. */
  get toAddrType() {
    return this.#fields.toAddrType;
  }

  /** The text; `null` when the network sent none, as at the beginning of many USSD sessions. */
  get content() {
    return this.#fields.content;
  }

  /** The text without surrounding white space; empty when there is none. */
  get text() {
    return (this.#fields.content ?? '').trim();
  }

  /** Where it stands in its session; `null` for messages that belong to no session (SMS). */
  get sessionEvent() {
    return this.#fields.sessionEvent;
  }

  /** True when it begins a session. */
  get isNew() {
    return this.#fields.sessionEvent === 'new';
  }

  /** True when it ends a session: nobody is there to read a reply. */
  get isClose() {
    return this.#fields.sessionEvent === 'close';
  }

  /** `sms`, `ussd`, `telnet`, … */
  get transportType() {
    return this.#fields.transportType;
  }

  /** The name of the transport that it came through. */
  get transportName() {
    return this.#fields.transportName;
  }

  /** The group or channel, in chat networks. */
  get group() {
    return this.#fields.group;
  }

  /** The mobile network operator, where known. */
  get provider() {
    return this.#fields.provider;
  }

  /** The app's endpoint that it arrived at. */
  get endpoint() {
    return this.#fields.endpoint;
  }

  /** The id of the message that this one answers. */
  get inReplyTo() {
    return this.#fields.inReplyTo;
  }

  /** When it was made: microseconds since 1970-01-01T00:00:00Z. */
  get timestampMicros() {
    return this.#fields.timestamp;
  }

  /** When it was made, to the millisecond. */
  get date() {
    return new Date(Math.floor(this.#fields.timestamp / 1000));
  }

  /** What dispatchers and middleware noted on it, e.g. tags. */
  get helperMetadata() {
    this.#helperMetadata ??= /** @type {Record<string, unknown>} */ (JSON.parse(this.#fields.helperMetadata));
    return this.#helperMetadata;
  }

  /** What belongs to the transport. */
  get transportMetadata() {
    this.#transportMetadata ??= /** @type {Record<string, unknown>} */ (JSON.parse(this.#fields.transportMetadata));
    return this.#transportMetadata;
  }

  /** All fields, as the contract has them. */
  get fields() {
    return this.#fields;
  }

  /**
   * Answers, and keeps the session open unless told otherwise.
   *
   * @param {string | null} content The text.
   * @param {ReplyOptions} [options] How.
   * @returns {string} The new message's id.
   * @throws {import('./error.js').HostError} When the run has sent too many messages, or the host cannot take it now.
   */
  reply(content, options = {}) {
    return hostReply(content, hostOptions(options));
  }

  /**
   * Answers, and ends the session.
   *
   * @param {string | null} content The text.
   * @returns {string} The new message's id.
   * @throws {import('./error.js').HostError} As {@link Message.reply}.
   */
  replyAndClose(content) {
    return this.reply(content, { closeSession: true });
  }

  /**
   * Answers to the whole group that the message came from, if it came from one.
   *
   * @param {string | null} content The text.
   * @param {ReplyOptions} [options] How.
   * @returns {string} The new message's id.
   * @throws {import('./error.js').HostError} As {@link Message.reply}.
   */
  replyToGroup(content, options = {}) {
    return hostReplyToGroup(content, hostOptions(options));
  }
}

/** @param {ReplyOptions} options */
function hostOptions(options) {
  return { closeSession: options.closeSession ?? false, helperMetadata: metadataText(options.helperMetadata) };
}
