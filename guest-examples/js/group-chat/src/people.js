// Who is called what, and in which room they are. A name belongs to one person, whatever its case: `name:<in small
// letters>` holds their address, and `person:<address>` what is known of them.

import { kv } from '@vumi/sdk';

/** Who writes nothing for so long is forgotten, and the name is free again. In seconds. */
const REMEMBERED = 30 * 24 * 60 * 60;

const key = (user) => `person:${user}`;
const nameKey = (name) => `name:${name.toLowerCase()}`;

/** Somebody who has been here before: `name`, and `room`, the one that they are in, or `null`. */
export function load(user) {
  return kv.get(key(user));
}

/** Keeps them, and their name, for a month from now. */
export function save(user, person) {
  kv.setFor(nameKey(person.name), user, REMEMBERED);
  kv.setFor(key(user), person, REMEMBERED);
}

/** Gives them another name. */
export function rename(user, person, name) {
  kv.delete(nameKey(person.name));
  person.name = name;
  save(user, person);
}

/** Why somebody cannot have a name; `null` when they can. */
export function objection(user, name) {
  if (!/^[\p{Alphabetic}\p{N}]{2,12}$/u.test(name)) return 'Please choose a name of 2 to 12 letters or digits.';
  const holder = kv.get(nameKey(name));
  if (holder === undefined || holder === user) return null;
  return `Somebody is called ${name} already. Please choose another name.`;
}
