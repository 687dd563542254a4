// The owner's news, to all who joined a topic.
//
// One run may send a limited number of messages, so a long list is sent in parts: the place where it stopped is kept for
// a day, and the owner's NEXT goes on from there.

import { kv, metrics, sendTo } from '@vumi/sdk';

import { lastPlace, member } from './people.js';
import { clean, split } from './words.js';

/** How long an owner may take to go on, in seconds. */
const A_DAY = 24 * 60 * 60;

const restKey = (owner) => `rest:${owner}`;

/** The owner wrote `SEND <topic> <text>`. The answer is for the owner. */
export function start(service, owner, rest) {
  const [word, text] = split(rest);
  const topic = service.topic(clean(word));
  if (topic === undefined || text === '') {
    return `Write SEND, a topic and the text. The topics are ${service.keywords(', ')}.`;
  }
  // `place` is the next one in the topic's list, `sent` counts the people who have it already.
  return part(service, owner, { topic: topic.keyword, text, place: 1, sent: 0 });
}

/** The owner wrote `NEXT`. */
export function goOn(service, owner) {
  const rest = kv.get(restKey(owner));
  return rest === undefined ? 'There is nothing left to send.' : part(service, owner, rest);
}

function part(service, owner, rest) {
  const text = `${service.name}: ${rest.text} STOP to end.`;
  const last = lastPlace(rest.topic);
  for (let room = service.batch; rest.place <= last; rest.place += 1) {
    const user = member(rest.topic, rest.place);
    if (user === undefined) continue;
    if (room === 0) {
      kv.setFor(restKey(owner), rest, A_DAY);
      return `Sent to ${rest.sent} so far. Send NEXT to go on.`;
    }
    sendTo(user, text);
    metrics.count('sent');
    room -= 1;
    rest.sent += 1;
  }
  kv.delete(restKey(owner));
  if (rest.sent === 0) return `Nobody has joined ${rest.topic} yet.`;
  return rest.sent === 1 ? 'Sent to 1 person.' : `Sent to ${rest.sent} people.`;
}
