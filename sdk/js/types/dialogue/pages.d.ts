/** @internal @param {Limit} limit @param {string} text */
export function fitsLimit(limit: Limit, text: string): boolean;
/**
 * Cuts a screen into pages.
 *
 * @internal
 * @param {Sheet} sheet
 * @param {Limit} limit
 * @returns {{ pages: string[], broken: boolean }} `broken`: a word that was longer than a page had to be broken.
 * @throws {RangeError} When the limit has no room for anything beside the keys.
 */
export function cutPages(sheet: Sheet, limit: Limit): {
    pages: string[];
    broken: boolean;
};
/** Lines, but for the empty ones. @internal @param {...string} lines */
export function joined(...lines: string[]): string;
/**
 * How long a page may be: characters as networks count them, or SMS.
 */
export type Limit = {
    characters: number;
} | {
    segments: number;
};
/**
 * What a screen is made of: a text may be broken at white space, an option is a numbered line that stays whole, what
 * follows a break stands on a new page.
 */
export type Piece = {
    text: string;
} | {
    option: string;
} | {
    break: true;
};
/**
 * The lines below a page.
 */
export type Keys = {
    /**
     * `99. More`.
     */
    more: string;
    /**
     * `1. Continue`, on the last page.
     */
    goOn: string | null;
    /**
     * `0. Back`.
     */
    back: string;
    /**
     * Whether that stands on the first page.
     */
    backFirst: boolean;
    /**
     * Whether it stands on later ones.
     */
    backLater: boolean;
    /**
     * `00. Start again`.
     */
    restart: string | null;
};
/**
 * A whole screen, before it is cut into pages.
 */
export type Sheet = {
    pieces: Piece[];
    keys: Keys;
    /**
     * Stands on every page after the first.
     */
    head: string | null;
    /**
     * Most options of a page.
     */
    perPage: number;
};
