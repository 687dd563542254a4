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
export function graphOf(dialogue) {
  const { states, keywords } = dialogue.parts;
  const start = dialogue.first();
  const drawn = states.map(({ parts }) => ({ name: parts.name, kind: parts.kind, text: String(parts.text) }));
  const words = keywords.map(([label, to]) => ({ from: start, to, label }));
  const transitions = [...states.flatMap(({ parts }) => waysOut(parts)), ...words];
  const problems = problemsOf(dialogue);
  return { start, states: drawn, transitions, ...(problems.length === 0 ? {} : { problems }) };
}

/**
 * @internal
 * @param {import('./dialogue.js').Dialogue} dialogue
 * @returns {string[]}
 */
export function problemsOf(dialogue) {
  const { states, keywords, translations } = dialogue.parts;
  const first = dialogue.first();
  /** @type {string[]} */
  const problems = [];
  const lost = (/** @type {string} */ name) => dialogue.find(name) === undefined;
  if (lost(first)) problems.push(`it starts at '${first}', but there is no such state`);
  states.forEach(({ parts }, at) => {
    const { name } = parts;
    if (!/^[A-Za-z][A-Za-z0-9_-]{0,79}$/.test(name)) {
      problems.push(`'${name}' is no name for a state: letters, digits, '-' and '_', at most 80, the first a letter`);
    }
    if (states.slice(0, at).some((before) => before.parts.name === name))
      problems.push(`there are two states '${name}'`);
    if (hasOptions(parts) && parts.options.length === 0 && parts.list === undefined) {
      problems.push(`'${name}' has no options`);
    }
    if (leadsNowhere(parts)) problems.push(`'${name}' leads nowhere`);
    const missing = new Set(
      waysOut(parts)
        .map(({ to }) => to)
        .filter(lost),
    );
    for (const to of missing) problems.push(`'${name}' leads to '${to}', but there is no such state`);
  });
  for (const [word, to] of keywords) {
    if (lost(to)) problems.push(`the keyword '${word}' leads to '${to}', but there is no such state`);
  }
  return [...problems, ...translations.problems()];
}

/**
 * The ways out of a state, in the order in which they are written down.
 *
 * @param {Parts} parts
 * @returns {GraphTransition[]}
 */
function waysOut({ name, options, mayLeadTo, next, computed }) {
  /** @type {GraphTransition[]} */
  const ways = [];
  for (const { to, label } of options) if (to !== undefined) ways.push({ from: name, to, label: String(label) });
  for (const to of mayLeadTo) ways.push({ from: name, to });
  for (const to of next === undefined ? (computed?.declared ?? []) : [next]) ways.push({ from: name, to });
  const same = (/** @type {GraphTransition} */ a, /** @type {GraphTransition} */ b) =>
    a.to === b.to && a.label === b.label;
  return ways.filter((way, at) => ways.findIndex((other) => same(way, other)) === at);
}

/** Whether an answer to it has nowhere to go. @param {Parts} parts */
function leadsNowhere(parts) {
  if (parts.kind === 'end' || parts.next !== undefined || parts.computed !== undefined) return false;
  const listed = hasOptions(parts) && (parts.kind === 'menu' || parts.list === undefined);
  return !(listed && parts.options.every((option) => option.to !== undefined));
}

/** Whether its answers are those that it lists. @internal @param {Parts} parts */
export function hasOptions({ kind }) {
  return kind === 'choice' || kind === 'menu' || kind === 'paginated-choice';
}
