// Does what a message tells it: for tests of what apps made with the JavaScript SDK can do on the host's script engine.

import {
  app,
  check,
  Choice,
  config,
  Dialogue,
  End,
  fetch,
  fetchJson,
  FreeText,
  HostError,
  kv,
  log,
  metrics,
  sendTo,
} from '@vumi/sdk';

const dialogue = new Dialogue('probe')
  .state(new Choice('colour', 'Which colour?').option('r', 'Red').option('b', 'Blue').next('age'))
  .state(
    new FreeText('age', 'How old?')
      .validate(check.number(1, 120))
      .onLeave(async (ctx) => {
        await pause(5);
        ctx.set('twice', 2 * ctx.answer('age'));
      })
      .back()
      .next('end'),
  )
  .state(new End('end', '{colour} {age} {twice}'));

/** Values of every kind that JSON has. */
const VALUES = [0, -1.5, 1e21, 'ä€😀\n"', '', true, null, [], [1, [2]], { a: { b: null } }];

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

const orders = {
  echo: (message, text) => message.reply(text),

  async await(message, text) {
    await null;
    await pause(20);
    const [first, second] = await Promise.all([text, pause(10).then(() => 'later')]);
    message.reply(`${first} ${second}`);
  },

  kv(message) {
    VALUES.forEach((value, at) => kv.set(`value:${at}`, value));
    const same = VALUES.every((value, at) => JSON.stringify(kv.get(`value:${at}`)) === JSON.stringify(value));
    const counts = [kv.incr('n'), kv.incr('n', 4), kv.incr('n', -7)];
    const gone = [kv.delete('value:0'), kv.delete('value:0'), kv.get('value:0')];
    kv.setFor('short', 1, 60);
    message.reply(JSON.stringify({ same, counts, gone }));
  },

  async fetch(message, url) {
    const response = await fetch(url, { method: 'POST', body: 'ä', headers: { 'X-Probe': '1' } });
    message.reply(`${response.status} ${response.ok} ${response.headers.get('content-type')} ${await response.text()}`);
  },

  async json(message, url) {
    message.reply(JSON.stringify(await fetchJson(url, { json: { a: 1 }, retry: { pauseMs: 1 } })));
  },

  async throw() {
    await deeply();
  },

  reject: () => Promise.reject(new TypeError('this promise was rejected')),

  never: () => new Promise(() => {}),

  refused(message) {
    try {
      sendTo('+27820001002', 'x', { endpoint: 'nowhere' });
    } catch (error) {
      message.reply(`${error instanceof HostError} ${error.name} ${error.kind} ${error instanceof Error}`);
    }
  },

  tell(message, text) {
    sendTo('+27820001002', text, { endpoint: 'default' });
    message.replyToGroup(text);
    message.reply(text, { closeSession: true });
  },

  fields: (message) =>
    message.reply(
      JSON.stringify([
        message.user,
        message.toAddr,
        message.sessionEvent,
        message.transportType,
        message.helperMetadata,
        message.date,
      ]),
    ),

  own(message) {
    log.debug('a debug line');
    log.critical('a critical line');
    console.log('on the console', { a: 1 });
    metrics.fire('probe.size', 2.5, 'avg');
    message.reply(`${config('greeting')} ${config('nothing')}`);
  },

  random: (message) => message.reply(`${Math.random()} ${crypto.randomUUID()} ${new Date().toISOString()}`),
};

async function deeply() {
  await null;
  throw new RangeError('this was thrown deep inside');
}

export default app({
  async onMessage(message) {
    const [, word, text] = /^(\S*)\s*(.*)$/s.exec(message.text);
    const order = Object.hasOwn(orders, word) ? orders[word] : () => dialogue.answer(message);
    await order(message, text);
  },

  onEvent(event) {
    log.info(
      `${event.kind} ${event.reason ?? event.deliveryStatus ?? (event.sentMessageId === null ? '' : 'with an id')}`.trim(),
    );
    if (event.messageId === null) throw new Error('an event about nothing');
  },

  graph: () => dialogue.graph(),
});
