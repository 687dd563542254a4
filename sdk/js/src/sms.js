/**
 * How long a text is on the air: characters as networks count them, and the SMS that it takes.
 *
 * @module
 */

/** The basic alphabet of GSM 03.38; each of its characters counts as one. */
const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§' +
    '¿abcdefghijklmnopqrstuvwxyzäöñüà',
);

/** Its extension; each counts as two. */
const EXTENDED = new Set('^{}\\[~]|€\f');

/**
 * Whether every character is in the GSM 03.38 alphabet.
 *
 * @param {string} text The text.
 * @returns {boolean} False when it has to go as UCS-2, of which less than half as many characters fit.
 * @example
 * import { sms } from '@vumi/sdk';
 *
 * console.assert(sms.isGsm('5 €'));
 * console.assert(!sms.isGsm('naïve'));
 */
export function isGsm(text) {
  return measure(text).alphabet === 'gsm';
}

/**
 * Whether a text fits into so many characters: those of GSM 03.38, or 7/16 as many units of UCS-2.
 *
 * @param {string} text The text.
 * @param {number} characters How many there is room for.
 * @returns {boolean} Whether it fits.
 * @example
 * import { sms } from '@vumi/sdk';
 *
 * console.assert(sms.fits('a'.repeat(160), 160));
 * console.assert(sms.fits('ж'.repeat(70), 160));
 * console.assert(!sms.fits('ж'.repeat(71), 160));
 */
export function fits(text, characters) {
  const { alphabet, units } = measure(text);
  return units <= (alphabet === 'gsm' ? characters : Math.floor((characters * 7) / 16));
}

/**
 * How long a text is, in characters of its alphabet.
 *
 * @param {string} text
 * @returns {{ alphabet: 'gsm' | 'ucs2', units: number }}
 */
function measure(text) {
  let units = 0;
  for (const letter of text) {
    if (BASIC.has(letter)) units += 1;
    else if (EXTENDED.has(letter)) units += 2;
    else return { alphabet: 'ucs2', units: text.length };
  }
  return { alphabet: 'gsm', units };
}

/**
 * How many SMS a text takes.
 *
 * @param {string} text The text.
 * @returns {number} 1 for up to 160 characters (70 outside the GSM alphabet); a longer one is sent in parts of 153 (67).
 * @example
 * import { sms } from '@vumi/sdk';
 *
 * console.assert(sms.segments('a'.repeat(160)) === 1);
 * console.assert(sms.segments('a'.repeat(161)) === 2);
 */
export function segments(text) {
  const { alphabet, units } = measure(text);
  const [single, part] = alphabet === 'gsm' ? [160, 153] : [70, 67];
  if (units <= single) return 1;
  // What counts as two is never parted.
  let count = 1;
  let used = 0;
  for (const letter of text) {
    const size = alphabet === 'gsm' ? (EXTENDED.has(letter) ? 2 : 1) : letter.length;
    if (used + size > part) [count, used] = [count + 1, 0];
    used += size;
  }
  return count;
}
