/**
 * What the user sees, and whether the session ends with it.
 *
 * @typedef {{ text: string, closes: boolean }} Screen
 */
/**
 * What a message comes to.
 *
 * @typedef {object} Outcome
 * @property {Screen | null} reply
 * @property {'keep' | 'delete' | Record} store What becomes of what is kept.
 * @property {string[]} metrics Names to count.
 * @property {Array<[import('../log.js').Level, string]>} logs
 */
/**
 * Takes one step.
 *
 * @internal
 * @param {import('./dialogue.js').Dialogue} dialogue
 * @param {import('../message.js').Message} message
 * @param {Record | undefined} stored
 * @returns {Promise<Outcome>}
 */
export function turn(dialogue: import("./dialogue.js").Dialogue, message: import("../message.js").Message, stored: Record | undefined): Promise<Outcome>;
/**
 * What the user sees, and whether the session ends with it.
 */
export type Screen = {
    text: string;
    closes: boolean;
};
/**
 * What a message comes to.
 */
export type Outcome = {
    reply: Screen | null;
    /**
     * What becomes of what is kept.
     */
    store: "keep" | "delete" | Record;
    /**
     * Names to count.
     */
    metrics: string[];
    logs: Array<[import("../log.js").Level, string]>;
};
export type Record = import("./record.js").Record;
export type Parts = import("./state.js").Parts;
