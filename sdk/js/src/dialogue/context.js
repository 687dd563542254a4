/**
 * What the functions of a dialogue are given.
 *
 * @module
 */

import { fill, Text } from './text.js';

/**
 * The conversation that a function is asked about: who, what was answered so far, in which language.
 *
 * @example
 * import { FreeText, kv } from '@vumi/sdk';
 *
 * const name = new FreeText('name', 'Your name?')
 *   .onLeave((ctx) => {
 *     kv.set(`name:${ctx.user}`, ctx.answer('name'));
 *     ctx.set('number', kv.incr('members'));
 *   })
 *   .next('thanks');
 */
export class Context {
  #dialogue;
  #message;
  /** @internal @type {import('./record.js').Record} */
  record;

  /**
   * @internal
   * @param {import('./dialogue.js').Dialogue} dialogue
   * @param {import('../message.js').Message} message
   * @param {import('./record.js').Record} record
   */
  constructor(dialogue, message, record) {
    this.#dialogue = dialogue;
    this.#message = message;
    this.record = record;
  }

  /** The user's address. */
  get user() {
    return this.#message.user;
  }

  /** The message that is being handled. */
  get message() {
    return this.#message;
  }

  /** The current state's name; empty before the first. */
  get state() {
    return this.record.state ?? '';
  }

  /**
   * The answer to a state, or what {@link Context.set} kept.
   *
   * @template [T=any]
   * @param {string} name The state's name, or the key.
   * @returns {T | undefined} `undefined` when there is none. TypeScript takes your word for what it is.
   */
  answer(name) {
    return Object.hasOwn(this.record.answers, name) ? /** @type {T} */ (this.record.answers[name]) : undefined;
  }

  /**
   * Keeps a value among the answers, until the conversation ends or starts again.
   *
   * @param {string} name Its key.
   * @param {unknown} value Anything that JSON can write.
   */
  set(name, value) {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`the value of "${name}" cannot be written as JSON`);
    this.record.answers[name] = JSON.parse(text);
  }

  /**
   * Forgets an answer.
   *
   * @param {string} name The state's name, or the key.
   * @returns {boolean} True when there was one.
   */
  forget(name) {
    const had = Object.hasOwn(this.record.answers, name);
    delete this.record.answers[name];
    return had;
  }

  /** The user's language: what was chosen, else the app's configuration key `lang`, else the dialogue's. */
  get lang() {
    return this.record.lang ?? this.#dialogue.ownLanguage();
  }

  /**
   * Chooses the user's language. It stays when the conversation ends or starts again.
   *
   * @param {string} lang Its code.
   */
  setLang(lang) {
    this.record.lang = lang;
  }

  /**
   * A text in the user's language, filled in.
   *
   * @param {string | Text} text As it is written in the app.
   * @returns {string} What is shown.
   */
  tr(text) {
    const asked = text instanceof Text ? text : new Text(text, {}, undefined, undefined);
    const found = this.#dialogue.parts.translations.find(this.lang, asked) ?? asked.source();
    return fill(found, (word) => (Object.hasOwn(asked.args, word) ? asked.args[word] : this.answer(word)));
  }
}
