// Does what was asked, and says so.

import { kv, metrics } from '@vumi/sdk';

import { commandOf } from './commands.js';
import * as people from './people.js';
import { list, Room } from './rooms.js';

/** Longest text that is passed on, in characters: two SMS, with the sender's name before it. */
const LONGEST = 280;

/** What goes back to the sender; `null` when the others read it, which costs one message less. */
export function answer(message) {
  const { user } = message;
  const person = people.load(user);
  if (person === undefined) return introduce(user, message);
  // Whatever was dialled is no text. (Who was in a room when the line broke left it then.)
  if (message.isNew) return `Welcome back, ${person.name}! ${list()}`;
  // A month from now: names stay with those who write.
  people.save(user, person);
  const { command, rest } = commandOf(message.text);
  switch (command) {
    case 'say':
      return say(user, person, rest);
    case 'join':
      return join(message, person, rest);
    case 'leave':
      return leave(user, person);
    case 'who':
      return who(person);
    case 'rooms':
      return list();
    case 'name':
      return rename(user, person, rest);
    case 'help':
      return '/rooms, /join ROOM, /leave, /who, /name NAME. Anything else goes to the room.';
    default:
      return `There is no command /${rest}. /help lists them.`;
  }
}

/** Somebody hung up. */
export function gone(user) {
  const person = people.load(user);
  if (person !== undefined) stepOut(user, person);
}

/** The first that somebody writes is taken for a greeting, the next for a name. */
function introduce(user, message) {
  const asked = `asked:${user}`;
  if (message.isNew || kv.get(asked) === undefined) {
    kv.setFor(asked, true, 60 * 60);
    return 'Welcome to the chat! What shall we call you?';
  }
  const name = message.text;
  const objection = people.objection(user, name);
  if (objection !== null) return objection;
  people.save(user, { name, room: null });
  kv.delete(asked);
  metrics.count('people');
  return `Hello ${name}! ${list()}`;
}

function say(user, person, text) {
  const room = roomOf(person);
  if (room === undefined) return `You are in no room. ${list()}`;
  if (text === '') return 'Write something, or /help.';
  if ([...text].length > LONGEST) return `That is too long. Please write at most ${LONGEST} characters.`;
  if (room.others(user).length === 0) return `Nobody else is in ${room.name} yet.`;
  room.tellOthers(user, `${person.name}: ${text}`);
  metrics.count('said');
  return null;
}

function join(message, person, name) {
  const { user, endpoint } = message;
  const room = Room.open(name);
  if (room === undefined) return `There is no room ${name}. ${list()}`;
  if (person.room === room.name) return `You are in ${room.name} already.`;
  if (room.isFull) return `${room.name} is full. ${list()}`;
  stepOut(user, person);
  room.enter({ user, name: person.name, endpoint });
  person.room = room.name;
  people.save(user, person);
  room.tellOthers(user, `* ${person.name} came in.`);
  const names = room.others(user).map((member) => member.name);
  if (names.length === 0) return `You are in ${room.name}, alone so far. /leave leaves, /help helps.`;
  return `You are in ${room.name} with ${all(names)}. They read what you write. /leave leaves, /help helps.`;
}

function leave(user, person) {
  const room = stepOut(user, person);
  return room === undefined ? `You are in no room. ${list()}` : `You left ${room}. ${list()}`;
}

/** Takes somebody out of the room that they are in, and tells the others; the answer is the room. */
function stepOut(user, person) {
  const room = roomOf(person);
  if (room === undefined) return undefined;
  room.leave(user);
  person.room = null;
  people.save(user, person);
  room.tellOthers(user, `* ${person.name} left.`);
  return room.name;
}

function who(person) {
  const room = roomOf(person);
  if (room === undefined) return `You are in no room. ${list()}`;
  return `In ${room.name}: ${all(room.members.map((member) => member.name))}.`;
}

function rename(user, person, name) {
  const old = person.name;
  const objection = people.objection(user, name);
  if (objection !== null) return objection;
  people.rename(user, person, name);
  const room = roomOf(person);
  room?.rename(user, name);
  room?.tellOthers(user, `* ${old} is called ${name} now.`);
  return `You are ${name} now.`;
}

/** The room that somebody is in; nothing when it is no longer among the configured ones. */
function roomOf(person) {
  return person.room === null ? undefined : Room.open(person.room);
}

/** `Anna`, `Anna and Ben`, `Anna, Ben and Carl`. */
function all(names) {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
