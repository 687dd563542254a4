/**
 * gettext's .po files, as translators and their tools write them.
 *
 * @module
 */

import { pluralIndex } from './plural.js';

/**
 * @typedef {object} Entry
 * @property {string} [msgctxt]
 * @property {string} [msgid]
 * @property {string} [msgid_plural]
 * @property {string[]} forms `msgstr`, or `msgstr[0]` and further.
 * @property {boolean} fuzzy
 */

const ESCAPES = /** @type {{ [code: string]: string }} */ ({ n: '\n', t: '\t', r: '\r' });

/** The translations of one file. */
export class Catalog {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  /** The expression after `plural=`. @type {string | undefined} */
  #rule = undefined;

  /**
   * @param {string} text The file's.
   * @throws {Error} When it cannot be read; the message names the line.
   */
  constructor(text) {
    let entry = empty();
    let part = '';
    text
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/)
      .forEach((whole, index) => {
        const line = whole.trim();
        const wrong = (/** @type {string} */ reason) => new Error(`line ${index + 1}: ${reason}`);
        const translated = part.startsWith('msgstr');
        if (line === '') return;
        if (line.startsWith('#')) {
          if (translated) [entry, part] = [this.#take(entry), ''];
          entry.fuzzy ||=
            line.startsWith('#,') &&
            line
              .slice(2)
              .split(',')
              .some((flag) => flag.trim() === 'fuzzy');
          return;
        }
        const [, word = '', rest = ''] = /^([^"]*)(".*)$/.exec(line) ?? [];
        if (rest === '') throw wrong('neither a comment nor a text in quotes');
        const name = word.trim();
        if (name === '' && part === '') throw wrong('a text that belongs to nothing');
        if (name !== '' && !/^(msgctxt|msgid|msgid_plural|msgstr(\[\s*[0-7]\s*\])?)$/.test(name)) {
          throw wrong('it begins with none of msgctxt, msgid, msgid_plural, msgstr');
        }
        // A new entry begins where an old one has its translation.
        if (translated && (name === 'msgctxt' || name === 'msgid')) entry = this.#take(entry);
        if (name.startsWith('msgstr') && entry.msgid === undefined) throw wrong('a msgstr without a msgid');
        if (name !== '') part = name;
        const value = unquoted(rest);
        if (value === undefined) throw wrong('a text without its closing quote');
        if (!add(entry, part, value, name === '')) throw wrong('it stands twice in one entry');
      });
    this.#take(entry);
  }

  /** Keeps an entry that has a translation, and begins the next. @param {Entry} entry */
  #take(entry) {
    const { msgid, msgctxt, forms, fuzzy } = entry;
    if (msgid === undefined || forms.length === 0) return empty();
    if (msgid === '' && msgctxt === undefined) {
      this.#rule = /^Plural-Forms:(?:.*;)?\s*plural=([^;]*)/m.exec(forms[0] ?? '')?.[1];
    } else if (!fuzzy && !this.#entries.has(keyOf(msgid, msgctxt))) this.#entries.set(keyOf(msgid, msgctxt), entry);
    return empty();
  }

  /**
   * The translation of a text, where it has one.
   *
   * @param {import('./text.js').Text} text
   * @returns {string | undefined}
   */
  find(text) {
    const entry = this.#entries.get(keyOf(text.id, text.context));
    if (entry === undefined) return undefined;
    const many = text.plural !== undefined && entry.msgid_plural !== undefined;
    const form = many ? entry.forms[pluralIndex(this.#rule ?? 'n != 1', text.plural?.n ?? 0) ?? -1] : entry.forms[0];
    return form || undefined;
  }
}

/** @returns {Entry} */
function empty() {
  return { forms: [], fuzzy: false };
}

/** @param {Entry} entry @param {string} part @param {string} value @param {boolean} more Whether it goes on with a text. */
function add(entry, part, value, more) {
  const form = part.startsWith('msgstr') ? Number(/[0-9]/.exec(part)?.[0] ?? 0) : undefined;
  const field = /** @type {'msgctxt' | 'msgid' | 'msgid_plural'} */ (part);
  const old = form === undefined ? entry[field] : entry.forms[form];
  if (old !== undefined && !more) return false;
  if (form === undefined) entry[field] = `${old ?? ''}${value}`;
  else entry.forms[form] = `${old ?? ''}${value}`;
  return true;
}

/** @param {string} id @param {string | undefined} context */
function keyOf(id, context) {
  return context === undefined ? id : `${context}\u0004${id}`;
}

/** A text in quotes, with its escapes read. @param {string} quoted */
function unquoted(quoted) {
  const inside = /^"((?:[^"\\]|\\.)*)"$/.exec(quoted)?.[1];
  return inside?.replace(/\\(.)/g, (_, code) => ESCAPES[code] ?? code);
}
