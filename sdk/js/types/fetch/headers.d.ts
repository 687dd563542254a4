/**
 * The headers of a request or response, as the web platform has them.
 *
 * @example
 * import { Headers } from '@vumi/sdk';
 *
 * const headers = new Headers({ Accept: 'application/json' });
 * headers.append('accept', 'text/plain');
 * console.assert(headers.get('ACCEPT') === 'application/json, text/plain');
 */
export class Headers {
    /** @param {HeadersInit} [init] */
    constructor(init?: HeadersInit);
    /**
     * Adds a value, beside those that are there.
     *
     * @param {string} name Of any case.
     * @param {string} value Its text.
     */
    append(name: string, value: string): void;
    /**
     * Sets the one value of a name.
     *
     * @param {string} name Of any case.
     * @param {string} value Its text.
     */
    set(name: string, value: string): void;
    /** @param {string} name Of any case. */
    delete(name: string): void;
    /**
     * @param {string} name Of any case.
     * @returns {boolean} True when there is one.
     */
    has(name: string): boolean;
    /**
     * @param {string} name Of any case.
     * @returns {string | null} All its values, with `, ` between them.
     */
    get(name: string): string | null;
    /** @returns {string[]} The values of `set-cookie`, each for itself. */
    getSetCookie(): string[];
    /** @returns {IterableIterator<[string, string]>} Names in lower case and their values, in the order of the names. */
    entries(): IterableIterator<[string, string]>;
    /** @returns {IterableIterator<string>} */
    keys(): IterableIterator<string>;
    /** @returns {IterableIterator<string>} */
    values(): IterableIterator<string>;
    /** @param {(value: string, name: string, headers: Headers) => void} visit Gets each pair. */
    forEach(visit: (value: string, name: string, headers: Headers) => void): void;
    [Symbol.iterator](): IterableIterator<[string, string]>;
    #private;
}
export type HeadersInit = Headers | Record<string, string> | Iterable<readonly [string, string]>;
