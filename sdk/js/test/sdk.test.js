// Messages, events, kv, log, config, metrics and what refused calls throw.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { app, config, HostError, isQuota, kv, log, Message, metrics, sendTo } from '@vumi/sdk';
import { host, refused } from './support/host.js';

beforeEach(() => host.reset());

test('a message has every field of the contract', () => {
  const message = new Message(
    host.message('  hi  ', { sessionEvent: 'resume', group: 'all', provider: 'vodacom', helperMetadata: '{"tag":["a","b"]}', transportMetadata: '{"x":1}' }),
  );
  assert.equal(message.id, '0123456789abcdef0123456789abcdef');
  assert.deepEqual([message.user, message.fromAddr, message.toAddr], ['+27820001001', '+27820001001', '*120#']);
  assert.deepEqual([message.content, message.text], ['  hi  ', 'hi']);
  assert.deepEqual([message.sessionEvent, message.isNew, message.isClose], ['resume', false, false]);
  assert.deepEqual([message.transportType, message.transportName, message.group, message.provider, message.endpoint], ['ussd', 'sim', 'all', 'vodacom', 'default']);
  assert.equal(message.date.toISOString(), '2026-01-01T00:00:00.000Z');
  assert.deepEqual([message.helperMetadata, message.transportMetadata], [{ tag: ['a', 'b'] }, { x: 1 }]);
  assert.equal(message.helperMetadata, message.helperMetadata);
  const empty = new Message(host.message(null, { fromAddr: null, sessionEvent: 'close' }));
  assert.deepEqual([empty.user, empty.text, empty.content, empty.isClose], ['', '', null, true]);
  // Every field can be reached, also those that have no name of their own.
  assert.deepEqual(Object.keys(message.fields).length, 16);
});

test('metadata is read when it is asked for, not before', () => {
  const message = new Message(host.message('hi', { helperMetadata: 'broken' }));
  assert.equal(message.text, 'hi');
  assert.throws(() => message.helperMetadata, SyntaxError);
});

test('answers go out as they are asked for', () => {
  const message = new Message(host.message('hi'));
  assert.equal(message.reply('a'), '00000000000000000000000000000001');
  message.replyAndClose('b');
  message.replyToGroup('c', { helperMetadata: { tag: 1 } });
  message.reply(null, { closeSession: true });
  sendTo('+2771', 'd', { endpoint: 'sms' });
  sendTo('+2772', 'e');
  assert.deepEqual(host.sent, [
    { to: 'reply', content: 'a', closeSession: false, helperMetadata: null },
    { to: 'reply', content: 'b', closeSession: true, helperMetadata: null },
    { to: 'group', content: 'c', closeSession: false, helperMetadata: '{"tag":1}' },
    { to: 'reply', content: null, closeSession: true, helperMetadata: null },
    { to: '+2771', content: 'd', endpoint: 'sms', helperMetadata: null },
    { to: '+2772', content: 'e', endpoint: null, helperMetadata: null },
  ]);
});

test('events say what became of which message', async () => {
  const seen = [];
  const made = app({ onMessage() {}, onEvent: (event) => seen.push([event.kind, event.messageId, event.sentMessageId, event.reason, event.deliveryStatus]) });
  await made.onEvent(host.event('ack', { sentMessageId: 'net-1' }));
  await made.onEvent(host.event('nack', { reason: 'no route' }));
  await made.onEvent(host.event('delivery-report', { deliveryStatus: 'delivered', userMessageId: null }));
  const id = '00000000000000000000000000000001';
  assert.deepEqual(seen, [['ack', id, 'net-1', null, null], ['nack', id, null, 'no route', null], ['delivery-report', null, null, null, 'delivered']]);
  // An app that does not care about events need not say so.
  await app({ onMessage() {} }).onEvent(host.event('ack', { sentMessageId: 'x' }));
});

test('what a handler gives and throws reaches the host', async () => {
  const made = app({
    async onMessage(message) {
      await Promise.resolve();
      if (message.text === 'throw') throw new RangeError('out');
    },
  });
  await assert.rejects(made.onMessage(host.message('throw')), RangeError);
  await made.onMessage(host.message('hi'));
  assert.equal(made.graph, undefined);
});

test('kv keeps what JSON can write', () => {
  for (const value of [0, -1.5, 'text', '', true, null, [1, [2]], { a: { b: [] } }, 'ä€😀\n"']) {
    kv.set('key', value);
    assert.deepEqual(kv.get('key'), value);
  }
  assert.equal(kv.get('other'), undefined);
  assert.deepEqual([kv.delete('key'), kv.delete('key'), kv.get('key')], [true, false, undefined]);
  assert.deepEqual([kv.incr('n'), kv.incr('n', 4), kv.incr('n', -7), kv.get('n')], [1, 5, -2, -2]);
  assert.throws(() => kv.set('f', () => 1), TypeError);
  assert.throws(() => kv.set('u', undefined), { message: 'the value for the key "u" cannot be written as JSON' });
});

test('kv forgets in time', () => {
  kv.setFor('pin', 1, 0.2);
  host.now = 999;
  assert.equal(kv.get('pin'), 1);
  host.now = 1000;
  assert.equal(kv.get('pin'), undefined);
  kv.setFor('long', 1, 1e12);
  assert.equal(host.values.get('long').expires, 1000 + (2 ** 32 - 1) * 1000);
});

test('what the host refuses has a kind', () => {
  host.maxKeys = 1;
  kv.set('a', 1);
  assert.throws(() => kv.set('b', 1), (error) => error instanceof HostError && error.kind === 'quota' && isQuota(error));
  assert.throws(() => metrics.fire('1', 1, 'sum'), (error) => error instanceof HostError && error.kind === 'invalid' && !isQuota(error));
  assert.ok(!(new Error('x') instanceof HostError) && !isQuota(undefined) && !isQuota(Object.assign(new Error(), { kind: 'quota' })));
  assert.ok(refused('denied', 'no') instanceof HostError);
  const own = new HostError('denied', 'no');
  assert.deepEqual([own.name, own.kind, own.message, own instanceof Error], ['HostError', 'denied', 'no', true]);
});

test('log, config and metrics', () => {
  for (const level of ['debug', 'info', 'warning', 'error', 'critical']) log[level](`at ${level}`);
  log.info(7);
  assert.deepEqual(host.lines.map(([level]) => level), ['debug', 'info', 'warning', 'error', 'critical', 'info']);
  assert.equal(host.lines.at(-1)[1], '7');
  host.config = { name: '' };
  assert.deepEqual([config('name'), config('other')], ['', undefined]);
  metrics.count('a');
  metrics.fire('b', 2.5, 'avg');
  assert.deepEqual(host.metrics, [['a', 1, 'sum'], ['b', 2.5, 'avg']]);
});
