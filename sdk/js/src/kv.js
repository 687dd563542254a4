/**
 * Small values that outlive the run, in the app's own namespace. A value is anything that JSON can write.
 *
 * @module
 */

import { kvGet, kvIncr, kvSet } from 'vumi:host';

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
export function get(key) {
  const text = kvGet(key);
  return text === null ? undefined : JSON.parse(text);
}

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
export function set(key, value) {
  kvSet(key, json(key, value), null);
}

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
export function setFor(key, value, seconds) {
  kvSet(key, json(key, value), Math.min(Math.ceil(seconds), 0xffff_ffff));
}

export { remove as delete } from './kv-delete.js';

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
export function incr(key, amount = 1) {
  return kvIncr(key, amount);
}

/** @param {string} key @param {unknown} value */
function json(key, value) {
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`the value for the key "${key}" cannot be written as JSON`);
  return text;
}
