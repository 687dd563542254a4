// fetch and what belongs to it, beside node's own where that is possible.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import * as ours from '@vumi/sdk';
import { AbortController, AbortSignal, fetch, fetchJson, Headers, HostError, Request, Response, StatusError, URL } from '@vumi/sdk';
import { host, refused } from './support/host.js';

beforeEach(() => host.reset());

const URL_ = 'https://clinic.example/api';

test('a request goes out as it was made, and its response comes in', async () => {
  host.answer = () => ({ status: 201, headers: [['Content-Type', 'application/json'], ['Set-Cookie', 'a=1'], ['set-cookie', 'b=2']], body: '{"id":7}' });
  const response = await fetch(`${URL_}?x=ä`, { method: 'post', headers: { 'X-Key': ' k ' }, body: '{"a":1}' });
  assert.deepEqual([response.status, response.ok, response.statusText, response.url], [201, true, '', `${URL_}?x=ä`]);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
  assert.deepEqual(await response.json(), { id: 7 });
  const [{ body, ...request }] = host.requests;
  assert.deepEqual(request, {
    method: 'POST', url: `${URL_}?x=ä`, headers: [['content-type', 'text/plain;charset=UTF-8'], ['x-key', 'k']], timeoutMs: null,
  });
  assert.equal(new TextDecoder().decode(body), '{"a":1}');
});

test('a status that nobody has heard of is a status', async () => {
  host.answer = () => ({ status: 999 });
  assert.deepEqual([(await fetch(URL_)).status, (await fetch(URL_)).ok], [999, false]);
});

test('a body is read once, in any of its ways', async () => {
  host.answer = () => ({ status: 500, body: new Uint8Array([0xef, 0xbb, 0xbf, 0x68, 0xff]) });
  const once = await fetch(URL_);
  assert.equal(once.ok, false);
  const twin = once.clone();
  assert.equal(await once.text(), 'h\uFFFD');
  assert.equal(once.bodyUsed, true);
  await assert.rejects(once.text(), TypeError);
  assert.throws(() => once.clone(), TypeError);
  assert.deepEqual([...new Uint8Array(await twin.arrayBuffer())], [0xef, 0xbb, 0xbf, 0x68, 0xff]);
  assert.deepEqual([...(await new Response(new Uint8Array([1, 2])).bytes())], [1, 2]);
  await assert.rejects(new Response('{').json(), SyntaxError);
});

test('bodies of all kinds', async () => {
  host.answer = () => ({});
  const sent = async (body) => {
    await fetch(URL_, { method: 'PUT', body });
    const request = host.requests.at(-1);
    return [request.body === null ? null : new TextDecoder().decode(request.body), request.headers];
  };
  assert.deepEqual(await sent(undefined), [null, []]);
  assert.deepEqual(await sent(new TextEncoder().encode('bytes').subarray(1, 3)), ['yt', []]);
  assert.deepEqual(await sent(new TextEncoder().encode('buffer').buffer), ['buffer', []]);
  assert.deepEqual(await sent(new ours.URLSearchParams({ a: 'b c' })), ['a=b+c', [['content-type', 'application/x-www-form-urlencoded;charset=UTF-8']]]);
});

test('what cannot be sent is refused before it is', async () => {
  for (const [input, init] of [['/relative', {}], [URL_, { method: 'TRACE' }], [URL_, { body: 'x' }], [URL_, { headers: { 'a b': 'x' } }], [URL_, { headers: { a: 'x\ny' } }]]) {
    await assert.rejects(fetch(input, init), TypeError);
  }
  assert.deepEqual(host.requests, []);
});

test('a place that is not allowed is a TypeError with its kind', async () => {
  const error = await fetch(URL_).catch((error) => error);
  assert.ok(error instanceof TypeError && error.cause instanceof HostError);
  assert.deepEqual([error.kind, error.message], ['denied', 'fetch failed: the app may not reach this place']);
});

test('requests can be made beforehand', async () => {
  host.answer = () => ({});
  const request = new Request(new URL(URL_), { method: 'PATCH', body: 'x', headers: [['a', 'b']] });
  await fetch(request, { headers: { c: 'd' } });
  await fetch(request.clone());
  assert.deepEqual(host.requests.map(({ method, headers }) => [method, headers]), [
    ['PATCH', [['c', 'd']]],
    ['PATCH', [['a', 'b'], ['content-type', 'text/plain;charset=UTF-8']]],
  ]);
});

test('time limits reach the host, and signals are heeded', async () => {
  host.answer = () => ({});
  await fetch(URL_, { signal: AbortSignal.timeout(5000) });
  assert.ok(host.requests[0].timeoutMs > 4000 && host.requests[0].timeoutMs <= 5000);
  const controller = new AbortController();
  let heard = 0;
  controller.signal.addEventListener('abort', () => (heard += 1));
  await fetch(URL_, { signal: AbortSignal.any([controller.signal, AbortSignal.timeout(9000)]) });
  assert.ok(host.requests[1].timeoutMs > 8000);
  controller.abort();
  controller.abort('again');
  assert.equal(heard, 1);
  await assert.rejects(fetch(URL_, { signal: controller.signal }), { name: 'AbortError' });
  await assert.rejects(fetch(URL_, { signal: AbortSignal.any([controller.signal]) }), { name: 'AbortError' });
  await assert.rejects(fetch(URL_, { signal: AbortSignal.abort('why') }), (reason) => reason === 'why');
  await assert.rejects(fetch(URL_, { signal: AbortSignal.timeout(0) }), { name: 'TimeoutError' });
  assert.equal(host.requests.length, 2);
  // What the host gives up because of the limit has the name that programs look for.
  host.answer = () => {
    const end = Date.now() + 5;
    while (Date.now() <= end);
    throw refused('unavailable', 'it took too long');
  };
  await assert.rejects(fetch(URL_, { signal: AbortSignal.timeout(3) }), { name: 'TimeoutError' });
});

test('headers behave as node has them', () => {
  const use = (Class) => {
    const headers = new Class([['B', '2'], ['a', '1'], ['b', '3']]);
    headers.append('A', ' x ');
    headers.set('c', 'y');
    headers.set('B', '4');
    headers.append('Set-Cookie', 'p');
    headers.append('set-cookie', 'q');
    headers.delete('C');
    const seen = [];
    headers.forEach((value, name) => seen.push([name, value]));
    return [[...headers], seen, headers.get('a'), headers.get('z'), headers.has('B'), [...headers.keys()], [...headers.values()], [...new Class(headers)], [...new Class({ x: 'y' })]];
  };
  assert.deepEqual(use(Headers), use(globalThis.Headers));
});

test('responses of your own', async () => {
  assert.deepEqual([new Response().status, await new Response().text()], [200, '']);
  assert.throws(() => new Response('', { status: 99 }), RangeError);
  const json = Response.json([1], { status: 202, headers: { 'content-type': 'application/x' } });
  assert.deepEqual([json.status, json.headers.get('content-type'), await json.json()], [202, 'application/x', [1]]);
  assert.equal(Response.json(1).headers.get('content-type'), 'application/json');
});

const QUICK = { pauseMs: 1 };

test('fetchJson asks for JSON and sends it', async () => {
  host.answer = () => ({ status: 201, body: '{"id":7}' });
  assert.deepEqual(await fetchJson(URL_, { json: { a: 1 } }), { id: 7 });
  const [request] = host.requests;
  assert.deepEqual([request.method, request.headers], ['POST', [['accept', 'application/json'], ['content-type', 'application/json']]]);
  await fetchJson(URL_, { headers: { accept: 'application/hal+json' } });
  assert.deepEqual([host.requests[1].method, host.requests[1].headers], ['GET', [['accept', 'application/hal+json']]]);
});

test('what may pass is tried again, and nothing else', async () => {
  for (const [status, expected] of [[200, 1], [404, 1], [500, 1], [429, 3], [502, 3], [503, 3], [504, 3]]) {
    host.requests = [];
    host.answer = () => ({ status, body: '1' });
    const result = await fetchJson(`${URL_}?key=secret`, { retry: QUICK }).catch((error) => error);
    assert.equal(host.requests.length, expected, String(status));
    if (status !== 200) {
      assert.ok(result instanceof StatusError);
      assert.deepEqual([result.status, result.kind, result.message], [status, 'status', `${URL_} answered ${status}`]);
    }
  }
  host.requests = [];
  host.answer = () => {
    throw refused('unavailable', 'connection refused');
  };
  assert.equal((await fetchJson(URL_, { retry: QUICK }).catch((error) => error)).kind, 'unavailable');
  assert.equal(host.requests.length, 3);
});

test('it gives up in time, or at once', async () => {
  let tries = 0;
  host.answer = () => {
    tries += 1;
    throw refused(tries < 3 ? 'unavailable' : 'denied', 'no');
  };
  await assert.rejects(fetchJson(URL_, { retry: { ...QUICK, attempts: 9 } }), { kind: 'denied' });
  assert.equal(tries, 3);
  host.answer = () => ({ status: 503, headers: [['Retry-After', '60']] });
  host.requests = [];
  await assert.rejects(fetchJson(URL_, { retry: { withinMs: 50 } }), { status: 503 });
  await assert.rejects(fetchJson(URL_, { retry: false }), { status: 503 });
  assert.equal(host.requests.length, 2);
  assert.ok(host.requests[0].timeoutMs <= 50);
});
