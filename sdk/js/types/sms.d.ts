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
export function isGsm(text: string): boolean;
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
export function fits(text: string, characters: number): boolean;
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
export function segments(text: string): number;
