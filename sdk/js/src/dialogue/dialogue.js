/**
 * The dialogue as a whole, and how it is written down.
 *
 * @module
 */

import { config } from '../config.js';
import { graphOf, problemsOf } from './graph.js';
import { run } from './run.js';
import { Translations } from './translations.js';

/** @typedef {import('./context.js').Context} Context */
/** @typedef {import('./record.js').Record} Record */
/** @typedef {import('./state.js').State} State */
/** @typedef {import('./text.js').Text} Text */

/**
 * What a new session does with a conversation that has not ended: goes on with the same screen (`continue`), asks whether
 * to (`ask`), or starts again (`restart`).
 *
 * @typedef {'continue' | 'ask' | 'restart'} Resume
 */

/**
 * @internal
 * @typedef {object} Parts
 * @property {string} name
 * @property {number} version
 * @property {string | undefined} start
 * @property {State[]} states
 * @property {number} ttl Seconds.
 * @property {Resume} resume
 * @property {boolean} back
 * @property {boolean} restart
 * @property {number} ussdLimit
 * @property {number} smsSegments
 * @property {string} language
 * @property {Translations} translations
 * @property {Array<[string, string]>} keywords
 * @property {((record: Record) => boolean | Promise<boolean>) | undefined} migrate
 * @property {((ctx: Context) => void | Promise<void>) | undefined} close
 * @property {string | Text} errorText
 */

/**
 * A conversation, written down: states, and where each answer leads. Given to {@link app}, it is the whole application;
 * or let an application of your own call {@link Dialogue.answer}.
 *
 * @example
 * import { app, check, Choice, Dialogue, End, FreeText, Menu } from '@vumi/sdk';
 *
 * const clinic = new Dialogue('clinic')
 *   .start('menu')
 *   .state(new Menu('menu', 'Welcome to the clinic.').option('Register', 'name').option('Opening hours', 'hours'))
 *   .state(new FreeText('name', 'What is your name?').validate(check.length(2, 40)).next('sex'))
 *   .state(new Choice('sex', 'Are you').option('f', 'Female').option('m', 'Male').next('thanks'))
 *   .state(new End('hours', 'We are open from 8:00 to 16:00.'))
 *   .state(new End('thanks', 'Thank you, {name}. You are registered.'));
 *
 * export default app(clinic);
 */
export class Dialogue {
  /** @internal @type {Parts} */
  parts;
  /** @type {string | undefined} */
  #configured;

  /** @param {string} name For its owner: it stands in the log. */
  constructor(name) {
    this.parts = {
      name,
      version: 1,
      start: undefined,
      states: [],
      ttl: 7 * 24 * 60 * 60,
      resume: 'continue',
      back: false,
      restart: false,
      ussdLimit: 160,
      smsSegments: 4,
      language: 'en',
      translations: new Translations(),
      keywords: [],
      migrate: undefined,
      close: undefined,
      errorText: 'Something went wrong. Please try again later.',
    };
  }

  /**
   * @param {number} version Grows when conversations under way no longer fit; 1 unless given. They then start again,
   *   unless {@link Dialogue.migrate} makes them fit.
   * @returns {this} For more.
   */
  version(version) {
    this.parts.version = version;
    return this;
  }

  /**
   * Makes a conversation of an older version fit, and says whether it now does.
   *
   * @param {(record: Record) => boolean | Promise<boolean>} migrate Changes the record.
   * @returns {this} For more.
   */
  migrate(migrate) {
    this.parts.migrate = migrate;
    return this;
  }

  /**
   * @param {string} state Where it begins; the first state unless given.
   * @returns {this} For more.
   */
  start(state) {
    this.parts.start = state;
    return this;
  }

  /**
   * @param {State} state One more.
   * @returns {this} For more.
   */
  state(state) {
    this.parts.states.push(state);
    return this;
  }

  /**
   * @param {number} seconds How long a user's state is kept after the last message; 7 days unless given.
   * @returns {this} For more.
   */
  ttl(seconds) {
    this.parts.ttl = seconds;
    return this;
  }

  /**
   * @param {Resume} resume What a new session does with a conversation that has not ended; `continue` unless given.
   * @returns {this} For more.
   */
  onNew(resume) {
    this.parts.resume = resume;
    return this;
  }

  /**
   * Offers `0. Back` on every choice, menu, paginated choice and booklet.
   *
   * @returns {this} For more.
   */
  backEverywhere() {
    this.parts.back = true;
    return this;
  }

  /**
   * Offers `00. Start again` on every choice, menu, paginated choice and booklet.
   *
   * @returns {this} For more.
   */
  restartEverywhere() {
    this.parts.restart = true;
    return this;
  }

  /**
   * @param {number} characters How many a screen may have within a session; 160 unless given.
   * @returns {this} For more.
   */
  ussdLimit(characters) {
    this.parts.ussdLimit = characters;
    return this;
  }

  /**
   * @param {number} segments How many SMS one answer may take outside a session; 4 unless given.
   * @returns {this} For more.
   */
  smsSegments(segments) {
    this.parts.smsSegments = Math.max(1, segments);
    return this;
  }

  /**
   * @param {string} language What the texts are written in; `en` unless given.
   * @returns {this} For more.
   */
  language(language) {
    this.parts.language = language;
    return this;
  }

  /**
   * @param {Translations} translations The texts in other languages.
   * @returns {this} For more.
   */
  translations(translations) {
    this.parts.translations = translations;
    return this;
  }

  /**
   * A word that leads to a state, sent at any time as the first word of a message.
   *
   * @param {string} word Of any case.
   * @param {string} state Where it leads.
   * @returns {this} For more.
   */
  keyword(word, state) {
    this.parts.keywords.push([word, state]);
    return this;
  }

  /**
   * Runs when a session closes before an end was reached.
   *
   * @param {(ctx: Context) => void | Promise<void>} act What to do.
   * @returns {this} For more.
   */
  onClose(act) {
    this.parts.close = act;
    return this;
  }

  /**
   * @param {string | Text} text What the user is told when something fails.
   * @returns {this} For more.
   */
  errorText(text) {
    this.parts.errorText = text;
    return this;
  }

  /**
   * Answers a message, and remembers where the user is. This is all that `app(dialogue)` does with it; an app that does
   * more calls it itself.
   *
   * @param {import('../message.js').Message} message What the user sent.
   * @returns {Promise<void>} When it is done.
   */
  answer(message) {
    return run(this, message);
  }

  /**
   * What {@link app} calls; the same as {@link Dialogue.answer}.
   *
   * @param {import('../message.js').Message} message What the user sent.
   * @returns {Promise<void>} When it is done.
   */
  onMessage(message) {
    return this.answer(message);
  }

  /**
   * What is wrong with the dialogue, a sentence for each; empty when all is well. Worth a test in every app.
   *
   * @returns {string[]} The sentences.
   */
  problems() {
    return problemsOf(this);
  }

  /**
   * What the dialogue looks like, for drawings and tests.
   *
   * @returns {import('./graph.js').Graph} Its states and the ways between them.
   */
  graph() {
    return graphOf(this);
  }

  /** @internal Where it begins. */
  first() {
    return this.parts.start ?? this.parts.states[0]?.parts.name ?? '';
  }

  /** @internal @param {string} name */
  find(name) {
    return this.parts.states.find((state) => state.parts.name === name);
  }

  /** @internal The language of users who chose none. */
  ownLanguage() {
    this.#configured ??= config('lang') || this.parts.language;
    return this.#configured;
  }

  /** @internal How long an answer to this message may be. @param {import('../message.js').Message} message */
  limit(message) {
    const sms = message.sessionEvent === null || message.transportType === 'sms';
    return sms ? { segments: this.parts.smsSegments } : { characters: this.parts.ussdLimit };
  }

  /** @internal The state that a keyword leads to. @param {import('../message.js').Message} message */
  keywordOf(message) {
    if (message.isNew) return undefined;
    const word = message.text.split(/\s+/)[0]?.toLowerCase();
    if (word === undefined || word === '') return undefined;
    return this.parts.keywords.find(([keyword]) => keyword.toLowerCase() === word)?.[1];
  }
}
