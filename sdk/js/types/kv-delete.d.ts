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
export function remove(key: string): boolean;
