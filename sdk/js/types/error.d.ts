/**
 * True when a limit of the host was reached.
 *
 * @param {unknown} error Anything that was thrown.
 * @returns {error is HostError} Whether it is a refusal of kind `quota`.
 * @example
 * import { isQuota, kv, log } from '@vumi/sdk';
 *
 * try {
 *   kv.incr('visits', 1);
 * } catch (error) {
 *   // An app may keep a limited number of keys; counting is not worth failing for.
 *   if (!isQuota(error)) throw error;
 *   log.warning(`not counted: ${error.message}`);
 * }
 */
export function isQuota(error: unknown): error is HostError;
/**
 * Errors of the host's calls.
 *
 * @module
 */
/**
 * Why a host call did not do what it was asked:
 *
 * - `denied`: the app may not do this; the host's configuration would have to allow it.
 * - `quota`: a limit is used up; the error's message names it.
 * - `invalid`: the arguments make no sense; the message says which and why.
 * - `unavailable`: not possible now; a later try may succeed.
 *
 * @typedef {'denied' | 'quota' | 'invalid' | 'unavailable'} ErrorKind
 */
/**
 * What a refused call of the host throws. The host makes these itself; `instanceof` knows them by their name.
 *
 * @example
 * import { HostError, kv, log } from '@vumi/sdk';
 *
 * try {
 *   kv.set('greeting', 'hello');
 * } catch (error) {
 *   if (!(error instanceof HostError && error.kind === 'quota')) throw error;
 *   log.warning(`not kept: ${error.message}`);
 * }
 */
export class HostError extends Error {
    /**
     * @param {unknown} value Anything that was thrown.
     * @returns {boolean} True for what the host threw.
     */
    static [Symbol.hasInstance](value: unknown): boolean;
    /**
     * @param {ErrorKind} kind Why it did not work.
     * @param {string} message One sentence for the app's owner.
     */
    constructor(kind: ErrorKind, message: string);
    /** Why it did not work. */
    kind: ErrorKind;
}
/**
 * Why a host call did not do what it was asked:
 *
 * - `denied`: the app may not do this; the host's configuration would have to allow it.
 * - `quota`: a limit is used up; the error's message names it.
 * - `invalid`: the arguments make no sense; the message says which and why.
 * - `unavailable`: not possible now; a later try may succeed.
 */
export type ErrorKind = "denied" | "quota" | "invalid" | "unavailable";
