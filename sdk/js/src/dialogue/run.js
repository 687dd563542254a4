/**
 * A step of a conversation with what it touches: kv, the reply, the metrics, the log.
 *
 * @module
 */

import { kvDelete, kvGet, kvSet } from 'vumi:host';
import { log } from '../log.js';
import { count } from '../metrics.js';
import { fresh, keyOf, read } from './record.js';
import { turn } from './turn.js';

/**
 * Takes one step.
 *
 * @internal
 * @param {import('./dialogue.js').Dialogue} dialogue
 * @param {import('../message.js').Message} message
 */
export async function run(dialogue, message) {
  const { name, ttl } = dialogue.parts;
  if (message.user === '') {
    log('warning', `dialogue ${name}: a message without its sender's address is not answered`);
    return;
  }
  const key = keyOf(message.user);
  const outcome = await turn(dialogue, message, kept(name, key));
  for (const [level, line] of outcome.logs) log(level, line);
  // Sent first, so that a message which is handled again because something failed finds the conversation where it was.
  // What was sent is not sent twice: the host gives it the same id.
  if (outcome.reply !== null) message.reply(outcome.reply.text, { closeSession: outcome.reply.closes });
  if (outcome.store === 'delete') kvDelete(key);
  else if (outcome.store !== 'keep') kvSet(key, JSON.stringify(outcome.store), Math.min(Math.ceil(ttl), 0xffff_ffff));
  for (const metric of outcome.metrics) {
    try {
      count(metric);
    } catch (error) {
      // What is counted is not worth failing for.
      log('warning', `dialogue ${name}: '${metric}' is not counted: ${/** @type {Error} */ (error).message}`);
    }
  }
}

/** @param {string} name @param {string} key */
function kept(name, key) {
  const text = kvGet(key);
  if (text === null) return undefined;
  const stored = read(text);
  if (stored !== undefined) return stored;
  log('warning', `dialogue ${name}: what is kept under '${key}' is unreadable: a conversation starts again`);
  // It is there: an end must remove it.
  return fresh(0, undefined);
}
