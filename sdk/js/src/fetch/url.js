/**
 * Addresses of the web, after the URL standard. What it leaves out: names with letters outside ASCII must be given in
 * punycode (`xn--…`).
 *
 * @module
 */

import { URLSearchParams } from './search-params.js';
import { readHost } from './url-host.js';

/** The ports that need not be written; these schemes have a host. @type {Record<string, string>} */
const SPECIAL = { 'http:': '80', 'https:': '443', 'ws:': '80', 'wss:': '443', 'ftp:': '21' };

// What is percent-encoded, beside control characters and what is not ASCII.
const FRAGMENT = ' "<>`';
const QUERY = ' "#<>';
const SPECIAL_QUERY = `${QUERY}'`;
const PATH = `${QUERY}?^\`{}`;
const USER = `${PATH}/:;=@[\\]|`;

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
  /** @type {Parts} */
  #parts;
  /** @type {URLSearchParams | undefined} */
  #params;

  /**
   * @param {string | URL} url The address.
   * @param {string | URL} [base] What a relative one stands beside.
   * @throws {TypeError} When it is none.
   */
  constructor(url, base) {
    const from = base === undefined ? undefined : parse(String(base));
    this.#parts = parse(String(url), from);
  }

  /**
   * @param {string | URL} url The address.
   * @param {string | URL} [base] What a relative one stands beside.
   * @returns {boolean} True when it is one.
   */
  static canParse(url, base) {
    return URL.parse(url, base) !== null;
  }

  /**
   * @param {string | URL} url The address.
   * @param {string | URL} [base] What a relative one stands beside.
   * @returns {URL | null} `null` when it is none.
   */
  static parse(url, base) {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }

  /** The whole. */
  get href() {
    const { protocol, username, password, host, path, query, fragment } = this.#parts;
    const secret = password === '' ? '' : `:${password}`;
    const user = username === '' && secret === '' ? '' : `${username}${secret}@`;
    // Two slashes at the beginning of a path without a host would be read as one.
    const empty = host === null && typeof path !== 'string' && path.length > 1 && path[0] === '' ? '/.' : '';
    const authority = host === null ? empty : `//${user}${this.host}`;
    const rest = `${query === null ? '' : `?${query}`}${fragment === null ? '' : `#${fragment}`}`;
    return `${protocol}${authority}${this.pathname}${rest}`;
  }

  set href(text) {
    this.#parts = parse(String(text));
    this.#params?.bind(this.#parts.query ?? '', () => this.#queryChanged());
  }

  /** `https://name:port`; `null` as text for schemes without a host. */
  get origin() {
    return SPECIAL[this.#parts.protocol] === undefined ? 'null' : `${this.#parts.protocol}//${this.host}`;
  }

  /** The scheme and its colon. */
  get protocol() {
    return this.#parts.protocol;
  }

  get username() {
    return this.#parts.username;
  }

  set username(text) {
    this.#parts.username = encode(String(text), USER);
  }

  get password() {
    return this.#parts.password;
  }

  set password(text) {
    this.#parts.password = encode(String(text), USER);
  }

  /** Name and port. */
  get host() {
    return `${this.hostname}${this.#parts.port === '' ? '' : `:${this.#parts.port}`}`;
  }

  get hostname() {
    return this.#parts.host ?? '';
  }

  set hostname(text) {
    this.#parts.host = readHost(String(text), SPECIAL[this.#parts.protocol] !== undefined);
  }

  /** Empty when it is the scheme's own. */
  get port() {
    return this.#parts.port;
  }

  set port(text) {
    this.#parts.port = text === '' ? '' : readPort(String(text), this.#parts.protocol);
  }

  get pathname() {
    const { path } = this.#parts;
    return typeof path === 'string' ? path : path.map((segment) => `/${segment}`).join('');
  }

  set pathname(text) {
    if (typeof this.#parts.path !== 'string') this.#parts.path = readPath(String(text), this.#parts, []);
  }

  /** The query with its question mark; empty when there is none. */
  get search() {
    return this.#parts.query ? `?${this.#parts.query}` : '';
  }

  set search(text) {
    const query = String(text).replace(/^\?/, '');
    this.#parts.query = query === '' ? null : readQuery(query, this.#parts.protocol);
    this.#params?.bind(query, () => this.#queryChanged());
  }

  /** The pairs of the query; changes are changes of the address. */
  get searchParams() {
    this.#params ??= new URLSearchParams().bind(this.#parts.query ?? '', () => this.#queryChanged());
    return this.#params;
  }

  /** The fragment with its hash sign; empty when there is none. */
  get hash() {
    return this.#parts.fragment ? `#${this.#parts.fragment}` : '';
  }

  set hash(text) {
    const fragment = String(text).replace(/^#/, '');
    this.#parts.fragment = fragment === '' ? null : encode(fragment, FRAGMENT);
  }

  toString() {
    return this.href;
  }

  toJSON() {
    return this.href;
  }

  #queryChanged() {
    const query = this.#params?.toString() ?? '';
    this.#parts.query = query === '' ? null : query;
  }
}

/** @param {string} text @param {Parts} [base] @returns {Parts} */
function parse(text, base) {
  const input = text.replace(/^[\0- ]+|[\0- ]+$/g, '').replace(/[\t\n\r]/g, '');
  const [rest, fragment] = cut(input, '#');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(rest);
  const protocol = scheme === null ? undefined : `${scheme[1]}:`.toLowerCase();
  // Beside a path that is no list of segments only a fragment makes sense.
  const hopeless = protocol === undefined && typeof base?.path === 'string' && (rest !== '' || fragment === null);
  if (hopeless) throw new TypeError(`"${text}" is no URL`);
  const parts = protocol === undefined ? relative(rest, base, text) : absolute(protocol, scheme?.[2] ?? '', base);
  parts.fragment = fragment === null ? null : encode(fragment, FRAGMENT);
  return parts;
}

/** @param {string} protocol @param {string} rest @param {Parts | undefined} base @returns {Parts} */
function absolute(protocol, rest, base) {
  const special = SPECIAL[protocol] !== undefined;
  if (special && base?.protocol === protocol && !rest.startsWith('//')) return relative(rest, base, rest);
  const parts = empty(protocol);
  if (special) return authority(parts, rest.replace(/^[/\\]*/, ''));
  if (rest.startsWith('//')) return authority(parts, rest.slice(2));
  const [path, query] = cut(rest, '?');
  parts.path = rest.startsWith('/') ? readPath(path, parts, []) : encode(path, '');
  parts.query = query === null ? null : readQuery(query, protocol);
  return parts;
}

/** @param {string} rest @param {Parts | undefined} base @param {string} shown @returns {Parts} */
function relative(rest, base, shown) {
  if (base === undefined) throw new TypeError(`"${shown}" is no URL`);
  const special = SPECIAL[base.protocol] !== undefined;
  const text = special ? rest.replace(/^[^?]*/, (path) => path.replace(/\\/g, '/')) : rest;
  if (text.startsWith('//')) {
    return authority(empty(base.protocol), special ? text.replace(/^\/+/, '') : text.slice(2));
  }
  const [path, query] = cut(text, '?');
  const parts = { ...base, fragment: null };
  if (path.startsWith('/')) parts.path = readPath(path, parts, []);
  else if (path !== '') parts.path = readPath(path, parts, /** @type {string[]} */ (base.path).slice(0, -1));
  if (path !== '' || query !== null) parts.query = query === null ? null : readQuery(query, parts.protocol);
  return parts;
}

/** User, host, port and what comes after them. @param {Parts} parts @param {string} text @returns {Parts} */
function authority(parts, text) {
  const special = SPECIAL[parts.protocol] !== undefined;
  const end = text.search(special ? /[/\\?]/ : /[/?]/);
  const [whole, rest] = end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end)];
  const at = whole.lastIndexOf('@');
  if (at >= 0) {
    const [name, password] = cut(whole.slice(0, at), ':');
    parts.username = encode(name, USER);
    parts.password = encode(password ?? '', USER);
  }
  const place = /^(\[[^\]]*\]|[^:]*)(?::([0-9]*))?$/.exec(whole.slice(at + 1));
  if (place === null) throw new TypeError(`"${whole}" is no name of a host and port`);
  parts.host = readHost(place[1] ?? '', special);
  if (parts.host === '' && (special || at >= 0 || place[2])) throw new TypeError('a URL has no host');
  parts.port = place[2] ? readPort(place[2], parts.protocol) : '';
  const [path, query] = cut(rest, '?');
  parts.path = path === '' && !special ? [] : readPath(path, parts, []);
  parts.query = query === null ? null : readQuery(query, parts.protocol);
  return parts;
}

/** @param {string} protocol @returns {Parts} */
function empty(protocol) {
  return { protocol, username: '', password: '', host: null, port: '', path: [], query: null, fragment: null };
}

/** @param {string} text @param {string} protocol */
function readPort(text, protocol) {
  const port = Number(text);
  if (!/^[0-9]+$/.test(text) || port > 65535) throw new TypeError(`"${text}" is no port`);
  return String(port) === SPECIAL[protocol] ? '' : String(port);
}

/** @param {string} text @param {Parts} parts @param {string[]} before @returns {string[]} */
function readPath(text, parts, before) {
  const special = SPECIAL[parts.protocol] !== undefined;
  const segments = (special ? text.replace(/\\/g, '/') : text).replace(/^\//, '').split('/');
  const path = [...before];
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    const plain = segment.replace(/%2e/gi, '.');
    if (plain === '..') path.pop();
    if (plain !== '..' && plain !== '.') path.push(encode(segment, PATH));
    else if (last) path.push('');
  });
  return path;
}

/** @param {string} text @param {string} protocol */
function readQuery(text, protocol) {
  return encode(text, SPECIAL[protocol] === undefined ? QUERY : SPECIAL_QUERY);
}

/** @param {string} text @param {string} mark @returns {[string, string | null]} */
function cut(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

/** Percent-encodes these characters, control characters and what is not ASCII. @param {string} text @param {string} set */
function encode(text, set) {
  let made = '';
  for (const letter of text.toWellFormed()) {
    const plain = letter >= ' ' && letter <= '~' && !set.includes(letter);
    made += plain ? letter : bytes(letter);
  }
  return made;
}

/** @param {string} letter */
function bytes(letter) {
  const hex = (/** @type {number} */ byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return [...new TextEncoder().encode(letter)].map(hex).join('');
}
