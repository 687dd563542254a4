/**
 * `kv.delete`, apart because `delete` is a word of the language: no function can be called so, but an export can.
 *
 * @module
 */

import { kvDelete } from 'vumi:host';

/**
 * Removes a key.
 *
 * @param {string} key Names the value.
 * @returns {boolean} True when there was one.
 * @throws {import('./error.js').HostError} When the host cannot do it now.
 * @example
 * import { kv } from '@vumi/sdk';
 *
 * kv.set('basket', []);
 * console.assert(kv.delete('basket') === true);
 * console.assert(kv.delete('basket') === false);
 */
export function remove(key) {
  return kvDelete(key);
}
