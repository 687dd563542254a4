/**
 * @module
 */

import { Body } from './body.js';

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
  #url = '';

  /**
   * @param {import('./body.js').BodyInit} [body] Its body.
   * @param {ResponseInit} [init] The rest.
   */
  constructor(body, init = {}) {
    super(body, init.headers);
    /** The status code. */
    this.status = init.status ?? 200;
    if (!Number.isInteger(this.status) || this.status < 200 || this.status > 599) {
      throw new RangeError(`${this.status} is no status`);
    }
    /** The words beside the status; empty for what came from the web. */
    this.statusText = init.statusText ?? '';
  }

  /** True for 200 to 299. */
  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  /** The address that was asked; empty for a response of your own. */
  get url() {
    return this.#url;
  }

  /** @returns {Response} The same again, to be read apart. */
  clone() {
    return Response.of(this.#url, this.status, [...this.headers], this.peek(), this.statusText);
  }

  /**
   * @param {unknown} value Anything that JSON can write.
   * @param {ResponseInit} [init] The rest.
   * @returns {Response} A response whose body it is.
   */
  static json(value, init = {}) {
    const response = new Response(JSON.stringify(value), init);
    if (!init.headers || !new Body(null, init.headers).headers.has('content-type')) {
      response.headers.set('content-type', 'application/json');
    }
    return response;
  }

  /**
   * @internal
   * @param {string} url
   * @param {number} status
   * @param {Array<[string, string]>} headers
   * @param {Uint8Array | null} body
   * @param {string} [statusText]
   */
  static of(url, status, headers, body, statusText = '') {
    const response = new Response(body, { headers, statusText });
    // What came from the web is what it is.
    response.status = status;
    response.#url = url;
    return response;
  }
}
