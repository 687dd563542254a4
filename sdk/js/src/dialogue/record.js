/**
 * What is kept of a conversation between two messages: as JSON in kv, the same for both SDKs.
 *
 * @module
 */

/** How many states a user can go back. */
const HISTORY = 20;

/**
 * Where a user is in the conversation, as kv keeps it under `dialogue:<user address>`. Apps meet it in
 * `Dialogue.migrate`.
 *
 * @typedef {object} Record
 * @property {number} version The dialogue's version.
 * @property {string | null} state The state whose screen the user saw last; `null` after an end.
 * @property {string[]} history The states before it, the oldest first.
 * @property {{ [name: string]: unknown }} answers By state name, and what `ctx.set` kept.
 * @property {number} page Which page of the screen, from 0.
 * @property {string} [lang] The user's language; absent when never chosen.
 * @property {string} [note] The reason that stands before the text.
 * @property {boolean} [asking] Whether the user is being asked whether to continue.
 */

/**
 * The key of a user.
 *
 * @internal
 * @param {string} user
 */
export function keyOf(user) {
  return `dialogue:${user}`;
}

/**
 * At the beginning, in a language.
 *
 * @internal
 * @param {number} version
 * @param {string | undefined} lang
 * @returns {Record}
 */
export function fresh(version, lang) {
  return { version, state: null, history: [], answers: {}, page: 0, ...(lang === undefined ? {} : { lang }) };
}

/**
 * The current state becomes one that can be gone back to.
 *
 * @internal
 * @param {Record} record
 */
export function leave(record) {
  if (record.state === null) return;
  record.history = [...record.history, record.state].slice(-HISTORY);
  record.state = null;
}

/**
 * What kv has, if it is a record.
 *
 * @internal
 * @param {string} text
 * @returns {Record | undefined}
 */
export function read(text) {
  /** @type {any} */
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (found === null || typeof found !== 'object' || Array.isArray(found)) return undefined;
  const { version, state = null, history = [], answers = {}, page = 0, lang, note, asking = false } = found;
  const whole = (/** @type {unknown} */ number) => Number.isInteger(number) && Number(number) >= 0;
  const texts = [lang, note].every((text) => text === undefined || text === null || typeof text === 'string');
  const path = Array.isArray(history) && history.every((name) => typeof name === 'string');
  const named = state === null || typeof state === 'string';
  const map = answers !== null && typeof answers === 'object' && !Array.isArray(answers);
  if (!whole(version) || !named || !path || !map || !whole(page) || !texts || typeof asking !== 'boolean')
    return undefined;
  /** @type {Record} */
  const record = { version, state, history, answers, page };
  if (lang) record.lang = lang;
  if (note) record.note = note;
  if (asking) record.asking = true;
  return record;
}
