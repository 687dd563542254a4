/**
 * The value of a key; `undefined` when it was never set, was deleted or has expired.
 *
 * TypeScript takes your word for what it is: `kv.get<number>('visits')`.
 *
 * @template [T=unknown]
 * @param {string} key Names the value.
 * @returns {T | undefined} The value.
 * @throws {import('./error.js').HostError} When the host cannot answer now.
 * @example
 * import { kv } from '@vumi/sdk';
 *
 * kv.set('basket', ['bread', 'milk']);
 * console.assert(kv.get('basket')[1] === 'milk');
 * console.assert(kv.get('nothing') === undefined);
 */
export function get<T = unknown>(key: string): T | undefined;
/**
 * Sets a key, for good.
 *
 * @param {string} key Names the value.
 * @param {unknown} value Anything that JSON can write.
 * @throws {import('./error.js').HostError} Of kind `quota` when it is one key too many or the value is too large.
 * @throws {TypeError} When JSON cannot write the value, e.g. a function.
 * @example
 * import { kv } from '@vumi/sdk';
 *
 * kv.set('prices', { bread: 1250 });
 */
export function set(key: string, value: unknown): void;
/**
 * Sets a key that expires. Parts of a second count as a whole one.
 *
 * @param {string} key Names the value.
 * @param {unknown} value Anything that JSON can write.
 * @param {number} seconds How long it lasts.
 * @throws {import('./error.js').HostError} As {@link set}.
 * @example
 * import { kv } from '@vumi/sdk';
 *
 * kv.setFor('pin', '4711', 10 * 60);
 */
export function setFor(key: string, value: unknown, seconds: number): void;
/**
 * Adds to a whole number, in one step that no other run can get between. An absent key counts as 0.
 *
 * @param {string} key Names the number.
 * @param {number} [amount] A whole number; 1 unless given.
 * @returns {number} The sum.
 * @throws {import('./error.js').HostError} Of kind `invalid` when the value is no whole number.
 * @example
 * import { kv } from '@vumi/sdk';
 *
 * const visits = kv.incr('visits:+27820000001');
 * console.assert(visits === 1);
 */
export function incr(key: string, amount?: number): number;
export { remove as delete } from "./kv-delete.js";
