// What the service's owner configured: its name, its topics, and who may send to those who joined.

import { config } from '@vumi/sdk';

import { clean } from './words.js';

/** Reads the app's configuration. What is not configured has an example's value, so that the app can be tried. */
export function configured() {
  const name = config('name') ?? 'Afya Tips';
  const contact = config('contact') ?? '0800 123 456';
  const batch = Number(config('batch') ?? 90);
  const topics = topicsOf(config('topics') ?? '{"TIPS": "health tips", "BABY": "advice for mothers"}');
  const keywords = (between) => topics.map(({ keyword }) => keyword).join(between);
  return {
    /** Stands in every message, so that people know who writes. */
    name,
    /** What people can join: `keyword`, the word in capitals, and `title`, what it is. */
    topics,
    /** Addresses that may send to all. */
    owners: (config('owners') ?? '').split(/[, ]/).filter((owner) => owner !== ''),
    /** Messages that one run sends. The host's limit `outbound_messages` is 100, and the owner gets an answer too. */
    batch: Number.isInteger(batch) && batch >= 0 ? batch : 90,
    topic: (keyword) => topics.find((topic) => topic.keyword === keyword),
    keywords,
    /** What operators want to stand in the answer to HELP: who this is, whom to call, what it costs, how it ends. */
    help: () =>
      `${name}: send ${keywords(', ')} to join, LIST for yours, STOP to end. Questions: ${contact}. Standard rates apply.`,
  };
}

/** Keywords and titles, in the order of the keywords. */
function topicsOf(text) {
  let topics;
  try {
    topics = Object.entries(JSON.parse(text));
  } catch (error) {
    throw new Error(`the configured \`topics\` are no JSON object of texts: ${error.message}`);
  }
  return topics.sort(([a], [b]) => (a < b ? -1 : 1)).map(([keyword, title]) => ({ keyword: clean(keyword), title }));
}
