/**
 * @module
 */
/** @typedef {string | Record<string, string> | Iterable<readonly [string, string]>} SearchParamsInit */
/**
 * The pairs of a query, as the web platform has them.
 *
 * @example
 * import { URLSearchParams } from '@vumi/sdk';
 *
 * const query = new URLSearchParams({ name: 'Anna Moyo' });
 * query.append('lang', 'sw');
 * console.assert(query.toString() === 'name=Anna+Moyo&lang=sw');
 */
export class URLSearchParams {
    /** @param {SearchParamsInit} [init] */
    constructor(init?: SearchParamsInit);
    /** @internal @param {string} text @param {() => void} changed Is told of every change from now on. */
    bind(text: string, changed: () => void): this;
    /** How many pairs there are. */
    get size(): number;
    /** @param {string} name @param {string} value */
    append(name: string, value: string): void;
    /** @param {string} name @param {string} value Replaces all values of the name. */
    set(name: string, value: string): void;
    /** @param {string} name @param {string} [value] Only the pairs of this value. */
    delete(name: string, value?: string): void;
    /** @param {string} name @returns {string | null} Its first value. */
    get(name: string): string | null;
    /** @param {string} name @returns {string[]} All its values. */
    getAll(name: string): string[];
    /** @param {string} name @param {string} [value] @returns {boolean} */
    has(name: string, value?: string): boolean;
    /** Sorts the pairs by their names; those of one name keep their order. */
    sort(): void;
    /** @returns {IterableIterator<[string, string]>} */
    entries(): IterableIterator<[string, string]>;
    /** @returns {IterableIterator<string>} */
    keys(): IterableIterator<string>;
    /** @returns {IterableIterator<string>} */
    values(): IterableIterator<string>;
    /** @param {(value: string, name: string, params: URLSearchParams) => void} visit Gets each pair. */
    forEach(visit: (value: string, name: string, params: URLSearchParams) => void): void;
    toString(): string;
    [Symbol.iterator](): IterableIterator<[string, string]>;
    get [Symbol.toStringTag](): string;
    #private;
}
export type SearchParamsInit = string | Record<string, string> | Iterable<readonly [string, string]>;
