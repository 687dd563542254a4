/**
 * One step of a conversation: a message and what was kept go in; a screen, what to keep, and what to count come out.
 *
 * Nothing here reads or writes anything by itself; only the app's own functions do.
 *
 * @module
 */

import { Refusal } from './check.js';
import { Context } from './context.js';
import { hasOptions } from './graph.js';
import { cutPages, fitsLimit, joined } from './pages.js';
import { fresh, leave as leaveState } from './record.js';

/** @typedef {import('./record.js').Record} Record */
/** @typedef {import('./state.js').Parts} Parts */

const MORE = '99';
const BACK = '0';
const RESTART = '00';
const GO_ON = '1';

/** Most options of a state: the next number would be that of `More`. */
const MOST_OPTIONS = 98;

const NUMBERS = 'Please choose one of the numbers.';

/**
 * What the user sees, and whether the session ends with it.
 *
 * @typedef {{ text: string, closes: boolean }} Screen
 */

/**
 * What a message comes to.
 *
 * @typedef {object} Outcome
 * @property {Screen | null} reply
 * @property {'keep' | 'delete' | Record} store What becomes of what is kept.
 * @property {string[]} metrics Names to count.
 * @property {Array<[import('../log.js').Level, string]>} logs
 */

/**
 * Takes one step.
 *
 * @internal
 * @param {import('./dialogue.js').Dialogue} dialogue
 * @param {import('../message.js').Message} message
 * @param {Record | undefined} stored
 * @returns {Promise<Outcome>}
 */
export async function turn(dialogue, message, stored) {
  const turn = new Turn(dialogue, message);
  /** @type {Screen | null} */
  let reply;
  try {
    turn.ctx.record = await turn.usable(stored);
    reply = await turn.take();
  } catch (error) {
    const place = turn.ctx.record.state ?? 'its start';
    turn.logs.push(['error', `dialogue ${dialogue.parts.name}, at ${place}: ${told(error)}`]);
    const metrics = turn.metrics.filter((name) => name === 'sessions.new');
    const text = turn.ctx.tr(dialogue.parts.errorText);
    return { reply: message.isClose ? null : { text, closes: true }, store: 'keep', metrics, logs: turn.logs };
  }
  let record = turn.ctx.record;
  if (reply?.closes) record = fresh(dialogue.parts.version, record.lang);
  const worth = record.state !== null || record.lang !== undefined;
  const store = worth ? record : stored === undefined ? 'keep' : 'delete';
  return { reply, store, metrics: turn.metrics, logs: turn.logs };
}

/** What was thrown, with the place in the app where it was. @param {unknown} error */
function told(error) {
  if (!(error instanceof Error)) return String(error);
  const stack = error instanceof Failure ? '' : (error.stack ?? '');
  // Some engines write the message into the stack, some do not.
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return [error instanceof Failure ? error.message : `${error.name}: ${error.message}`, ...frames].join('\n');
}

/** A mistake in how the dialogue is written down. */
class Failure extends Error {}

class Turn {
  /** @type {string[]} */
  metrics = [];
  /** @type {Array<[import('../log.js').Level, string]>} */
  logs = [];

  /** @param {import('./dialogue.js').Dialogue} dialogue @param {import('../message.js').Message} message */
  constructor(dialogue, message) {
    this.dialogue = dialogue;
    this.message = message;
    this.ctx = new Context(dialogue, message, fresh(dialogue.parts.version, undefined));
  }

  /** What was kept, if this dialogue can go on with it; else a beginning. @param {Record | undefined} stored */
  async usable(stored) {
    const { name, version, migrate } = this.dialogue.parts;
    if (stored === undefined) return fresh(version, undefined);
    const record = structuredCloned(stored);
    if (record.version !== version) {
      const fits = record.version < version && migrate !== undefined && (await migrate(record));
      if (!fits) return fresh(version, stored.lang);
      record.version = version;
    }
    if (record.state !== null && this.dialogue.find(record.state) === undefined) {
      this.logs.push([
        'warning',
        `dialogue ${name} has no state '${record.state}' any more: a conversation starts again`,
      ]);
      return fresh(version, stored.lang);
    }
    return record;
  }

  /** @returns {Promise<Screen | null>} */
  async take() {
    const { record } = this.ctx;
    const { sessionEvent } = this.message;
    const state = record.state === null ? undefined : this.dialogue.find(record.state)?.parts;
    if (sessionEvent === 'close') {
      if (state !== undefined && state.kind !== 'end') {
        this.metrics.push('sessions.closed');
        await this.dialogue.parts.close?.(this.ctx);
      }
      return null;
    }
    if (sessionEvent === 'new') {
      this.metrics.push('sessions.new');
      return state === undefined ? this.start() : this.resume(state);
    }
    const target = this.dialogue.keywordOf(this.message);
    if (sessionEvent === null && state === undefined) this.metrics.push('sessions.new');
    if (target !== undefined) {
      leaveState(record);
      return this.enter(target);
    }
    if (state === undefined) return this.start();
    const input = this.message.text;
    return record.asking ? this.asked(state, input) : this.answer(state, input);
  }

  /** From the beginning, whatever there was. The language stays. */
  start() {
    this.ctx.record = fresh(this.dialogue.parts.version, this.ctx.record.lang);
    return this.enter(this.dialogue.first());
  }

  /** A new session finds a conversation. @param {Parts} state @returns {Promise<Screen>} */
  async resume(state) {
    const { record } = this.ctx;
    const { resume } = this.dialogue.parts;
    const atStart = record.history.length === 0 && state.name === this.dialogue.first();
    if (resume === 'restart') return this.start();
    if (resume === 'ask' && !atStart) {
      record.asking = true;
      return { text: this.ask(''), closes: false };
    }
    delete record.asking;
    if (record.note !== undefined) {
      delete record.note;
      record.page = 0;
    }
    return this.show(state);
  }

  /** @param {string} reason */
  ask(reason) {
    const tr = (/** @type {string} */ text) => this.ctx.tr(text);
    return joined(
      tr(reason),
      tr('Would you like to continue where you were?'),
      `1. ${tr('Continue')}`,
      `2. ${tr('Start again')}`,
    );
  }

  /** @param {Parts} state @param {string} input @returns {Promise<Screen>} */
  async asked(state, input) {
    const at = chosen(input, [this.ctx.tr('Continue'), this.ctx.tr('Start again')]);
    if (at === undefined) return { text: this.ask(NUMBERS), closes: false };
    if (at === 1) return this.start();
    delete this.ctx.record.asking;
    return this.show(state);
  }

  /** Enters a state and shows it. @param {string} name @returns {Promise<Screen>} */
  async enter(name) {
    const state = this.dialogue.find(name)?.parts;
    const { record } = this.ctx;
    if (state === undefined) {
      throw new Failure(`'${record.history.at(-1) ?? 'the start'}' leads to '${name}', but there is no such state`);
    }
    record.state = name;
    record.page = 0;
    delete record.note;
    delete record.asking;
    await state.enter?.(this.ctx);
    this.metrics.push(`states.${name}.entered`);
    if (state.kind === 'end') this.metrics.push('sessions.finished');
    return this.show(state);
  }

  /** The page that the user is at. @param {Parts} state @returns {Promise<Screen>} */
  async show(state) {
    const pages = await this.pages(state);
    const last = pages.length - 1;
    const page = Math.min(this.ctx.record.page, last);
    this.ctx.record.page = page;
    return { text: pages[page] ?? '', closes: state.kind === 'end' && page === last };
  }

  /** @param {Parts} state @param {string} input @returns {Promise<Screen>} */
  async answer(state, input) {
    const { record } = this.ctx;
    if (state.kind === 'end') {
      record.page += 1;
      return this.show(state);
    }
    const screen = await this.keys(state, input);
    if (screen !== undefined) return screen;
    if (state.kind === 'free-text') return this.freeText(state, input);
    if (state.kind === 'booklet') {
      const last = (await this.pages(state)).length - 1;
      return input === GO_ON && record.page === last ? this.leave(state, undefined) : this.again(state, NUMBERS);
    }
    const options = await this.options(state);
    const at = chosen(
      input,
      options.map((option) => this.ctx.tr(option.label)),
    );
    const option = at === undefined ? undefined : options[at];
    if (option === undefined) return this.again(state, NUMBERS);
    if (state.setsLanguage) this.ctx.setLang(option.value);
    this.ctx.set(state.name, option.value);
    return this.leave(state, option.to);
  }

  /** The keys that are below the page, if it is one of them. @param {Parts} state @param {string} input */
  async keys(state, input) {
    if (input !== MORE && input !== BACK && input !== RESTART) return undefined;
    const keys = this.keysOf(state);
    const { record } = this.ctx;
    if (input === RESTART) return keys.restart === null ? undefined : this.start();
    if (input === MORE) {
      if (record.page + 1 >= (await this.pages(state)).length) return undefined;
      record.page += 1;
      return this.show(state);
    }
    if (record.page > 0) {
      if (!keys.backLater) return undefined;
      record.page -= 1;
      return this.show(state);
    }
    const before = keys.backFirst ? record.history.pop() : undefined;
    return before === undefined ? undefined : this.enter(before);
  }

  /** @param {Parts} state @param {string} input @returns {Promise<Screen>} */
  async freeText(state, input) {
    if (input === '') return this.again(state, 'Please write an answer.');
    const value = state.check === undefined ? input : await state.check(input, this.ctx);
    if (value instanceof Refusal) return this.again(state, value.text);
    this.ctx.set(state.name, value);
    return this.leave(state, undefined);
  }

  /** Goes on, to the option's own state or where the state leads. @param {Parts} state @param {string | undefined} own */
  async leave(state, own) {
    await state.leave?.(this.ctx);
    let target = own ?? state.next;
    if (target === undefined && state.computed !== undefined) {
      target = await state.computed.route(this.ctx);
      if (!state.computed.declared.includes(target)) {
        throw new Failure(`'${state.name}' leads to '${target}', which it does not declare`);
      }
    }
    if (target === undefined) throw new Failure(`'${state.name}' leads nowhere`);
    leaveState(this.ctx.record);
    return this.enter(target);
  }

  /**
   * Asks again, with the reason.
   *
   * @param {Parts} state
   * @param {string | import('./text.js').Text} why
   * @returns {Promise<Screen>}
   */
  async again(state, why) {
    const { record } = this.ctx;
    const reason = this.ctx.tr(why);
    if (record.note !== undefined) {
      delete record.note;
      record.page = 0;
    }
    const text = joined(reason, (await this.show(state)).text);
    if (fitsLimit(this.dialogue.limit(this.message), text)) return { text, closes: false };
    record.note = reason;
    record.page = 0;
    return this.show(state);
  }

  /** @param {Parts} state @returns {Promise<import('./state.js').Option[]>} */
  async options(state) {
    const options = [...state.options, ...((await state.list?.(this.ctx)) ?? [])];
    if (options.length === 0) throw new Failure(`'${state.name}' has no options`);
    if (options.length > MOST_OPTIONS) {
      throw new Failure(`'${state.name}' has ${options.length} options; at most ${MOST_OPTIONS} have a number`);
    }
    return options;
  }

  /** @param {Parts} state @returns {import('./pages.js').Keys} */
  keysOf(state) {
    const { dialogue, ctx } = this;
    const listed = hasOptions(state) || state.kind === 'booklet';
    const before = ctx.record.history.length > 0;
    const back = state.back || (listed && dialogue.parts.back);
    const restart = before && (state.restart || (listed && dialogue.parts.restart));
    return {
      more: `${MORE}. ${ctx.tr('More')}`,
      goOn: state.kind === 'booklet' ? `${GO_ON}. ${ctx.tr('Continue')}` : null,
      back: `${BACK}. ${ctx.tr('Back')}`,
      backFirst: before && back,
      backLater: back || listed,
      restart: restart ? `${RESTART}. ${ctx.tr('Start again')}` : null,
    };
  }

  /** @param {Parts} state @returns {Promise<string[]>} */
  async pages(state) {
    const { ctx } = this;
    const text = ctx.tr(state.say === undefined ? state.text : await state.say(ctx));
    /** @type {import('./pages.js').Piece[]} */
    const pieces = [{ text: joined(ctx.record.note ?? '', text) }];
    for (const page of state.pages) pieces.push({ break: true }, { text: ctx.tr(page) });
    if (hasOptions(state)) {
      const options = await this.options(state);
      options.forEach((option, at) => pieces.push({ option: `${at + 1}. ${ctx.tr(option.label)}` }));
    }
    const head = state.kind === 'paginated-choice' ? text : null;
    const sheet = { pieces, keys: this.keysOf(state), head, perPage: state.perPage };
    const { pages, broken } = cut(sheet, this.dialogue.limit(this.message), state.name);
    if (broken) {
      this.logs.push([
        'warning',
        `dialogue ${this.dialogue.parts.name}: a word of '${state.name}' is longer than a page`,
      ]);
    }
    return pages;
  }
}

/** @param {import('./pages.js').Sheet} sheet @param {import('./pages.js').Limit} limit @param {string} name */
function cut(sheet, limit, name) {
  try {
    return cutPages(sheet, limit);
  } catch (error) {
    if (error instanceof RangeError) throw new Failure(`the limit leaves no room for '${name}'`);
    throw error;
  }
}

/** Which of the labels an answer means: by its number, or by itself. @param {string} input @param {string[]} labels */
function chosen(input, labels) {
  if (/^[1-9][0-9]*$/.test(input) && Number(input) <= labels.length) return Number(input) - 1;
  const low = input.toLowerCase();
  const at = labels.findIndex((label) => label.trim().toLowerCase() === low);
  return at < 0 ? undefined : at;
}

/** @param {Record} record @returns {Record} */
function structuredCloned(record) {
  return JSON.parse(JSON.stringify(record));
}
