/**
 * A request, as the web platform has it.
 *
 * @example
 * import { Request } from '@vumi/sdk';
 *
 * const request = new Request('https://clinic.example/api/patients', {
 *   method: 'POST',
 *   body: JSON.stringify({ name: 'Anna' }),
 * });
 * console.assert(request.method === 'POST');
 */
export class Request extends Body {
    /**
     * @param {string | URL | Request} input The address, or a request to go on from.
     * @param {RequestInit} [init] The rest.
     */
    constructor(input: string | URL | Request, init?: RequestInit);
    /** The address, in full, as it was written: it is the host that takes it apart. @type {string} */
    url: string;
    /** In upper case. @type {string} */
    method: string;
    /** What makes it give up, if anything. @type {import('./abort.js').AbortSignal | null} */
    signal: import("./abort.js").AbortSignal | null;
    /** @returns {Request} The same again, to be sent or read apart. */
    clone(): Request;
}
export type URL = import("./url.js").URL;
export type RequestInit = {
    /**
     * `GET` unless given.
     */
    method?: string;
    /**
     * Its headers.
     */
    headers?: import("./headers.js").HeadersInit;
    /**
     * Its body; not with `GET` and `HEAD`.
     */
    body?: import("./body.js").BodyInit;
    /**
     * Gives up when it aborts, e.g. `AbortSignal.timeout(5000)`.
     */
    signal?: import("./abort.js").AbortSignal | null;
};
import { Body } from './body.js';
