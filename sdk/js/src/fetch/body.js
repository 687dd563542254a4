/**
 * What requests and responses have in common.
 *
 * @module
 */

import { Headers } from './headers.js';

/** @typedef {string | ArrayBuffer | ArrayBufferView | import('./search-params.js').URLSearchParams | null} BodyInit */

/**
 * The bytes of a body, and the type that its kind implies.
 *
 * @param {BodyInit | undefined} body
 * @returns {[Uint8Array<ArrayBuffer> | null, string | null]}
 */
export function bytesOf(body) {
  if (body === undefined || body === null) return [null, null];
  if (body instanceof ArrayBuffer) return [new Uint8Array(body.slice(0)), null];
  if (ArrayBuffer.isView(body)) {
    return [new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice(), null];
  }
  // By its tag: an app that has no use for URLSearchParams need not carry it.
  if (typeof body === 'object' && body[Symbol.toStringTag] === 'URLSearchParams') {
    return [new TextEncoder().encode(body.toString()), 'application/x-www-form-urlencoded;charset=UTF-8'];
  }
  return [new TextEncoder().encode(String(body)), 'text/plain;charset=UTF-8'];
}

/** A body that can be read once, and its headers. */
export class Body {
  /** @type {Uint8Array<ArrayBuffer> | null} */
  #bytes;
  #used = false;

  /**
   * @param {BodyInit | undefined} body
   * @param {import('./headers.js').HeadersInit | undefined} headers
   */
  constructor(body, headers) {
    const [bytes, type] = bytesOf(body);
    this.#bytes = bytes;
    this.headers = new Headers(headers);
    if (type !== null && !this.headers.has('content-type')) this.headers.set('content-type', type);
  }

  /** True when it was read. */
  get bodyUsed() {
    return this.#used;
  }

  /** @returns {Promise<Uint8Array<ArrayBuffer>>} The body. */
  async bytes() {
    return this.#take();
  }

  /** @returns {Promise<ArrayBuffer>} The body. */
  async arrayBuffer() {
    return this.#take().buffer;
  }

  /** @returns {Promise<string>} The body as UTF-8; what is none becomes U+FFFD. */
  async text() {
    return new TextDecoder().decode(this.#take());
  }

  /**
   * @returns {Promise<any>} The body as JSON.
   * @throws {SyntaxError} When it is no JSON.
   */
  async json() {
    return JSON.parse(new TextDecoder().decode(this.#take()));
  }

  /** @internal @returns {Uint8Array<ArrayBuffer> | null} The bytes, unread still. */
  peek() {
    if (this.#used) throw new TypeError('the body was read already');
    return this.#bytes;
  }

  #take() {
    const bytes = this.peek();
    this.#used = bytes !== null;
    return bytes?.slice() ?? new Uint8Array(0);
  }
}
