// Who gets what.
//
// Messages of different people are handled side by side, so no two of them may write the same key. Each person has a
// record, `person:<address>`, which only their own messages change. A topic's list is a row of numbered places,
// `members:<topic>:<number>`, each with one address; `kv.incr` on `members:<topic>` hands the numbers out in one step, so
// nobody gets a place twice.
//
// The person's record decides. A place that it does not name (left over when a host went down in the middle) counts for
// nothing, so nobody who said STOP gets another message.

import { kv } from '@vumi/sdk';

const personKey = (user) => `person:${user}`;
const lastPlaceKey = (topic) => `members:${topic}`;
const placeKey = (topic, place) => `members:${topic}:${place}`;

/** What is known of somebody. */
export class Person {
  constructor(user, { stopped = false, places = {} } = {}) {
    this.user = user;
    /** Said STOP, and has not said START since. */
    this.stopped = stopped;
    /** Their place in the list of each topic that they get. */
    this.places = places;
  }

  /** Reads a record; somebody unknown gets nothing and may be written to. */
  static load(user) {
    return new Person(user, kv.get(personKey(user)));
  }

  #save() {
    kv.set(personKey(this.user), { stopped: this.stopped, places: this.places });
  }

  /** Undoes STOP. What they got before they must join again. */
  start() {
    this.stopped = false;
    this.#save();
  }

  /** Ends everything. The record stays, for as long as the app does: it is what keeps later messages away. */
  stop() {
    const places = Object.entries(this.places);
    this.stopped = true;
    this.places = {};
    this.#save();
    for (const [topic, place] of places) kv.delete(placeKey(topic, place));
  }

  /** Adds them to a topic; false when they are in it already. */
  join(topic) {
    if (topic in this.places) return false;
    const place = kv.incr(lastPlaceKey(topic));
    kv.set(placeKey(topic, place), this.user);
    this.places[topic] = place;
    this.#save();
    return true;
  }

  /** Takes them out of a topic; false when they are not in it. */
  leave(topic) {
    if (!(topic in this.places)) return false;
    const place = this.places[topic];
    delete this.places[topic];
    this.#save();
    kv.delete(placeKey(topic, place));
    return true;
  }
}

/** The highest place that a topic's list has ever had. */
export function lastPlace(topic) {
  return kv.get(lastPlaceKey(topic)) ?? 0;
}

/** Who is at a place, if somebody is and still gets the topic. */
export function member(topic, place) {
  const user = kv.get(placeKey(topic, place));
  if (user === undefined) return undefined;
  const person = Person.load(user);
  return !person.stopped && person.places[topic] === place ? user : undefined;
}
