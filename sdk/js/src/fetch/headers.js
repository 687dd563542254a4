/**
 * @module
 */

/** @typedef {Headers | Record<string, string> | Iterable<readonly [string, string]>} HeadersInit */

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

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
  /** Names in lower case. @type {Array<[string, string]>} */
  #list = [];

  /** @param {HeadersInit} [init] */
  constructor(init = []) {
    const pairs = isIterable(init) ? init : Object.entries(init);
    for (const [name, value] of pairs) this.append(name, value);
  }

  /**
   * Adds a value, beside those that are there.
   *
   * @param {string} name Of any case.
   * @param {string} value Its text.
   */
  append(name, value) {
    this.#list.push([known(name), clean(name, value)]);
  }

  /**
   * Sets the one value of a name.
   *
   * @param {string} name Of any case.
   * @param {string} value Its text.
   */
  set(name, value) {
    const key = known(name);
    const text = clean(name, value);
    const at = this.#list.findIndex(([each]) => each === key);
    if (at < 0) this.#list.push([key, text]);
    else
      this.#list = this.#list.flatMap((pair, index) => (index === at ? [[key, text]] : pair[0] === key ? [] : [pair]));
  }

  /** @param {string} name Of any case. */
  delete(name) {
    const key = known(name);
    this.#list = this.#list.filter(([each]) => each !== key);
  }

  /**
   * @param {string} name Of any case.
   * @returns {boolean} True when there is one.
   */
  has(name) {
    const key = known(name);
    return this.#list.some(([each]) => each === key);
  }

  /**
   * @param {string} name Of any case.
   * @returns {string | null} All its values, with `, ` between them.
   */
  get(name) {
    const values = this.#values(known(name));
    return values.length === 0 ? null : values.join(', ');
  }

  /** @returns {string[]} The values of `set-cookie`, each for itself. */
  getSetCookie() {
    return this.#values('set-cookie');
  }

  /** @returns {IterableIterator<[string, string]>} Names in lower case and their values, in the order of the names. */
  *entries() {
    for (const name of [...new Set(this.#list.map(([each]) => each))].sort()) {
      const values = this.#values(name);
      if (name === 'set-cookie') for (const value of values) yield [name, value];
      else yield [name, values.join(', ')];
    }
  }

  /** @returns {IterableIterator<string>} */
  *keys() {
    for (const [name] of this.entries()) yield name;
  }

  /** @returns {IterableIterator<string>} */
  *values() {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  /** @param {(value: string, name: string, headers: Headers) => void} visit Gets each pair. */
  forEach(visit) {
    for (const [name, value] of this.entries()) visit(value, name, this);
  }

  /** @param {string} key */
  #values(key) {
    return this.#list.filter(([each]) => each === key).map(([, value]) => value);
  }
}

/** @param {HeadersInit} init @returns {init is Headers | Iterable<readonly [string, string]>} */
function isIterable(init) {
  return typeof (/** @type {any} */ (init)[Symbol.iterator]) === 'function';
}

/** @param {string} name */
function known(name) {
  const text = String(name);
  if (!NAME.test(text)) throw new TypeError(`"${text}" is no name of a header`);
  return text.toLowerCase();
}

/** @param {string} name @param {string} value */
function clean(name, value) {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (/[\0\r\n]/.test(text)) throw new TypeError(`the value of the header "${name}" holds a line break`);
  return text;
}
