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
    /** @param {MessageFields} fields All fields, as the contract has them. */
    constructor(fields: MessageFields);
    /** Names this message. */
    get id(): string;
    /** Who sent it; the empty text when the network did not say. */
    get user(): string;
    /** Who sent it; `null` when the network did not say. */
    get fromAddr(): string | null;
    /** What kind of address `fromAddr` is, e.g. `msisdn`, where the transport knows. */
    get fromAddrType(): string | null;
    /** Where it was sent to, e.g. a short code. */
    get toAddr(): string | null;
    /** What kind of address `toAddr` is, where the transport knows. */
    get toAddrType(): string | null;
    /** The text; `null` when the network sent none, as at the beginning of many USSD sessions. */
    get content(): string | null;
    /** The text without surrounding white space; empty when there is none. */
    get text(): string;
    /** Where it stands in its session; `null` for messages that belong to no session (SMS). */
    get sessionEvent(): import("../types/contract.d.ts").SessionEvent | null;
    /** True when it begins a session. */
    get isNew(): boolean;
    /** True when it ends a session: nobody is there to read a reply. */
    get isClose(): boolean;
    /** `sms`, `ussd`, `telnet`, … */
    get transportType(): string | null;
    /** The name of the transport that it came through. */
    get transportName(): string | null;
    /** The group or channel, in chat networks. */
    get group(): string | null;
    /** The mobile network operator, where known. */
    get provider(): string | null;
    /** The app's endpoint that it arrived at. */
    get endpoint(): string;
    /** The id of the message that this one answers. */
    get inReplyTo(): string | null;
    /** When it was made: microseconds since 1970-01-01T00:00:00Z. */
    get timestampMicros(): number;
    /** When it was made, to the millisecond. */
    get date(): Date;
    /** What dispatchers and middleware noted on it, e.g. tags. */
    get helperMetadata(): Record<string, unknown>;
    /** What belongs to the transport. */
    get transportMetadata(): Record<string, unknown>;
    /** All fields, as the contract has them. */
    get fields(): import("../types/contract.d.ts").MessageFields;
    /**
     * Answers, and keeps the session open unless told otherwise.
     *
     * @param {string | null} content The text.
     * @param {ReplyOptions} [options] How.
     * @returns {string} The new message's id.
     * @throws {import('./error.js').HostError} When the run has sent too many messages, or the host cannot take it now.
     */
    reply(content: string | null, options?: ReplyOptions): string;
    /**
     * Answers, and ends the session.
     *
     * @param {string | null} content The text.
     * @returns {string} The new message's id.
     * @throws {import('./error.js').HostError} As {@link Message.reply}.
     */
    replyAndClose(content: string | null): string;
    /**
     * Answers to the whole group that the message came from, if it came from one.
     *
     * @param {string | null} content The text.
     * @param {ReplyOptions} [options] How.
     * @returns {string} The new message's id.
     * @throws {import('./error.js').HostError} As {@link Message.reply}.
     */
    replyToGroup(content: string | null, options?: ReplyOptions): string;
    #private;
}
export type MessageFields = import("../types/contract.d.ts").MessageFields;
export type SessionEvent = import("../types/contract.d.ts").SessionEvent;
/**
 * How an answer is sent.
 */
export type ReplyOptions = {
    /**
     * Ends the session after this message.
     */
    closeSession?: boolean;
    /**
     * Keys that are laid over the original's helper metadata; only
     * those that the host's configuration allows.
     */
    helperMetadata?: Record<string, unknown>;
};
