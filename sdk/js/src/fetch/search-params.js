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
  /** @type {Array<[string, string]>} */
  #pairs = [];
  /** @type {(() => void) | undefined} */
  #changed = undefined;

  /** @param {SearchParamsInit} [init] */
  constructor(init = '') {
    if (typeof init === 'string') this.#read(init);
    else {
      const pairs = typeof (/** @type {any} */ (init)[Symbol.iterator]) === 'function' ? init : Object.entries(init);
      for (const [name, value] of /** @type {Iterable<readonly [string, string]>} */ (pairs)) {
        this.#pairs.push([sane(name), sane(value)]);
      }
    }
  }

  /** @internal @param {string} text @param {() => void} changed Is told of every change from now on. */
  bind(text, changed) {
    this.#pairs = [];
    this.#read(text);
    this.#changed = changed;
    return this;
  }

  /** How many pairs there are. */
  get size() {
    return this.#pairs.length;
  }

  /** @param {string} name @param {string} value */
  append(name, value) {
    this.#pairs.push([sane(name), sane(value)]);
    this.#changed?.();
  }

  /** @param {string} name @param {string} value Replaces all values of the name. */
  set(name, value) {
    const key = sane(name);
    const at = this.#pairs.findIndex(([each]) => each === key);
    this.#pairs = this.#pairs.filter(([each], index) => each !== key || index === at);
    if (at < 0) this.#pairs.push([key, sane(value)]);
    else this.#pairs[at] = [key, sane(value)];
    this.#changed?.();
  }

  /** @param {string} name @param {string} [value] Only the pairs of this value. */
  delete(name, value) {
    this.#pairs = this.#pairs.filter(([each, text]) => each !== name || (value !== undefined && text !== value));
    this.#changed?.();
  }

  /** @param {string} name @returns {string | null} Its first value. */
  get(name) {
    return this.#pairs.find(([each]) => each === name)?.[1] ?? null;
  }

  /** @param {string} name @returns {string[]} All its values. */
  getAll(name) {
    return this.#pairs.filter(([each]) => each === name).map(([, value]) => value);
  }

  /** @param {string} name @param {string} [value] @returns {boolean} */
  has(name, value) {
    return this.#pairs.some(([each, text]) => each === name && (value === undefined || text === value));
  }

  /** Sorts the pairs by their names; those of one name keep their order. */
  sort() {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed?.();
  }

  /** @returns {IterableIterator<[string, string]>} */
  *entries() {
    for (const [name, value] of this.#pairs) yield [name, value];
  }

  /** @returns {IterableIterator<string>} */
  *keys() {
    for (const [name] of this.#pairs) yield name;
  }

  /** @returns {IterableIterator<string>} */
  *values() {
    for (const [, value] of this.#pairs) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  /** @param {(value: string, name: string, params: URLSearchParams) => void} visit Gets each pair. */
  forEach(visit) {
    for (const [name, value] of this.#pairs) visit(value, name, this);
  }

  get [Symbol.toStringTag]() {
    return 'URLSearchParams';
  }

  toString() {
    return this.#pairs.map(([name, value]) => `${form(name)}=${form(value)}`).join('&');
  }

  /** @param {string} text */
  #read(text) {
    for (const part of text.replace(/^\?/, '').split('&')) {
      if (part === '') continue;
      const at = part.indexOf('=');
      const [name, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
      this.#pairs.push([unform(name), unform(value)]);
    }
  }
}

/** Half a surrogate pair becomes U+FFFD. @param {string} text */
function sane(text) {
  return String(text).toWellFormed();
}

/** @param {string} text */
function form(text) {
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%20/g, '+');
}

/** @param {string} text */
function unform(text) {
  const bytes = new TextEncoder().encode(text.replace(/\+/g, ' '));
  const read = [];
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    const hex = byte === 0x25 ? String.fromCharCode(bytes[at + 1] ?? 0, bytes[at + 2] ?? 0) : '';
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      read.push(Number.parseInt(hex, 16));
      at += 2;
    } else read.push(byte);
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array(read));
}
