// Echo: replies with what it was sent, and counts the messages of each user.

import { app, isQuota, kv, log } from '@vumi/sdk';

export default app({
  onMessage(message) {
    if (message.isClose) return;
    if (message.content === null) {
      message.reply('Enter text to echo:');
      return;
    }
    try {
      const count = kv.incr(`messages:${message.user}`);
      log.info(`message ${count} of ${message.user}`);
    } catch (error) {
      // An app may keep a limited number of keys; counting is not worth failing for.
      if (!isQuota(error)) throw error;
      log.warning(`not counted: ${error.message}`);
    }
    message.reply(message.content);
  },
});
