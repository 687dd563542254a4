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
export function refuse(text: string | import("./text.js").Text): Refusal;
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
export function length(min: number, max: number): Check;
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
export function number(min: number, max: number): Check;
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
export function date(): Check;
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
export function phone(country: string): Check;
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
    constructor(text: string | import("./text.js").Text);
    text: string | import("./text.js").Text;
}
/**
 * What is kept, or a {@link Refusal}. It
 *   may be async.
 */
export type Check = (text: string, ctx: import("./context.js").Context) => unknown;
