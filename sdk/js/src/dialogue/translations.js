/**
 * Translations from gettext's .po files and from simple maps.
 *
 * @module
 */

import { isRegular, quickFind } from './po-quick.js';
import { Catalog } from './po.js';

/**
 * The translations of an app.
 *
 * In an app that is built with `vumi-host build` a .po file can be imported as text:
 * `import sw from '../locale/sw.po';`. It is read when a user needs it, not before.
 *
 * @example
 * import { Dialogue, End, Translations } from '@vumi/sdk';
 *
 * const translations = new Translations()
 *   .po('sw', 'msgid "Welcome"\nmsgstr "Karibu"\n')
 *   .map('fr', { Welcome: 'Bienvenue' });
 * const dialogue = new Dialogue('hello').translations(translations).state(new End('hello', 'Welcome'));
 */
export class Translations {
  /** In the order in which they were given: the first that has a text is asked. @type {Source[]} */
  #sources = [];

  /**
   * Adds a .po file. What is wrong with it is said by {@link Dialogue.problems}; its texts then stay as they are written.
   *
   * @param {string} language Its code: `sw`, `pt-BR`.
   * @param {string} text The file's text.
   * @returns {this} For more.
   */
  po(language, text) {
    this.#sources.push(new Source(language, text, {}));
    return this;
  }

  /**
   * Adds translations, each beside the text as it is written in the app.
   *
   * @param {string} language Its code.
   * @param {Record<string, string>} texts The translations.
   * @returns {this} For more.
   */
  map(language, texts) {
    this.#sources.push(new Source(language, undefined, texts));
    return this;
  }

  /**
   * The text in a language, or in the language without its region; `undefined` where there is no translation.
   *
   * @internal
   * @param {string} language
   * @param {import('./text.js').Text} text
   * @returns {string | undefined}
   */
  find(language, text) {
    return this.#findIn(language, text) ?? this.#findIn(language.split(/[-_]/)[0] ?? '', text);
  }

  /** @param {string} language @param {import('./text.js').Text} text */
  #findIn(language, text) {
    for (const source of this.#sources) {
      const found = source.language === language ? source.find(text) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** @internal What is wrong with the files. */
  problems() {
    return this.#sources.flatMap((source) => source.problem());
  }
}

/** One file, or one map. */
class Source {
  /** @type {Catalog | Error | undefined} */
  #read = undefined;
  /** @type {boolean | undefined} */
  #regular = undefined;

  /** @param {string} language @param {string | undefined} po @param {Record<string, string>} map */
  constructor(language, po, map) {
    this.language = language;
    this.po = po;
    this.map = map;
  }

  catalog() {
    if (this.#read === undefined && this.po !== undefined) {
      try {
        this.#read = new Catalog(this.po);
      } catch (error) {
        this.#read = /** @type {Error} */ (error);
      }
    }
    return this.#read;
  }

  /** @param {import('./text.js').Text} text */
  find(text) {
    if (this.po !== undefined && text.context === undefined && text.plural === undefined) {
      this.#regular ??= isRegular(this.po);
      const found = this.#regular ? quickFind(this.po, text.id) : undefined;
      if (found !== undefined) return found.text;
    }
    const catalog = this.catalog();
    if (catalog instanceof Catalog) return catalog.find(text);
    return Object.hasOwn(this.map, text.source()) ? this.map[text.source()] : undefined;
  }

  problem() {
    const catalog = this.catalog();
    return catalog instanceof Error ? [`the translation '${this.language}', ${catalog.message}`] : [];
  }
}
