// Everything that the SDK exports has an example in its documentation, and the examples run: against the host that
// test/support/host.js plays, each with its own.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import * as sdk from '@vumi/sdk';
import { host } from './support/host.js';
import { blocks, documented, files } from './support/snippets.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SOURCES = files(join(ROOT, 'src'), '.js');
// Beside the SDK, so that node finds what examples import.
const folder = mkdtempSync(join(ROOT, 'test/.examples-'));
after(() => rmSync(folder, { recursive: true }));

let count = 0;

/** Runs an example. What it exports as an app gets a message and an event too. */
async function run(code, name) {
  host.reset();
  const file = join(folder, `${(count += 1)}.mjs`);
  writeFileSync(file, code);
  const failed = [];
  const assertion = console.assert;
  console.assert = (condition, ...rest) => condition || failed.push(rest.join(' ') || 'an assertion of the example');
  try {
    const made = await import(file);
    if (made.default !== undefined) {
      await made.default.onMessage(host.message('hello', { sessionEvent: 'new' }));
      await made.default.onEvent(host.event('nack', { reason: 'no route' }));
      assert.ok(host.sent.length > 0, `${name}: the app does not answer`);
    }
  } finally {
    console.assert = assertion;
  }
  assert.deepEqual(failed, [], name);
}

test('everything that is exported has an example', () => {
  const known = new Map(SOURCES.flatMap((file) => documented(file)).map((each) => [each.name, each]));
  const names = Object.entries(sdk).flatMap(([name, value]) =>
    value?.[Symbol.toStringTag] === 'Module' ? Object.keys(value) : [name],
  );
  assert.ok(names.length > 40, `${names.length}`);
  const missing = names.filter((name) => (known.get(name) ?? known.get(name.replace('delete', 'remove')))?.code == null);
  assert.deepEqual(missing, []);
});

for (const file of SOURCES) {
  for (const { name, code, line } of documented(file).filter((each) => each.code !== null)) {
    test(`the example of ${name}`, () => run(code, `${relative(ROOT, file)}:${line}`));
  }
}

for (const file of [join(ROOT, 'README.md'), join(ROOT, '../../docs/dialogues.md')]) {
  for (const { code, flags, line } of blocks(file, 'js')) {
    const name = `${relative(ROOT, file)}:${line}`;
    if (!flags.includes('part')) test(`the example at ${name}`, () => run(code, name));
  }
}
