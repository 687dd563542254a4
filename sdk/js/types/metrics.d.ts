/**
 * How several values within one interval become one.
 *
 * @typedef {'sum' | 'avg' | 'min' | 'max' | 'last'} Aggregator
 */
/**
 * Publishes one value.
 *
 * @param {string} name Begins with a letter; letters, digits, `.`, `_`, `-`; at most 101 characters.
 * @param {number} value Finite.
 * @param {Aggregator} aggregator How values within one interval become one.
 * @throws {import('./error.js').HostError} Of kind `invalid` when the name is no metric name or the value not finite.
 * @example
 * import { metrics } from '@vumi/sdk';
 *
 * metrics.fire('basket.size', 3, 'avg');
 */
export function fire(name: string, value: number, aggregator: Aggregator): void;
/**
 * Counts something: adds one to a sum.
 *
 * @param {string} name As for {@link fire}.
 * @throws {import('./error.js').HostError} As {@link fire}.
 * @example
 * import { metrics } from '@vumi/sdk';
 *
 * metrics.count('orders');
 */
export function count(name: string): void;
/**
 * How several values within one interval become one.
 */
export type Aggregator = "sum" | "avg" | "min" | "max" | "last";
