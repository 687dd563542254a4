/** The translations of one file. */
export class Catalog {
    /**
     * @param {string} text The file's.
     * @throws {Error} When it cannot be read; the message names the line.
     */
    constructor(text: string);
    /**
     * The translation of a text, where it has one.
     *
     * @param {import('./text.js').Text} text
     * @returns {string | undefined}
     */
    find(text: import("./text.js").Text): string | undefined;
    #private;
}
export type Entry = {
    msgctxt?: string;
    msgid?: string;
    msgid_plural?: string;
    /**
     * `msgstr`, or `msgstr[0]` and further.
     */
    forms: string[];
    fuzzy: boolean;
};
