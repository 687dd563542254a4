// What a text means. People write `stop!`, `"TIPS"` and `Stop please`; the first word counts, whatever its case and
// whatever stands around it.

/** Words that end everything. Operators name them and check that each one works. */
const STOP = ['STOP', 'STOPALL', 'END', 'QUIT', 'CANCEL', 'UNSUBSCRIBE'];

/** Words that undo it. */
const START = ['START', 'UNSTOP', 'SUBSCRIBE'];

/** Words that ask who this is; they work for everybody at any time. */
const HELP = ['', 'HELP', 'INFO', '?'];

/** Longest part of an unknown word that is shown again, in characters. */
const SHOWN = 20;

/**
 * What somebody wants: `order` is `start` (to be reachable again), `stop` (no more messages at all), `help`, `join` or
 * `leave` (a `topic`), `list` (what they get), `send` (the owner's; `rest` is `<topic> <text>`), `next` (the owner's: on
 * with what did not fit into one run) or `unknown` (a `word`). Only owners can send to others; for anybody else those
 * words are unknown ones.
 */
export function orderOf(text, service, isOwner) {
  const [first, rest] = split(text);
  const [second, more] = split(rest);
  const word = clean(first);
  if (HELP.includes(word)) return { order: 'help' };
  if (STOP.includes(word)) {
    // "STOP TIPS" ends one topic. "Stop please" ends everything: when in doubt, stop.
    const topic = more === '' ? service.topic(clean(second)) : undefined;
    return topic === undefined ? { order: 'stop' } : { order: 'leave', topic };
  }
  if (START.includes(word)) return { order: 'start' };
  if (word === 'LIST') return { order: 'list' };
  if (isOwner && word === 'SEND') return { order: 'send', rest };
  if (isOwner && word === 'NEXT') return { order: 'next' };
  const topic = service.topic(word);
  if (topic !== undefined) return { order: 'join', topic };
  return { order: 'unknown', word: [...word].slice(0, SHOWN).join('') };
}

/** The first word, and the rest without the white space between them. */
export function split(text) {
  const [, first, rest] = /^(\S*)\s*(.*)$/s.exec(text.trim());
  return [first, rest];
}

/** A word in capitals, without quotes and punctuation around it; a question mark alone stays. */
export function clean(word) {
  if (word === '?') return word;
  return word.replace(/^[^\p{Alphabetic}\p{N}]+|[^\p{Alphabetic}\p{N}]+$/gu, '').toUpperCase();
}
