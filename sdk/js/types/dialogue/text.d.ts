/**
 * A text, translated when it is shown, with arguments.
 *
 * @param {string} text As it is written in the app; `{word}` is replaced by the argument or the answer of this name.
 * @param {Record<string, unknown>} [args] What replaces the words.
 * @returns {Text} To be given wherever a text is asked for.
 * @example
 * import { Dialogue, End, t } from '@vumi/sdk';
 *
 * const dialogue = new Dialogue('shop').state(
 *   new End('hello', '').textWith((ctx) => t('Hello {name}', { name: ctx.user })),
 * );
 */
export function t(text: string, args?: Record<string, unknown>): Text;
/**
 * A text in a context (`msgctxt` of a .po file), which tells apart what is written the same: `May` the month and the
 * name.
 *
 * @param {string} context Names it.
 * @param {string} text As for {@link t}.
 * @param {Record<string, unknown>} [args] As for {@link t}.
 * @returns {Text} As {@link t}.
 * @example
 * import { Choice, tc } from '@vumi/sdk';
 *
 * const month = new Choice('month', 'Which month?').option('5', tc('month', 'May'));
 */
export function tc(context: string, text: string, args?: Record<string, unknown>): Text;
/**
 * A text that depends on a number, in the plural forms of the user's language. `{n}` is the number.
 *
 * @param {string} one For one.
 * @param {string} many For several.
 * @param {number} n How many.
 * @param {Record<string, unknown>} [args] As for {@link t}.
 * @returns {Text} As {@link t}.
 * @example
 * import { End, tn } from '@vumi/sdk';
 *
 * const end = new End('end', '').textWith((ctx) => tn('{n} child', '{n} children', ctx.answer('children')));
 */
export function tn(one: string, many: string, n: number, args?: Record<string, unknown>): Text;
/**
 * Puts values into a text. A word that has none stays as it is; what was put in is not looked at again.
 *
 * @internal
 * @param {string} text
 * @param {(word: string) => unknown} value Gives `undefined` for a word that has none.
 * @returns {string}
 */
export function fill(text: string, value: (word: string) => unknown): string;
/**
 * Texts that are translated and filled in when they are shown.
 *
 * @module
 */
/**
 * A text with what is put into it. Made by {@link t}, {@link tc} and {@link tn}.
 *
 * @example
 * import { t, Text } from '@vumi/sdk';
 *
 * console.assert(t('Hello {name}', { name: 'Anna' }) instanceof Text);
 */
export class Text {
    /**
     * @internal
     * @param {string} id As it is written in the app, in the dialogue's own language.
     * @param {Record<string, unknown>} args What replaces `{word}`.
     * @param {string | undefined} context Tells apart what is written the same.
     * @param {{ many: string, n: number } | undefined} plural Its form for several.
     */
    constructor(id: string, args: Record<string, unknown>, context: string | undefined, plural: {
        many: string;
        n: number;
    } | undefined);
    id: string;
    args: Record<string, unknown>;
    context: string | undefined;
    plural: {
        many: string;
        n: number;
    } | undefined;
    /** @internal As it is written, in the language of the app. */
    source(): string;
    /** The text as it is written. */
    toString(): string;
}
