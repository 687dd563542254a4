// gettext files, plurals, contexts and maps.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { t, tc, tn, Translations } from '@vumi/sdk';
import { pluralIndex } from '../src/dialogue/plural.js';
import { Catalog } from '../src/dialogue/po.js';
import { fill } from '../src/dialogue/text.js';

const PO = `\uFEFF# Translators' notes
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"

#: src/app.js:7
msgid "May"
msgstr "Może"

msgctxt "month"
msgid "May"
msgstr "Maj"
#, fuzzy, c-format
msgid "guessed"
msgstr "zgadnięte"

#~ msgid "old"
#~ msgstr "stare"
msgid "{n} child"
msgid_plural "{n} children"
msgstr[0] "{n} dziecko"
msgstr[1] "{n} dzieci"
msgstr[2] "{n} dzieci (wiele)"
msgid "empty"
msgstr ""
msgid "long "
"\\"text\\"\\n"
msgstr "długi "
"\\ttekst\\\\"
msgid "May"
msgstr "twice"
`;

test('what is in a file is found, as translators mean it', () => {
  const found = (text) => new Translations().po('pl', PO.replaceAll('\n', '\r\n')).find('pl-PL', text);
  assert.equal(found(t('May')), 'Może');
  assert.equal(found(tc('month', 'May')), 'Maj');
  assert.equal(found(tc('name', 'May')), undefined);
  assert.equal(found(t('long "text"\n')), 'długi \ttekst\\');
  for (const missing of ['guessed', 'old', 'empty', '', 'other']) assert.equal(found(t(missing)), undefined, missing);
  const forms = [1, 2, 5, 12, 22, 0].map((n) => found(tn('{n} child', '{n} children', n)));
  assert.deepEqual(forms, ['{n} dziecko', '{n} dzieci', '{n} dzieci (wiele)', '{n} dzieci (wiele)', '{n} dzieci', '{n} dzieci (wiele)']);
});

test('a quick look finds what a reading of the whole file finds', () => {
  const written = ['sw', 'zu'].map((name) => readFileSync(new URL(`../../../guest-examples/js/clinic/locale/${name}.po`, import.meta.url), 'utf8'));
  const odd = [
    'msgid "a"\nmsgstr "A"', 'msgid "a"\nmsgstr ""\n"A"\n', '#, fuzzy\nmsgid "a"\nmsgstr "A"\n', 'msgctxt "c"\nmsgid "a"\nmsgstr "A"\n',
    'msgid "b"\nmsgstr "B"\nmsgid "a"\nmsgstr "\\"A\\"\\n"\n', '#~ msgid "a"\n#~ msgstr "A"\n', 'msgid  "a"\nmsgstr "A"\n', ' msgid "a"\n msgstr "A"\n',
    'msgid "a"\r\nmsgstr "A"\r\n', 'msgid ""\n"a"\nmsgstr "A"\n', 'msgid ""\nmsgstr "h: x\\n"\n\nmsgid ""\n"a"\nmsgstr "A"\n', 'msgid "a"\nmsgid_plural "as"\nmsgstr[0] "A"\n',
    'msgid "\\a"\nmsgstr "A"\n', 'msgid "a"\nmsgstr "A"\n"B"\n', '#, c-format\nmsgid "a"\nmsgstr "A"\n', 'msgid "x"\nmsgstr "a"\n',
  ];
  for (const po of [...written, ...odd]) {
    const whole = new Catalog(po);
    const ids = ['a', 'as', 'x', 'b', 'More', 'not there', 'a"', '', ...[...po.matchAll(/^msgid "(.+)"$/gm)].map(([, id]) => id)];
    for (const id of ids.filter((id) => id !== '')) {
      assert.equal(new Translations().po('sw', po).find('sw', t(id)), whole.find(t(id)), `${id} in ${po.slice(0, 60)}`);
    }
  }
  assert.equal(new Translations().po('sw', 'msgid "say \\"a\\"\\n"\nmsgstr "A"\n').find('sw', t('say "a"\n')), 'A');
});

test('several sources of a language, and the language without its region', () => {
  const all = new Translations().map('pt', { a: 'A-pt', b: 'B-pt' }).po('pt-BR', 'msgid "a"\nmsgstr "A-br"\n').map('pt-BR', { a: 'later', c: 'C-br' });
  const in_ = (language) => ['a', 'b', 'c', 'toString'].map((id) => all.find(language, t(id)));
  assert.deepEqual(in_('pt-BR'), ['A-br', 'B-pt', 'C-br', undefined]);
  assert.deepEqual(in_('pt_AO'), ['A-pt', 'B-pt', undefined, undefined]);
  assert.deepEqual(in_('en'), [undefined, undefined, undefined, undefined]);
  // In a map the plural is looked up as it is written.
  assert.equal(new Translations().map('fr', { '{n} days': '{n} jours' }).find('fr', tn('{n} day', '{n} days', 2)), '{n} jours');
});

test('what is no .po file is said with its line', () => {
  for (const [text, expected] of [
    ['msgid "a"\nmsgstr "b', 'line 2: a text without its closing quote'],
    ['msgid "a" b"', 'line 1: a text without its closing quote'],
    ['hello', 'line 1: neither a comment nor a text in quotes'],
    ['"a"', 'line 1: a text that belongs to nothing'],
    ['msgid "a"\nmessage "b"', 'line 2: it begins with none of msgctxt, msgid, msgid_plural, msgstr'],
    ['msgid "a"\nmsgstr[9] "b"', 'line 2: it begins with none of msgctxt, msgid, msgid_plural, msgstr'],
    ['msgstr "b"', 'line 1: a msgstr without a msgid'],
    ['msgid "a"\nmsgid "b"', 'line 2: it stands twice in one entry'],
  ]) assert.throws(() => new Catalog(text), { message: expected }, text);
});

test('the rules of real languages, and what is none', () => {
  const arabic = 'n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5';
  assert.deepEqual([0, 1, 2, 3, 103, 11, 100].map((n) => pluralIndex(arabic, n)), [0, 1, 2, 3, 3, 4, 5]);
  assert.deepEqual([pluralIndex('n != 1', 1), pluralIndex('n > 1', 0), pluralIndex('0', 7)], [0, 0, 0]);
  for (const [rule, expected] of [['1 + 2 * 3 == 7 && !0 || 0', 1], ['10 - 4 - 3', 3], ['!!5 + !0', 2], ['1 ? 2 ? 3 : 4 : 5', 3]]) {
    assert.equal(pluralIndex(rule, 0), expected, rule);
  }
  for (const rule of ['', 'n n', '(n', 'n ?', 'n ? 1', 'n %', 'x', 'n / 0', 'n % 0', 'process', '('.repeat(100_000)]) {
    assert.equal(pluralIndex(rule, 1), undefined, rule.slice(0, 20));
  }
});

test('words in braces are filled from arguments, and else stay', () => {
  const values = { name: 'Anna {age}', age: 7, list: [1], none: null };
  assert.equal(fill('{name}, {age}, {list}, {none}, {other} {', (word) => values[word]), 'Anna {age}, 7, [1], null, {other} {');
});

test('without a translation the plurals are those of English', () => {
  assert.deepEqual([0, 1, 2].map((n) => tn('one', 'many', n).source()), ['many', 'one', 'many']);
});
