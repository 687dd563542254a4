/**
 * The app's configuration, given by its owner.
 *
 * @module
 */

import { configGet } from 'vumi:host';

/**
 * The text of a configured key, if the app's owner set it.
 *
 * @param {string} key As in the host's configuration of the app, under `config`.
 * @returns {string | undefined} Its text.
 * @example
 * import { config } from '@vumi/sdk';
 *
 * const shop = config('name') ?? 'the shop';
 * console.assert(shop === 'the shop');
 */
export function config(key) {
  return configGet(key) ?? undefined;
}
