// Keyword SMS: people join topics by sending a word, and leave with STOP, as operators require of every such service.
//
// words.js says what a text means, service.js what the owner configured, people.js who gets what, and send.js brings the
// owner's news to all who joined. This file joins them.

import { app, log, metrics } from '@vumi/sdk';

import { Person } from './people.js';
import * as send from './send.js';
import { configured } from './service.js';
import { orderOf } from './words.js';

export default app({
  onMessage(message) {
    if (message.isClose || message.user === '') return;
    const service = configured();
    let text;
    try {
      text = answer(service, message);
    } catch (error) {
      // The sender hears something in any case; the error is recorded for the owner.
      message.reply('Sorry, that did not work. Please try again later.');
      throw error;
    }
    if (text !== null) message.reply(text);
  },

  onEvent(event) {
    if (event.kind === 'nack') log.warning(`message ${event.messageId ?? '?'} was refused: ${event.reason}`);
  },
});

/** What goes back to the sender; `null` when nothing may. */
function answer(service, message) {
  const { user } = message;
  const person = Person.load(user);
  const { order, topic, rest, word } = orderOf(message.text, service, service.owners.includes(user));
  // After STOP there is one confirmation and then silence. Only START and HELP are still heard.
  if (person.stopped && order !== 'start' && order !== 'help') {
    log.info(`${user} has said STOP and hears nothing`);
    return null;
  }
  const { name } = service;
  switch (order) {
    case 'start':
      person.start();
      metrics.count('start');
      return `Welcome to ${name}. To join, send ${service.keywords(' or ')}. STOP ends it, HELP helps.`;
    case 'stop':
      person.stop();
      metrics.count('stop');
      return `${name}: you are unsubscribed and will get no more messages. Send START to come back.`;
    case 'help':
      return service.help();
    case 'join':
      return join(service, person, topic);
    case 'leave':
      return person.leave(topic.keyword)
        ? `You no longer get ${topic.title}. Send STOP to end all messages.`
        : `You do not get ${topic.title}. Send LIST to see what you get.`;
    case 'list':
      return list(service, person);
    case 'send':
      return send.start(service, user, rest);
    case 'next':
      return send.goOn(service, user);
    default:
      return `Sorry, we do not know the word ${word}. Send HELP for help.`;
  }
}

function join({ name }, person, { keyword, title }) {
  if (!person.join(keyword)) return `You get ${title} from ${name} already. Send HELP for help, STOP to end.`;
  metrics.count('join');
  return `You now get ${title} from ${name}. Send HELP for help, STOP to end. Standard rates apply.`;
}

function list({ topics }, person) {
  const has = topics.filter(({ keyword }) => keyword in person.places).map(({ title }) => title);
  const other = topics.filter(({ keyword }) => !(keyword in person.places)).map(({ keyword }) => keyword);
  if (has.length === 0) return `You get nothing yet. To join, send ${other.join(' or ')}.`;
  if (other.length === 0) return `You get ${has.join(', ')}. That is all there is.`;
  return `You get ${has.join(', ')}. To join more, send ${other.join(' or ')}.`;
}
