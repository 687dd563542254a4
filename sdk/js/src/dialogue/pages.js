/**
 * Screens that are too long for a phone become pages: nothing is cut, nothing is lost.
 *
 * A screen is a row of pieces (a text, options, forced breaks) and the keys below it. Pages are filled one after another
 * as full as they go, each with the keys that it needs. The cases in tests/fixtures/dialogue hold for this and for the
 * Rust SDK.
 *
 * @module
 */

import { fits, segments } from '../sms.js';

/**
 * How long a page may be: characters as networks count them, or SMS.
 *
 * @typedef {{ characters: number } | { segments: number }} Limit
 */

/**
 * What a screen is made of: a text may be broken at white space, an option is a numbered line that stays whole, what
 * follows a break stands on a new page.
 *
 * @typedef {{ text: string } | { option: string } | { break: true }} Piece
 */

/**
 * The lines below a page.
 *
 * @typedef {object} Keys
 * @property {string} more `99. More`.
 * @property {string | null} goOn `1. Continue`, on the last page.
 * @property {string} back `0. Back`.
 * @property {boolean} backFirst Whether that stands on the first page.
 * @property {boolean} backLater Whether it stands on later ones.
 * @property {string | null} restart `00. Start again`.
 */

/**
 * A whole screen, before it is cut into pages.
 *
 * @typedef {object} Sheet
 * @property {Piece[]} pieces
 * @property {Keys} keys
 * @property {string | null} head Stands on every page after the first.
 * @property {number} perPage Most options of a page.
 */

// White space at which a text may be broken: not the kind that is made to hold words together.
const BREAK = /[\t-\r \x85\u1680\u2000-\u200a\u2028\u2029\u205f\u3000]/;
const BREAKS_BEFORE = new RegExp(`^${BREAK.source}+`);
const BREAKS_AFTER = new RegExp(`${BREAK.source}+$`);

/** @param {string} text */
const trimEnd = (text) => text.replace(BREAKS_AFTER, '');

/** @internal @param {Limit} limit @param {string} text */
export function fitsLimit(limit, text) {
  return 'characters' in limit ? fits(text, limit.characters) : segments(text) <= limit.segments;
}

/**
 * Cuts a screen into pages.
 *
 * @internal
 * @param {Sheet} sheet
 * @param {Limit} limit
 * @returns {{ pages: string[], broken: boolean }} `broken`: a word that was longer than a page had to be broken.
 * @throws {RangeError} When the limit has no room for anything beside the keys.
 */
export function cutPages(sheet, limit) {
  const head = sheet.head !== null && fitsHalf(limit, sheet.head) ? sheet.head : '';
  const rest = [...sheet.pieces];
  /** @type {string[]} */
  const pages = [];
  let broken = false;
  for (;;) {
    const top = pages.length === 0 ? '' : head;
    const last = lastPage(sheet, pages.length, top, rest);
    if (last !== undefined && fitsLimit(limit, last)) return { pages: [...pages, last], broken };
    const [page, hard] = fillPage(sheet, pages.length, top, rest, limit);
    pages.push(page);
    broken ||= hard;
  }
}

/** @param {Keys} keys @param {number} page @param {boolean} last @returns {string[]} */
function below(keys, page, last) {
  const lines = [
    last ? null : keys.more,
    last ? keys.goOn : null,
    (page === 0 ? keys.backFirst : keys.backLater) ? keys.back : null,
    keys.restart,
  ];
  return lines.filter((line) => line !== null);
}

/**
 * All that is left as one page, if it may be one.
 *
 * @param {Sheet} sheet
 * @param {number} number
 * @param {string} top
 * @param {Piece[]} rest
 */
function lastPage(sheet, number, top, rest) {
  if (rest.some((piece) => 'break' in piece)) return undefined;
  if (rest.filter((piece) => 'option' in piece).length > sheet.perPage) return undefined;
  return joined(top, ...rest.map(lineOf), ...below(sheet.keys, number, true));
}

/**
 * Takes as much from `rest` as there is room for.
 *
 * @param {Sheet} sheet
 * @param {number} number
 * @param {string} top
 * @param {Piece[]} rest
 * @param {Limit} limit
 * @returns {[string, boolean]} The page, and whether a word was broken.
 */
function fillPage(sheet, number, top, rest, limit) {
  const keys = below(sheet.keys, number, false);
  let body = top;
  let options = 0;
  let placed = false;
  let broken = false;
  for (let piece = rest.shift(); piece !== undefined; piece = rest.shift()) {
    if ('break' in piece) {
      if (placed) break;
      continue;
    }
    const text = lineOf(piece);
    const whole = 'option' in piece;
    const has = (/** @type {string} */ part) => fitsLimit(limit, joined(body, part, ...keys));
    if ((!whole || options < sheet.perPage) && has(text)) {
      body = joined(body, text);
      options += Number(whole);
      placed ||= text !== '';
      continue;
    }
    if (whole && placed) {
      rest.unshift(piece);
      break;
    }
    const [end, hard] = cutAt(text, placed, has);
    body = joined(body, trimEnd(text.slice(0, end)));
    broken = hard;
    rest.unshift({ text: text.slice(end).replace(BREAKS_BEFORE, '') });
    break;
  }
  return [joined(body, ...keys), broken];
}

/**
 * Where to cut a text so that the part before fits, and whether that is within a word. A word is only broken where
 * nothing stands before it on the page.
 *
 * @param {string} text
 * @param {boolean} placed
 * @param {(part: string) => boolean} has
 * @returns {[number, boolean]}
 */
function cutAt(text, placed, has) {
  const blanks = [...text.matchAll(new RegExp(BREAK, 'g'))].map((found) => found.index).filter((at) => at > 0);
  const blank = lastThat(blanks, (end) => has(trimEnd(text.slice(0, end))));
  if (blank !== undefined && trimEnd(text.slice(0, blank)) !== '') return [blank, false];
  if (placed) return [0, false];
  let at = 0;
  const ends = [...text].map((letter) => (at += letter.length));
  const end = lastThat(ends, (each) => has(text.slice(0, each)));
  if (end === undefined) throw new RangeError('the limit has no room for anything beside the keys');
  return [end, true];
}

/**
 * The last of a row for which something holds that holds up to it and not after.
 *
 * @param {number[]} row
 * @param {(each: number) => boolean} holds
 */
function lastThat(row, holds) {
  let [from, to] = [0, row.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (holds(row[middle] ?? 0)) from = middle + 1;
    else to = middle;
  }
  return row[from - 1];
}

/** @param {Limit} limit @param {string} head */
function fitsHalf(limit, head) {
  if ('characters' in limit) return fits(head, Math.floor(limit.characters / 2));
  return segments(head) <= Math.floor(limit.segments / 2);
}

/** @param {Piece} piece */
function lineOf(piece) {
  return 'text' in piece ? piece.text : 'option' in piece ? piece.option : '';
}

/** Lines, but for the empty ones. @internal @param {...string} lines */
export function joined(...lines) {
  return lines.filter((line) => line !== '').join('\n');
}
