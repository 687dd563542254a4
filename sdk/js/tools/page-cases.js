// Writes tests/fixtures/dialogue/pages.json: screens and the pages that they become. Both SDKs must make the same pages.
// Run it by hand after a change of the rules (node tools/page-cases.js), and look at what changed.

import { writeFileSync } from 'node:fs';

import { cutPages } from '../src/dialogue/pages.js';
import { fits, isGsm, segments } from '../src/sms.js';

const FOLDER = new URL('../../../tests/fixtures/dialogue/', import.meta.url);

// The same numbers each time: a linear congruence is random enough for words.
let seed = 20_260_131;
function below(limit) {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
  return Math.floor((seed / 0x8000_0000) * limit);
}
const pick = (list) => list[below(list.length)];

const WORDS = ['a', 'to', 'the', 'clinic', 'opens', 'register', 'appointment', '€5', '[old]', 'Ñandú', 'supercalifragilistic'];
const OTHER = ['ndiyabulela', 'жизнь', 'ŵyth', '😀', '日本語', 'naïve'];
const SPACES = [' ', ' ', ' ', ' ', '  ', '\n', '\n\n'];

function prose(words, foreign) {
  let text = '';
  for (let each = 0; each < words; each += 1) {
    text += (text === '' ? '' : pick(SPACES)) + pick(foreign ? [...WORDS, ...OTHER] : WORDS);
  }
  return text;
}

const KEYS = { more: '99. More', goOn: null, back: '0. Back', backFirst: false, backLater: true, restart: null };

function randomCase(number) {
  const foreign = below(4) === 0;
  const paginated = below(4) === 0;
  const booklet = !paginated && below(4) === 0;
  const text = prose(below(booklet ? 120 : 60), foreign);
  const options = booklet ? [] : Array.from({ length: below(14) }, (_, at) => `${at + 1}. ${prose(1 + below(below(20) === 0 ? 60 : 6), foreign)}`);
  const pieces = [{ text }, ...options.map((option) => ({ option }))];
  if (booklet && below(2) === 0) pieces.push({ break: true }, { text: prose(below(30), foreign) });
  return {
    name: `drawn ${number}`,
    limit: below(3) === 0 ? { segments: 1 + below(3) } : { characters: pick([60, 100, 160, 182]) },
    pieces,
    keys: { ...KEYS, goOn: booklet ? '1. Continue' : null, backFirst: below(2) === 0, backLater: below(5) > 0, restart: below(3) === 0 ? '00. Start again' : null },
    head: paginated ? text : null,
    perPage: paginated ? 1 + below(8) : 98,
  };
}

const long = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen';
const written = [
  { name: 'a short text is one page', limit: { characters: 160 }, pieces: [{ text: 'Hello' }] },
  { name: 'a text and its options', limit: { characters: 160 }, pieces: [{ text: 'Are you' }, { option: '1. Female' }, { option: '2. Male' }] },
  { name: 'no text', limit: { characters: 160 }, pieces: [{ text: '' }, { option: '1. A' }] },
  { name: 'nothing', limit: { characters: 160 }, pieces: [{ text: '' }] },
  { name: 'exactly full', limit: { characters: 20 }, pieces: [{ text: '12345678 12345678 12' }] },
  { name: 'one too many', limit: { characters: 20 }, pieces: [{ text: '12345678 12345678 123' }] },
  { name: 'options keep their numbers', limit: { characters: 40 }, pieces: [{ text: 'Which?' }, ...[1, 2, 3, 4, 5, 6].map((n) => ({ option: `${n}. Option ${n}` }))] },
  { name: 'all three keys', limit: { characters: 60 }, pieces: [{ text: long }], keys: { backFirst: true, restart: '00. Start again' } },
  { name: 'a word longer than a page', limit: { characters: 30 }, pieces: [{ text: `See ${'x'.repeat(70)} there` }] },
  { name: 'an option longer than a page', limit: { characters: 30 }, pieces: [{ text: 'Which?' }, { option: `1. ${long}` }, { option: '2. B' }] },
  { name: 'no text before an option longer than a page', limit: { characters: 30 }, pieces: [{ text: '' }, { option: `1. ${long}` }, { option: '2. B' }] },
  { name: 'what counts as two', limit: { characters: 20 }, pieces: [{ text: '€€€€€ €€€€€ €€€€€' }] },
  { name: 'outside the alphabet less fits', limit: { characters: 160 }, pieces: [{ text: `${long} ж` }] },
  { name: 'a hard blank holds words together', limit: { characters: 60 }, pieces: [{ text: 'about 10\u00A0000\u00A0people came here today' }] },
  { name: 'one SMS', limit: { segments: 1 }, pieces: [{ text: `${long} ${long}` }] },
  { name: 'two SMS', limit: { segments: 2 }, pieces: [{ text: `${long} ${long} ${long} ${long}` }] },
  { name: 'the text on every page', limit: { characters: 160 }, pieces: [{ text: 'Which?' }, ...[1, 2, 3, 4, 5].map((n) => ({ option: `${n}. Option ${n}` }))], head: 'Which?', perPage: 2 },
  { name: 'too long for every page', limit: { characters: 60 }, pieces: [{ text: long.slice(0, 40) }, ...[1, 2, 3, 4, 5].map((n) => ({ option: `${n}. Option ${n}` }))], head: long.slice(0, 40), perPage: 2 },
  { name: 'the last page goes on', limit: { characters: 60 }, pieces: [{ text: long }], keys: { goOn: '1. Continue' } },
  { name: 'a page of its own', limit: { characters: 160 }, pieces: [{ text: 'First' }, { break: true }, { text: 'Second' }], keys: { goOn: '1. Continue' } },
].map((each) => ({ head: null, perPage: 98, ...each, keys: { ...KEYS, ...each.keys } }));

const cases = [];
for (const each of [...written, ...Array.from({ length: 120 }, (_, number) => randomCase(number + 1))]) {
  try {
    cases.push({ ...each, ...cutPages(each, each.limit) });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    cases.push({ ...each, pages: null, broken: false });
  }
}

const texts = [
  '', 'a', ...[160, 161, 306, 307].map((n) => 'a'.repeat(n)), ...[80, 81, 152, 153].map((n) => '€'.repeat(n)), ...[70, 71, 134, 135].map((n) => 'ж'.repeat(n)),
  ...[35, 36, 66, 67].map((n) => '😀'.repeat(n)), `${'a'.repeat(152)}€${'a'.repeat(152)}`, 'naïve', 'é\r\nè', 'tab\t', '`', 'ΔΦΓΛΩΠΨΣΘΞ', '\f', ' ',
];
const lengths = texts.map((text) => ({ text, gsm: isGsm(text), segments: segments(text), fits160: fits(text, 160) }));

const lines = (list) => `[\n${list.map((each) => `  ${JSON.stringify(each)}`).join(',\n')}\n]\n`;
writeFileSync(new URL('pages.json', FOLDER), lines(cases));
writeFileSync(new URL('lengths.json', FOLDER), lines(lengths));
