/**
 * Whether a file is written as gettext's tools write short texts: each `msgid` on one line, nothing indented, no escapes but
 * the usual ones. Of such a file a quick look says for certain what is not in it.
 *
 * @internal
 * @param {string} po
 * @returns {boolean}
 */
export function isRegular(po: string): boolean;
/**
 * The translation of a plain text in a regular file.
 *
 * @internal
 * @param {string} po
 * @param {string} id
 * @returns {{ text: string | undefined } | undefined} `undefined` when only a reading of the whole file can tell.
 */
export function quickFind(po: string, id: string): {
    text: string | undefined;
} | undefined;
