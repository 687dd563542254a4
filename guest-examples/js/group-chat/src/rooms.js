// Who is in which room. A room is one key with the list of those in it, which is read and written as a whole: the app
// handles one message after another (see the head of app.js).

import { config, kv, log, sendTo } from '@vumi/sdk';

const key = (room) => `room:${room}`;

/**
 * A room and those in it, in the order in which they came: `user`, their address, `name`, and `endpoint`, the app's endpoint
 * that their messages arrive at, and through which they are reached.
 */
export class Room {
  constructor(name) {
    this.name = name;
    this.members = kv.get(key(name)) ?? [];
  }

  /** Reads a room; nothing when there is none of this name. */
  static open(name) {
    return names().includes(name.toLowerCase()) ? new Room(name.toLowerCase()) : undefined;
  }

  /** Whether it takes nobody else. A message to it is one for each of the others, and the host lets a run send 100. */
  get isFull() {
    return this.members.length >= (Number(config('seats')) || 50);
  }

  /** Adds somebody. */
  enter(newcomer) {
    // Somebody who was forgotten for a long silence may still be on the list.
    this.members = [...this.others(newcomer.user), newcomer];
    this.#save();
  }

  /** Takes somebody out. */
  leave(user) {
    this.members = this.others(user);
    this.#save();
  }

  /** Somebody is called otherwise now. */
  rename(user, name) {
    for (const member of this.members) if (member.user === user) member.name = name;
    this.#save();
  }

  /** All but this one. */
  others(user) {
    return this.members.filter((member) => member.user !== user);
  }

  /** Writes to all but this one. Who cannot be reached is passed over. */
  tellOthers(user, text) {
    for (const member of this.others(user)) {
      try {
        sendTo(member.user, text, { endpoint: member.endpoint });
      } catch (error) {
        log.warning(`${member.name} in ${this.name} was not told: ${error.message}`);
      }
    }
  }

  #save() {
    if (this.members.length === 0) kv.delete(key(this.name));
    else kv.set(key(this.name), this.members);
  }
}

/** The rooms that there are: the configured `rooms`, with spaces or commas between them. */
function names() {
  const names = config('rooms') ?? 'lobby football music';
  return names
    .toLowerCase()
    .split(/[ ,]/)
    .filter((name) => name !== '');
}

/** All rooms, each with the number of those in it. */
export function list() {
  const rooms = names().map((name) => `${name} (${new Room(name).members.length})`);
  return `Rooms: ${rooms.join(', ')}. Write /join and a room.`;
}
