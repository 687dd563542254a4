// Pages and lengths: the cases that the Rust SDK reads too, and what holds for every screen.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { sms } from '@vumi/sdk';
import { cutPages, fitsLimit } from '../src/dialogue/pages.js';

const read = (name) => JSON.parse(readFileSync(new URL(`../../../tests/fixtures/dialogue/${name}`, import.meta.url), 'utf8'));
const CASES = read('pages.json');

test('screens become the pages that both SDKs make', () => {
  assert.ok(CASES.length > 100);
  for (const { name, limit, pages, broken, ...sheet } of CASES) {
    if (pages === null) assert.throws(() => cutPages(sheet, limit), RangeError, name);
    else assert.deepEqual(cutPages(sheet, limit), { pages, broken }, name);
  }
});

test('every page fits, has its keys, and nothing is lost', () => {
  for (const { name, limit, keys, pieces, head, pages, broken } of CASES) {
    if (pages === null) continue;
    const words = [];
    pages.forEach((page, number) => {
      const last = number === pages.length - 1;
      assert.ok(fitsLimit(limit, page), `${name}: page ${number} is too long`);
      const lines = page.split('\n');
      const below = [last ? null : keys.more, last ? keys.goOn : null, (number === 0 ? keys.backFirst : keys.backLater) ? keys.back : null, keys.restart];
      for (const key of below.filter((key) => key !== null).reverse()) assert.equal(lines.pop(), key, `${name}: page ${number}`);
      const body = lines.join('\n');
      words.push(head !== null && number > 0 && body.startsWith(head) ? body.slice(head.length) : body);
    });
    const squeeze = (text) => (broken ? text.replace(/\s+/g, '') : text.trim().replace(/\s+/g, ' '));
    const all = pieces.filter((piece) => !piece.break).map((piece) => piece.text ?? piece.option);
    assert.equal(squeeze(words.join('\n')), squeeze(all.join('\n')), name);
  }
});

test('lengths are those of the networks', () => {
  for (const { text, gsm, segments, fits160 } of read('lengths.json')) {
    assert.deepEqual([sms.isGsm(text), sms.segments(text), sms.fits(text, 160)], [gsm, segments, fits160], JSON.stringify(text));
  }
});
