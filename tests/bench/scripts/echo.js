// What tests/bench/node/app.js does, with the JavaScript SDK: one key read, one written, a line for the log, a reply.
import { app, kv, log } from '@vumi/sdk';

export default app({
  async onMessage(message) {
    const seen = kv.get('bench') ?? 0;
    kv.set('bench', seen + 1);
    log.info(`seen ${seen} messages`);
    message.reply(message.content);
  },
});
