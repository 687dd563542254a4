/**
 * Where a user is in the conversation, as kv keeps it under `dialogue:<user address>`. Apps meet it in
 * `Dialogue.migrate`.
 *
 * @typedef {object} Record
 * @property {number} version The dialogue's version.
 * @property {string | null} state The state whose screen the user saw last; `null` after an end.
 * @property {string[]} history The states before it, the oldest first.
 * @property {{ [name: string]: unknown }} answers By state name, and what `ctx.set` kept.
 * @property {number} page Which page of the screen, from 0.
 * @property {string} [lang] The user's language; absent when never chosen.
 * @property {string} [note] The reason that stands before the text.
 * @property {boolean} [asking] Whether the user is being asked whether to continue.
 */
/**
 * The key of a user.
 *
 * @internal
 * @param {string} user
 */
export function keyOf(user: string): string;
/**
 * At the beginning, in a language.
 *
 * @internal
 * @param {number} version
 * @param {string | undefined} lang
 * @returns {Record}
 */
export function fresh(version: number, lang: string | undefined): Record;
/**
 * The current state becomes one that can be gone back to.
 *
 * @internal
 * @param {Record} record
 */
export function leave(record: Record): void;
/**
 * What kv has, if it is a record.
 *
 * @internal
 * @param {string} text
 * @returns {Record | undefined}
 */
export function read(text: string): Record | undefined;
/**
 * Where a user is in the conversation, as kv keeps it under `dialogue:<user address>`. Apps meet it in
 * `Dialogue.migrate`.
 */
export type Record = {
    /**
     * The dialogue's version.
     */
    version: number;
    /**
     * The state whose screen the user saw last; `null` after an end.
     */
    state: string | null;
    /**
     * The states before it, the oldest first.
     */
    history: string[];
    /**
     * By state name, and what `ctx.set` kept.
     */
    answers: {
        [name: string]: unknown;
    };
    /**
     * Which page of the screen, from 0.
     */
    page: number;
    /**
     * The user's language; absent when never chosen.
     */
    lang?: string;
    /**
     * The reason that stands before the text.
     */
    note?: string;
    /**
     * Whether the user is being asked whether to continue.
     */
    asking?: boolean;
};
