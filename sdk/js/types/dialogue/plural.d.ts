/**
 * What a rule gives for a number: the index of the form.
 *
 * @internal
 * @param {string} rule
 * @param {number} n
 * @returns {number | undefined} `undefined` when it is no expression, or divides by zero.
 */
export function pluralIndex(rule: string, n: number): number | undefined;
