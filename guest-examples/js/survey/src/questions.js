// The questions: those of the configuration key `questions`, or the example's own.
//
// A question has an `id`, a text to `ask`, and one of `options` (pairs of what is kept and what is shown), `number` (the
// least and the greatest) and `text` (its greatest length). With `if` it is only asked when earlier answers are among
// those given there. See questions.json.

import { config } from '@vumi/sdk';

import EXAMPLE from '../questions.json';

/** The name of a question's state: no question can have the name of another state. */
export const stateOf = (id) => `q-${id}`;

/** All questions, in order. */
export class Questions {
  /** Throws when something is wrong with them. */
  constructor(questions) {
    if (!Array.isArray(questions) || questions.length === 0) throw new Error('the configured `questions` are empty');
    const ids = new Set();
    for (const question of questions) {
      const { id, if: conditions = {} } = question;
      if (!isQuestion(question))
        throw new Error(`the configured \`questions\` cannot be read: ${JSON.stringify(question)}`);
      if (!/^[A-Za-z0-9_-]+$/.test(id)) throw new Error(`a question's id is \`${id}\`: use letters, digits, - and _`);
      const other = Object.keys(conditions).find((other) => !ids.has(other));
      if (other !== undefined) throw new Error(`\`${id}\` depends on \`${other}\`, which is no earlier question`);
      if (ids.has(id)) throw new Error(`two questions have the id \`${id}\``);
      ids.add(id);
    }
    this.all = questions;
  }

  /** Reads them. */
  static configured() {
    const text = config('questions');
    if (text === undefined) return new Questions(EXAMPLE);
    try {
      return new Questions(JSON.parse(text));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new Error(`the configured \`questions\` cannot be read: ${error.message}`);
    }
  }

  /** The states that may follow a question: later ones up to the first that is always asked, or else the end. */
  mayFollow(id) {
    const later = this.#after(id);
    const always = later.findIndex((question) => question.if === undefined);
    const states = later.map((question) => stateOf(question.id));
    return always < 0 ? [...states, 'thanks', 'unsent'] : states.slice(0, always + 1);
  }

  /** The question after this one that is to be asked, given the answers so far. */
  next(id, answer) {
    return this.#after(id).find((question) => isAsked(question, answer));
  }

  #after(id) {
    return this.all.slice(this.all.findIndex((question) => question.id === id) + 1);
  }
}

/** Whether a question is to be asked, given the answers so far. */
export function isAsked({ if: conditions = {} }, answer) {
  return Object.entries(conditions).every(([id, values]) => values.includes(answer(id)));
}

function isQuestion({ id, ask, options, number, text }) {
  const kinds = [
    Array.isArray(options) && options.every((option) => Array.isArray(option) && option.length === 2),
    Array.isArray(number) && number.length === 2 && number.every(Number.isInteger),
    Number.isInteger(text),
  ];
  return typeof id === 'string' && typeof ask === 'string' && kinds.filter(Boolean).length === 1;
}
