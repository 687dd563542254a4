// Group chat: rooms in which everybody reads what one writes, by SMS, USSD, telnet or any other network.
//
// commands.js says what a text means, people.js keeps names, rooms.js who is where, and chat.js does what was asked.
//
// Run it with the app's option `parallel: 1`: then one message is handled after another. Two people who enter a room at
// once cannot spoil each other's change of the list, and all read the same words in the same order.

import { app } from '@vumi/sdk';

import { answer, gone } from './chat.js';

export default app({
  onMessage(message) {
    if (message.user === '') return;
    if (message.isClose) {
      // Who hangs up leaves. There is nobody to answer.
      gone(message.user);
      return;
    }
    const text = answer(message);
    if (text !== null) message.reply(text);
  },
});
