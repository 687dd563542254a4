/** @typedef {string | ArrayBuffer | ArrayBufferView | import('./search-params.js').URLSearchParams | null} BodyInit */
/**
 * The bytes of a body, and the type that its kind implies.
 *
 * @param {BodyInit | undefined} body
 * @returns {[Uint8Array<ArrayBuffer> | null, string | null]}
 */
export function bytesOf(body: BodyInit | undefined): [Uint8Array<ArrayBuffer> | null, string | null];
/** A body that can be read once, and its headers. */
export class Body {
    /**
     * @param {BodyInit | undefined} body
     * @param {import('./headers.js').HeadersInit | undefined} headers
     */
    constructor(body: BodyInit | undefined, headers: import("./headers.js").HeadersInit | undefined);
    headers: Headers;
    /** True when it was read. */
    get bodyUsed(): boolean;
    /** @returns {Promise<Uint8Array<ArrayBuffer>>} The body. */
    bytes(): Promise<Uint8Array<ArrayBuffer>>;
    /** @returns {Promise<ArrayBuffer>} The body. */
    arrayBuffer(): Promise<ArrayBuffer>;
    /** @returns {Promise<string>} The body as UTF-8; what is none becomes U+FFFD. */
    text(): Promise<string>;
    /**
     * @returns {Promise<any>} The body as JSON.
     * @throws {SyntaxError} When it is no JSON.
     */
    json(): Promise<any>;
    /** @internal @returns {Uint8Array<ArrayBuffer> | null} The bytes, unread still. */
    peek(): Uint8Array<ArrayBuffer> | null;
    #private;
}
export type BodyInit = string | ArrayBuffer | ArrayBufferView | import("./search-params.js").URLSearchParams | null;
import { Headers } from './headers.js';
