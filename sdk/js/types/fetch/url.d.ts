/**
 * @typedef {object} Parts
 * @property {string} protocol With its colon.
 * @property {string} username
 * @property {string} password
 * @property {string | null} host
 * @property {string} port
 * @property {string[] | string} path Segments; one text where the scheme knows none (`mailto:`).
 * @property {string | null} query Without its question mark.
 * @property {string | null} fragment Without its hash sign.
 */
/**
 * An address, taken apart.
 *
 * @example
 * import { URL } from '@vumi/sdk';
 *
 * const url = new URL('../patients?page=2', 'https://clinic.example/api/v1/');
 * url.searchParams.set('page', '3');
 * console.assert(url.href === 'https://clinic.example/api/patients?page=3');
 */
export class URL {
    /**
     * @param {string | URL} url The address.
     * @param {string | URL} [base] What a relative one stands beside.
     * @returns {boolean} True when it is one.
     */
    static canParse(url: string | URL, base?: string | URL): boolean;
    /**
     * @param {string | URL} url The address.
     * @param {string | URL} [base] What a relative one stands beside.
     * @returns {URL | null} `null` when it is none.
     */
    static parse(url: string | URL, base?: string | URL): URL | null;
    /**
     * @param {string | URL} url The address.
     * @param {string | URL} [base] What a relative one stands beside.
     * @throws {TypeError} When it is none.
     */
    constructor(url: string | URL, base?: string | URL);
    set href(text: string);
    /** The whole. */
    get href(): string;
    /** `https://name:port`; `null` as text for schemes without a host. */
    get origin(): string;
    /** The scheme and its colon. */
    get protocol(): string;
    set username(text: string);
    get username(): string;
    set password(text: string);
    get password(): string;
    /** Name and port. */
    get host(): string;
    set hostname(text: string);
    get hostname(): string;
    set port(text: string);
    /** Empty when it is the scheme's own. */
    get port(): string;
    set pathname(text: string);
    get pathname(): string;
    set search(text: string);
    /** The query with its question mark; empty when there is none. */
    get search(): string;
    /** The pairs of the query; changes are changes of the address. */
    get searchParams(): URLSearchParams;
    set hash(text: string);
    /** The fragment with its hash sign; empty when there is none. */
    get hash(): string;
    toString(): string;
    toJSON(): string;
    #private;
}
export type Parts = {
    /**
     * With its colon.
     */
    protocol: string;
    username: string;
    password: string;
    host: string | null;
    port: string;
    /**
     * Segments; one text where the scheme knows none (`mailto:`).
     */
    path: string[] | string;
    /**
     * Without its question mark.
     */
    query: string | null;
    /**
     * Without its hash sign.
     */
    fragment: string | null;
};
import { URLSearchParams } from './search-params.js';
