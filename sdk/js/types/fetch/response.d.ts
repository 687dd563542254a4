/**
 * @typedef {object} ResponseInit
 * @property {number} [status] 200 unless given.
 * @property {string} [statusText] The words beside the status.
 * @property {import('./headers.js').HeadersInit} [headers] Its headers.
 */
/**
 * A response, as the web platform has it. There are no streams: the body is there as a whole.
 *
 * @example
 * import { Response } from '@vumi/sdk';
 *
 * const response = Response.json({ id: 7 }, { status: 201 });
 * console.assert(response.ok && (await response.json()).id === 7);
 */
export class Response extends Body {
    /**
     * @param {unknown} value Anything that JSON can write.
     * @param {ResponseInit} [init] The rest.
     * @returns {Response} A response whose body it is.
     */
    static json(value: unknown, init?: ResponseInit): Response;
    /**
     * @internal
     * @param {string} url
     * @param {number} status
     * @param {Array<[string, string]>} headers
     * @param {Uint8Array | null} body
     * @param {string} [statusText]
     */
    static of(url: string, status: number, headers: Array<[string, string]>, body: Uint8Array | null, statusText?: string): Response;
    /**
     * @param {import('./body.js').BodyInit} [body] Its body.
     * @param {ResponseInit} [init] The rest.
     */
    constructor(body?: import("./body.js").BodyInit, init?: ResponseInit);
    /** The status code. */
    status: number;
    /** The words beside the status; empty for what came from the web. */
    statusText: string;
    /** True for 200 to 299. */
    get ok(): boolean;
    /** The address that was asked; empty for a response of your own. */
    get url(): string;
    /** @returns {Response} The same again, to be read apart. */
    clone(): Response;
    #private;
}
export type ResponseInit = {
    /**
     * 200 unless given.
     */
    status?: number;
    /**
     * The words beside the status.
     */
    statusText?: string;
    /**
     * Its headers.
     */
    headers?: import("./headers.js").HeadersInit;
};
import { Body } from './body.js';
