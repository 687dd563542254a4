/**
 * The translations of an app.
 *
 * In an app that is built with `vumi-host build` a .po file can be imported as text:
 * `import sw from '../locale/sw.po';`. It is read when a user needs it, not before.
 *
 * @example
 * import { Dialogue, End, Translations } from '@vumi/sdk';
 *
 * const translations = new Translations()
 *   .po('sw', 'msgid "Welcome"\nmsgstr "Karibu"\n')
 *   .map('fr', { Welcome: 'Bienvenue' });
 * const dialogue = new Dialogue('hello').translations(translations).state(new End('hello', 'Welcome'));
 */
export class Translations {
    /**
     * Adds a .po file. What is wrong with it is said by {@link Dialogue.problems}; its texts then stay as they are written.
     *
     * @param {string} language Its code: `sw`, `pt-BR`.
     * @param {string} text The file's text.
     * @returns {this} For more.
     */
    po(language: string, text: string): this;
    /**
     * Adds translations, each beside the text as it is written in the app.
     *
     * @param {string} language Its code.
     * @param {Record<string, string>} texts The translations.
     * @returns {this} For more.
     */
    map(language: string, texts: Record<string, string>): this;
    /**
     * The text in a language, or in the language without its region; `undefined` where there is no translation.
     *
     * @internal
     * @param {string} language
     * @param {import('./text.js').Text} text
     * @returns {string | undefined}
     */
    find(language: string, text: import("./text.js").Text): string | undefined;
    /** @internal What is wrong with the files. */
    problems(): string[];
    #private;
}
