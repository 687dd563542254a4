/**
 * Checks for what users write, to be given to `FreeText.validate`.
 *
 * A check gets the text, without the white space around it, and gives what is kept as the answer: the text, a number, …
 * What it refuses it answers with {@link refuse}, whose text the user gets to see.
 *
 * @module
 */

import { t } from './text.js';

/**
 * What a check gives when it does not accept an answer. Made by {@link refuse}.
 *
 * @example
 * import { check, refuse } from '@vumi/sdk';
 *
 * console.assert(refuse('No.') instanceof check.Refusal);
 */
export class Refusal {
  /** @internal @param {string | import('./text.js').Text} text */
  constructor(text) {
    this.text = text;
  }
}

/**
 * @typedef {(text: string, ctx: import('./context.js').Context) => unknown} Check What is kept, or a {@link Refusal}. It
 *   may be async.
 */

/**
 * Refuses an answer; the user is asked again, with this text before the question.
 *
 * @param {string | import('./text.js').Text} text What is wrong, and how to write it.
 * @returns {Refusal} To be returned by a check.
 * @example
 * import { FreeText, refuse } from '@vumi/sdk';
 *
 * const even = new FreeText('even', 'An even number?').validate((text) =>
 *   Number(text) % 2 === 0 ? Number(text) : refuse('That is not even.'),
 * );
 */
export function refuse(text) {
  return new Refusal(text);
}

/**
 * A text of so many characters; kept as it is.
 *
 * @param {number} min At least.
 * @param {number} max At most.
 * @returns {Check} For `FreeText.validate`.
 * @example
 * import { check, FreeText } from '@vumi/sdk';
 *
 * const name = new FreeText('name', 'What is your name?').validate(check.length(2, 40)).next('thanks');
 */
export function length(min, max) {
  return (text) => {
    const count = [...text].length;
    if (count >= min && count <= max) return text;
    return refuse(t('Please enter between {min} and {max} characters.', { min, max }));
  };
}

/**
 * A whole number within a range; kept as a number.
 *
 * @param {number} min At least.
 * @param {number} max At most.
 * @returns {Check} For `FreeText.validate`.
 * @example
 * import { check, FreeText } from '@vumi/sdk';
 *
 * const age = new FreeText('age', 'How old are you?').validate(check.number(1, 120)).next('thanks');
 */
export function number(min, max) {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?[0-9]+$/.test(text) || !Number.isSafeInteger(value)) return refuse('Please enter a number.');
    if (value >= min && value <= max) return value + 0;
    return refuse(t('Please enter a number from {min} to {max}.', { min, max }));
  };
}

/**
 * A date, the day first or the year first: `31-01-2026`, `31/1/2026`, `31.1.2026`, `31 1 2026`, `31012026`,
 * `2026-01-31`; kept as `2026-01-31`.
 *
 * @returns {Check} For `FreeText.validate`.
 * @example
 * import { check, FreeText } from '@vumi/sdk';
 *
 * const born = new FreeText('born', 'When were you born?').validate(check.date()).next('thanks');
 */
export function date() {
  return (text) => readDate(text) ?? refuse('Please enter a date such as 31-01-2026.');
}

/** @param {string} text */
function readDate(text) {
  const parts = /^[0-9]{8}$/.test(text) ? [text.slice(0, 2), text.slice(2, 4), text.slice(4)] : text.split(/[-/. ]/);
  if (parts.length !== 3 || !parts.every((part) => /^[0-9]+$/.test(part))) return undefined;
  const [first = '', middle = '', last = ''] = parts;
  const [day, year] = last.length === 4 ? [first, last] : [last, first];
  if (year.length !== 4 || day.length > 2 || middle.length > 2) return undefined;
  const [d, m, y] = [Number(day), Number(middle), Number(year)];
  const leap = y % 4 === 0 && (y % 100 !== 0 || y % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][m - 1] ?? 0;
  if (d < 1 || d > days) return undefined;
  return `${year}-${String(m).padStart(2, '0')}-${String(d).padStart(2, '0')}`;
}

/**
 * A phone number, kept with `+` and its country code.
 *
 * @param {string} country The code for numbers that begin with a single `0`.
 * @returns {Check} For `FreeText.validate`.
 * @example
 * import { check, FreeText } from '@vumi/sdk';
 *
 * const phone = new FreeText('phone', 'Your number?').validate(check.phone('27')).next('thanks');
 */
export function phone(country) {
  return (text) => {
    const plain = text.replace(/[ \-().]/g, '');
    let digits = plain;
    if (plain.startsWith('+')) digits = plain.slice(1);
    else if (plain.startsWith('00')) digits = plain.slice(2);
    else if (plain.startsWith('0')) digits = `${country}${plain.slice(1)}`;
    // E.164 has at most 15 digits; the shortest numbers with a country code have 8.
    return /^[1-9][0-9]{7,14}$/.test(digits) ? `+${digits}` : refuse('Please enter a phone number.');
  };
}
