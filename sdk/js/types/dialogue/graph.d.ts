/**
 * What a dialogue looks like: its states and the ways between them.
 *
 * @module
 */
/** @typedef {import('./state.js').Parts} Parts */
/**
 * @typedef {object} GraphState
 * @property {string} name
 * @property {'free-text' | 'choice' | 'menu' | 'paginated-choice' | 'booklet' | 'end' | 'other'} kind
 * @property {string} text As it is written in the app.
 */
/**
 * @typedef {object} GraphTransition
 * @property {string} from
 * @property {string} to
 * @property {string} [label] Of the option that leads there.
 */
/**
 * A dialogue as it can be drawn.
 *
 * @typedef {object} Graph
 * @property {string} start Where it begins.
 * @property {GraphState[]} states
 * @property {GraphTransition[]} transitions
 * @property {string[]} [problems] What is wrong with the dialogue; absent when nothing is.
 */
/**
 * @internal
 * @param {import('./dialogue.js').Dialogue} dialogue
 * @returns {Graph}
 */
export function graphOf(dialogue: import("./dialogue.js").Dialogue): Graph;
/**
 * @internal
 * @param {import('./dialogue.js').Dialogue} dialogue
 * @returns {string[]}
 */
export function problemsOf(dialogue: import("./dialogue.js").Dialogue): string[];
/** Whether its answers are those that it lists. @internal @param {Parts} parts */
export function hasOptions({ kind }: Parts): boolean;
export type Parts = import("./state.js").Parts;
export type GraphState = {
    name: string;
    kind: "free-text" | "choice" | "menu" | "paginated-choice" | "booklet" | "end" | "other";
    /**
     * As it is written in the app.
     */
    text: string;
};
export type GraphTransition = {
    from: string;
    to: string;
    /**
     * Of the option that leads there.
     */
    label?: string;
};
/**
 * A dialogue as it can be drawn.
 */
export type Graph = {
    /**
     * Where it begins.
     */
    start: string;
    states: GraphState[];
    transitions: GraphTransition[];
    /**
     * What is wrong with the dialogue; absent when nothing is.
     */
    problems?: string[];
};
