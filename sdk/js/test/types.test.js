// The committed types are those of the sources and of the contract, right programs compile, wrong ones do not.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { file, text } from '../tools/contract.js';
import { make, tsc } from '../tools/types.js';
import { files } from './support/snippets.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** Written by hand, or from the contract. */
const OTHERS = ['contract.d.ts', 'engine.d.ts', 'host.d.ts'];

test('the types of the contract are up to date', () => {
  assert.equal(readFileSync(file, 'utf8'), text, 'run `npm run types`');
});

test('the types of the sources are up to date', () => {
  const folder = mkdtempSync(join(ROOT, 'test/.types-'));
  try {
    assert.equal(make(folder), '');
    const list = (root) => files(root, '.d.ts').map((path) => relative(root, path));
    const made = list(folder);
    const types = join(ROOT, 'types');
    assert.deepEqual(list(types).filter((path) => !OTHERS.includes(path)), made, 'run `npm run types`');
    for (const path of made) assert.equal(readFileSync(join(types, path), 'utf8'), readFileSync(join(folder, path), 'utf8'), `${path}: run \`npm run types\``);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('right programs compile, and wrong ones do not', () => assert.equal(tsc('-p', 'test/types'), ''));
