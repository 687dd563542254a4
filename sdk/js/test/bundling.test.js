// The SDK and the examples as `vumi-host build` bundles them: one file that imports nothing but `vumi:host`, with no more in
// it than the app uses. The bundles answer a first message.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { bundle } from '../tools/bundle.js';
import { tsc } from '../tools/types.js';
import { host } from './support/host.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const EXAMPLES = fileURLToPath(new URL('../../../guest-examples/js/', import.meta.url));
const folder = mkdtempSync(join(ROOT, 'test/.bundles-'));
after(() => rmSync(folder, { recursive: true }));
beforeEach(() => host.reset());

/** The text of a bundle that imports nothing but the host. */
async function bundled(options) {
  const { text, imports } = await bundle(options);
  assert.deepEqual(imports, ['vumi:host']);
  return text;
}

/** The size of an app in bytes, without blanks and comments. */
async function size(contents) {
  const text = await bundled({ stdin: { contents, resolveDir: ROOT }, minify: true });
  return text.length;
}

test('an app has in it what it uses, and no more', async () => {
  const echo = "import { app } from '@vumi/sdk'; export default app({ onMessage: (message) => void message.reply(message.content) });";
  assert.ok((await size(echo)) < 2_500, `${await size(echo)}`);
  const kit = "import { app, Dialogue, End } from '@vumi/sdk'; export default app(new Dialogue('d').state(new End('a', 'A')));";
  assert.ok((await size(kit)) < 23_000, `${await size(kit)}`);
});

test('the names of the web platform are there for an app that uses them as globals', async () => {
  const code = `import { app } from '@vumi/sdk';
    export default app({ async onMessage() { globalThis.seen = [new URL('https://A.example/').host, (await fetch('https://a.example/')).status]; } });`;
  const outfile = join(folder, 'globals.mjs');
  writeFileSync(outfile, await bundled({ stdin: { contents: code, resolveDir: ROOT } }));
  host.answer = () => ({ status: 204 });
  const made = await import(outfile);
  await made.default.onMessage(host.message('hi'));
  assert.deepEqual(globalThis.seen, ['a.example', 204]);
  assert.equal(host.requests.length, 1);
});

test('the typed example has the right types', () => assert.equal(tsc('-p', 'test/types/examples'), ''));

const NAMES = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);

test('every example is there', () => assert.deepEqual(NAMES.sort(), ['clinic', 'echo', 'group-chat', 'hangman', 'keyword-sms', 'survey']));

for (const name of NAMES) {
  test(`the example ${name} is bundled and answers`, async () => {
    const entry = ['ts', 'js'].map((end) => join(EXAMPLES, name, `src/app.${end}`)).find(existsSync);
    const outfile = join(folder, `${name}.mjs`);
    writeFileSync(outfile, await bundled({ entryPoints: [entry] }));
    const { default: made } = await import(outfile);
    await made.onMessage(host.message(null, { sessionEvent: 'new' }));
    assert.equal(host.sent.length, 1);
    assert.deepEqual(host.lines.filter(([level]) => level === 'error'), []);
    if (made.graph !== undefined) assert.equal(made.graph().problems, undefined);
  });
}
