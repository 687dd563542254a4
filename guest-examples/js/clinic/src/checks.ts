// Which answers are right. Each check gives what is kept, or the text that tells the user what to mend.

import { check, type Context, refuse } from '@vumi/sdk';

/** Nobody was born before. */
const EARLIEST = 1900;

/** A name: letters of any script, spaces, hyphens, apostrophes and full stops. White space between is made one space. */
export function name(text: string, ctx: Context): unknown {
  const name = text.split(/\s+/).join(' ');
  if (!/^[\p{Alphabetic} '’.-]*$/u.test(name) || !/\p{Alphabetic}/u.test(name)) {
    return refuse('Please write your name with letters only.');
  }
  return check.length(2, 60)(name, ctx);
}

/** A day of birth, kept as `1990-01-31`. */
export async function birth(text: string, ctx: Context): Promise<unknown> {
  const born = await check.date()(text, ctx);
  if (typeof born !== 'string') return born;
  // In universal time: off by some hours is good enough here. In this form days are in order as texts are.
  if (born > ctx.message.date.toISOString().slice(0, 10)) return refuse('That day is still to come.');
  return Number(born.slice(0, 4)) >= EARLIEST ? born : refuse('Please check the year.');
}

/** A day as people write it: `31-01-1990`. */
export function shown(day: string): string {
  return day.split('-').reverse().join('-');
}

/** A South African identity number: 13 digits that begin with the day of birth (`YYMMDD`) and end with a check digit. */
export function idNumber(text: string, ctx: Context): unknown {
  const number = text.replace(/[ -]/g, '');
  if (!/^[0-9]{13}$/.test(number) || !hasRightCheckDigit(number)) {
    return refuse('That is no ID number. Please check all 13 digits.');
  }
  const born = (ctx.answer<string>('birth') ?? '').replaceAll('-', '').slice(2);
  return number.startsWith(born) ? number : refuse('That ID number is of somebody born on another day.');
}

/** Luhn's rule: from the right every second digit counts twice, its digits added; the sum ends with 0. */
function hasRightCheckDigit(number: string): boolean {
  const twice = (digit: number) => (digit > 4 ? 2 * digit - 9 : 2 * digit);
  const counted = [...number].reverse().map((digit, place) => (place % 2 === 1 ? twice(Number(digit)) : Number(digit)));
  return counted.reduce((sum, digit) => sum + digit, 0) % 10 === 0;
}

/** A passport number of any country, kept in capitals. */
export function passport(text: string): unknown {
  const number = text.replace(/\s/g, '').toUpperCase();
  const right = /^[A-Z0-9]{6,9}$/.test(number) && /[0-9]/.test(number);
  return right ? number : refuse('A passport number has 6 to 9 letters and digits.');
}
