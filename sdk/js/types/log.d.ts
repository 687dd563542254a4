/** @typedef {'debug' | 'info' | 'warning' | 'error' | 'critical'} Level */
/**
 * Writes one entry.
 *
 * @param {Level} level How much it matters.
 * @param {string} text What happened.
 * @example
 * import { log } from '@vumi/sdk';
 *
 * log.log('info', 'the shop is open');
 */
export function log(level: Level, text: string): void;
/**
 * Writes an entry at level debug.
 *
 * @param {string} text What happened.
 * @example
 * import { log } from '@vumi/sdk';
 *
 * log.debug('asked for the price of bread');
 */
export function debug(text: string): void;
/**
 * Writes an entry at level info.
 *
 * @param {string} text What happened.
 * @example
 * import { log } from '@vumi/sdk';
 *
 * log.info('a visitor came');
 */
export function info(text: string): void;
/**
 * Writes an entry at level warning.
 *
 * @param {string} text What happened.
 * @example
 * import { log } from '@vumi/sdk';
 *
 * log.warning('the bread is nearly gone');
 */
export function warning(text: string): void;
/**
 * Writes an entry at level error.
 *
 * @param {string} text What happened.
 * @example
 * import { log } from '@vumi/sdk';
 *
 * log.error('the bakery did not answer');
 */
export function error(text: string): void;
/**
 * Writes an entry at level critical.
 *
 * @param {string} text What happened.
 * @example
 * import { log } from '@vumi/sdk';
 *
 * log.critical('the shop is on fire');
 */
export function critical(text: string): void;
export type Level = "debug" | "info" | "warning" | "error" | "critical";
