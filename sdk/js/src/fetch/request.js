/**
 * @module
 */

import { Body } from './body.js';

/** @typedef {import('./url.js').URL} URL */

/**
 * @typedef {object} RequestInit
 * @property {string} [method] `GET` unless given.
 * @property {import('./headers.js').HeadersInit} [headers] Its headers.
 * @property {import('./body.js').BodyInit} [body] Its body; not with `GET` and `HEAD`.
 * @property {import('./abort.js').AbortSignal | null} [signal] Gives up when it aborts, e.g. `AbortSignal.timeout(5000)`.
 */

/** What the host can send. */
const METHODS = ['GET', 'PUT', 'DELETE', 'HEAD', 'POST', 'PATCH'];

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
  constructor(input, init = {}) {
    /** @type {Request | undefined} */
    const from = input instanceof Request ? input : undefined;
    super(init.body ?? from?.peek() ?? null, init.headers ?? from?.headers);
    /** The address, in full, as it was written: it is the host that takes it apart. @type {string} */
    this.url = from?.url ?? String(input).trim();
    /** In upper case. @type {string} */
    this.method = (init.method ?? from?.method ?? 'GET').toUpperCase();
    /** What makes it give up, if anything. @type {import('./abort.js').AbortSignal | null} */
    this.signal = init.signal ?? from?.signal ?? null;
    if (!/^https?:\/\/[^/]/i.test(this.url)) throw new TypeError(`"${this.url}" is no address of the web`);
    if (!METHODS.includes(this.method)) {
      throw new TypeError(`"${this.method}" is none of the methods that can be sent: ${METHODS.join(', ')}`);
    }
    if ((this.method === 'GET' || this.method === 'HEAD') && this.peek() !== null) {
      throw new TypeError(`a ${this.method} request has no body`);
    }
  }

  /** @returns {Request} The same again, to be sent or read apart. */
  clone() {
    return new Request(this);
  }
}
