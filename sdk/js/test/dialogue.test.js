// The dialogue kit: what docs/dialogues.md promises, seen from a phone.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { app, Booklet, check, Choice, Dialogue, End, FreeText, Menu, PaginatedChoice, refuse, t, Translations } from '@vumi/sdk';
import { host } from './support/host.js';
import { counted, Phone } from './support/phone.js';

beforeEach(() => host.reset());

const clinic = () =>
  new Dialogue('clinic')
    .start('menu')
    .state(new Menu('menu', 'Welcome to the clinic.').option('Register', 'name').option('Opening hours', 'hours'))
    .state(new FreeText('name', 'What is your name?').validate(check.length(2, 40)).next('age').back())
    .state(new FreeText('age', 'How old are you?').validate(check.number(1, 120)).next('sex'))
    .state(new Choice('sex', 'Are you').option('f', 'Female').option('m', 'Male').next('thanks').back().restart())
    .state(new End('hours', 'We are open from 8:00 to 16:00.'))
    .state(new End('thanks', 'Thank you, {name} ({age}, {sex}). {none}'))
    .keyword('STOP', 'hours');
const MENU = 'Welcome to the clinic.\n1. Register\n2. Opening hours';
const with_ = (change) => () => app(change(clinic()));
const plain = with_((dialogue) => dialogue);

test('a conversation from the first screen to the last', async () => {
  const phone = Phone.ussd(plain);
  assert.equal(await phone.dial('*120#'), MENU);
  assert.deepEqual(phone.record, { version: 1, state: 'menu', history: [], answers: {}, page: 0 });
  assert.equal(await phone.send(' 1 '), 'What is your name?\n0. Back');
  assert.deepEqual(phone.record, { version: 1, state: 'name', history: ['menu'], answers: { menu: 'name' }, page: 0 });
  assert.equal(await phone.send('Anna'), 'How old are you?');
  assert.equal(await phone.send('37'), 'Are you\n1. Female\n2. Male\n0. Back\n00. Start again');
  assert.deepEqual(phone.record.answers, { menu: 'name', name: 'Anna', age: 37 });
  assert.equal(await phone.send('FEMALE'), 'Thank you, Anna (37, f). {none}');
  assert.equal(phone.closed, true);
  assert.equal(phone.record, undefined);
  assert.deepEqual(counted(), {
    'sessions.new': 1, 'states.menu.entered': 1, 'states.name.entered': 1, 'states.age.entered': 1,
    'states.sex.entered': 1, 'states.thanks.entered': 1, 'sessions.finished': 1,
  });
  assert.deepEqual(host.lines, []);
});

test('what is stored expires', async () => {
  const phone = Phone.ussd(with_((dialogue) => dialogue.ttl(60)));
  await phone.dial();
  host.now += 59_999;
  assert.equal(phone.record.state, 'menu');
  host.now += 1;
  assert.equal(phone.record, undefined);
});

test('an answer that is not accepted is asked for again, with the reason', async () => {
  const phone = Phone.ussd(plain);
  await phone.dial();
  for (const wrong of ['3', '0', '00', '99', '01', 'x', '']) {
    assert.equal(await phone.send(wrong), `Please choose one of the numbers.\n${MENU}`, wrong);
  }
  await phone.send('1');
  assert.equal(await phone.send(''), 'Please write an answer.\nWhat is your name?\n0. Back');
  assert.equal(await phone.send('A'), 'Please enter between 2 and 40 characters.\nWhat is your name?\n0. Back');
  await phone.send('Anna');
  assert.equal(await phone.send('x'), 'Please enter a number.\nHow old are you?');
  assert.equal(await phone.send('0'), 'Please enter a number from 1 to 120.\nHow old are you?');
  assert.equal(phone.record.note, undefined);
  assert.equal(counted()['states.menu.entered'], 1);
});

test('a reason that makes the page too long becomes part of the text', async () => {
  const long = 'word '.repeat(32).trim();
  const phone = Phone.ussd(() => app(new Dialogue('d').state(new FreeText('a', long).validate(() => refuse('Not that.')).next('a'))));
  assert.equal(await phone.dial(), long);
  assert.equal(await phone.send('x'), `Not that.\n${'word '.repeat(28).trim()}\n99. More`);
  assert.equal(phone.record.note, 'Not that.');
  assert.equal(await phone.send('99'), 'word word word word');
  assert.deepEqual([phone.record.page, phone.record.note], [1, 'Not that.']);
  // An answer on the second page that is not accepted either: the first page again.
  assert.match(await phone.send('y'), /^Not that\.\nword .* word\n99\. More$/);
  // A new session shows the screen as it was before the reason.
  assert.equal(await phone.dial(), long);
  assert.equal(phone.record.note, undefined);
});

test('back, and start again', async () => {
  const phone = Phone.ussd(plain);
  await phone.dial();
  await phone.send('1');
  assert.equal(await phone.send('0'), MENU);
  assert.deepEqual(phone.record.history, []);
  await phone.send('1');
  await phone.send('Anna');
  await phone.send('37');
  assert.equal(await phone.send('0'), 'How old are you?');
  assert.deepEqual(phone.record, { version: 1, state: 'age', history: ['menu', 'name'], answers: { menu: 'name', name: 'Anna', age: 37 }, page: 0 });
  await phone.send('38');
  assert.equal(await phone.send('00'), MENU);
  assert.deepEqual(phone.record, { version: 1, state: 'menu', history: [], answers: {}, page: 0 });
  assert.equal(counted()['states.menu.entered'], 3);
});

test('everywhere means every list, and not the free texts', async () => {
  const phone = Phone.ussd(() =>
    app(
      new Dialogue('d').backEverywhere().restartEverywhere()
        .state(new Choice('a', 'A?').option('x', 'X').next('b'))
        .state(new Booklet('b', 'B').next('c'))
        .state(new FreeText('c', 'C?').next('d'))
        .state(new Menu('d', 'D?').option('A', 'a')),
    ),
  );
  assert.equal(await phone.dial(), 'A?\n1. X');
  assert.equal(await phone.send('1'), 'B\n1. Continue\n0. Back\n00. Start again');
  assert.equal(await phone.send('1'), 'C?');
  assert.equal(await phone.send('0'), 'D?\n1. A\n0. Back\n00. Start again');
  assert.equal(phone.record.answers.c, '0');
});

test('the history is bounded', async () => {
  const phone = Phone.ussd(() => app(new Dialogue('d').state(new Menu('a', 'A').option('B', 'b')).state(new Menu('b', 'B').option('A', 'a'))));
  await phone.dial();
  for (let step = 0; step < 25; step += 1) await phone.send('1');
  assert.equal(phone.record.history.length, 20);
  assert.equal(phone.record.state, 'b');
});

test('lists that are too long are paged, and keep their numbers', async () => {
  const towns = Array.from({ length: 20 }, (_, at) => `Town ${at + 1}`);
  const phone = Phone.ussd(() =>
    app(
      new Dialogue('d')
        .state(new PaginatedChoice('town', 'Where?').perPage(9).optionsWith(async () => towns.map((town) => ({ value: town, label: town }))).next('end'))
        .state(new End('end', '{town}')),
    ),
  );
  const list = (from, to) => towns.slice(from - 1, to).map((town, at) => `${from + at}. ${town}`).join('\n');
  assert.equal(await phone.dial(), `Where?\n${list(1, 9)}\n99. More`);
  assert.equal(await phone.send('99'), `Where?\n${list(10, 18)}\n99. More\n0. Back`);
  assert.equal(phone.record.page, 1);
  assert.equal(await phone.send('0'), `Where?\n${list(1, 9)}\n99. More`);
  await phone.send('99');
  assert.equal(await phone.send('99'), `Where?\n${list(19, 20)}\n0. Back`);
  assert.equal(await phone.send('99'), `Please choose one of the numbers.\nWhere?\n${list(19, 20)}\n0. Back`);
  // A number of another page is as good.
  assert.equal(await phone.send('3'), 'Town 3');
  assert.equal(counted()['states.town.entered'], 1);
});

test('a booklet shows its pages and goes on', async () => {
  const phone = Phone.ussd(() =>
    app(new Dialogue('d').state(new Booklet('help', 'One').page('Two').page('Three').next('end')).state(new End('end', 'Bye'))),
  );
  assert.equal(await phone.dial(), 'One\n99. More');
  assert.equal(await phone.send('1'), 'Please choose one of the numbers.\nOne\n99. More');
  assert.equal(await phone.send('99'), 'Two\n99. More\n0. Back');
  assert.equal(await phone.send('0'), 'One\n99. More');
  await phone.send('99');
  assert.equal(await phone.send('99'), 'Three\n1. Continue\n0. Back');
  assert.equal(await phone.send('1'), 'Bye');
});

test('an end that is too long goes on in the session', async () => {
  const long = 'word '.repeat(40).trim();
  const phone = Phone.ussd(() => app(new Dialogue('d').state(new End('end', long))));
  assert.match(await phone.dial(), /99\. More$/);
  assert.equal(phone.closed, false);
  assert.equal(phone.record.state, 'end');
  assert.match(await phone.send('99'), /^word[ word]+$/);
  assert.equal(phone.closed, true);
  assert.equal(phone.record, undefined);
  assert.equal(counted()['sessions.finished'], 1);
});

test('a new session goes on, asks, or starts again', async () => {
  const named = async (onNew) => {
    host.reset();
    const phone = Phone.ussd(with_((dialogue) => dialogue.onNew(onNew)));
    await phone.dial();
    await phone.send('1');
    return phone;
  };
  const screen = 'What is your name?\n0. Back';
  assert.equal(await (await named('continue')).dial('7'), screen);
  assert.equal(await (await named('restart')).dial(), MENU);
  const phone = await named('ask');
  const question = 'Would you like to continue where you were?\n1. Continue\n2. Start again';
  assert.equal(await phone.dial(), question);
  assert.equal(phone.record.asking, true);
  assert.equal(await phone.send('x'), `Please choose one of the numbers.\n${question}`);
  assert.equal(await phone.send('continue'), screen);
  assert.equal(phone.record.asking, undefined);
  await phone.dial();
  assert.equal(await phone.send('2'), MENU);
  // At its start there is nothing to ask about.
  assert.equal(await phone.dial(), MENU);
  assert.deepEqual([counted()['sessions.new'], counted()['states.name.entered']], [4, 1]);
});

test('a session that closes keeps its place, and is told', async () => {
  const phone = Phone.ussd(with_((dialogue) => dialogue.onClose((ctx) => ctx.set('left', ctx.state))));
  assert.equal(await phone.hangUp(), null);
  assert.deepEqual(counted(), {});
  await phone.dial();
  await phone.send('1');
  assert.equal(await phone.hangUp(), null);
  assert.equal(counted()['sessions.closed'], 1);
  assert.equal(phone.record.answers.left, 'name');
  assert.equal(await phone.send('hi'), 'What is your name?\n0. Back');
});

test('within a session without a conversation the first text starts one', async () => {
  const phone = Phone.ussd(plain);
  phone.closed = false;
  assert.equal(await phone.send('1'), MENU);
  assert.deepEqual(counted(), { 'states.menu.entered': 1 });
});

test('by SMS there are no sessions, but keywords', async () => {
  const phone = Phone.sms(plain);
  assert.equal(await phone.send('1'), MENU);
  assert.equal(await phone.send('1'), 'What is your name?\n0. Back');
  assert.equal(await phone.send(' stop it'), 'We are open from 8:00 to 16:00.');
  assert.equal(phone.record, undefined);
  assert.equal(await phone.send('Stop'), 'We are open from 8:00 to 16:00.');
  assert.deepEqual(counted(), { 'sessions.new': 2, 'states.menu.entered': 1, 'states.name.entered': 1, 'states.hours.entered': 2, 'sessions.finished': 2 });
  // Four SMS of 153 characters, where USSD has 160 characters.
  const long = 'word '.repeat(100).trim();
  const wordy = () => app(new Dialogue('d').state(new End('end', long)));
  assert.equal(await Phone.sms(wordy).send('hi'), long);
});

test('a language that was chosen stays', async () => {
  const sw = 'msgid "Your name?"\nmsgstr "Jina lako?"\n\nmsgid "Please write an answer."\nmsgstr "Tafadhali andika jibu."\n';
  const phone = Phone.ussd(() =>
    app(
      new Dialogue('d').translations(new Translations().po('sw', sw).map('sw', { Thanks: 'Asante', Back: 'Rudi' }))
        .state(new Choice('lang', 'Language?').option('en', 'English').option('sw-KE', 'Kiswahili').setsLanguage().next('name'))
        .state(new FreeText('name', 'Your name?').back().next('end'))
        .state(new End('end', 'Thanks')),
    ),
  );
  await phone.dial();
  assert.equal(await phone.send('2'), 'Jina lako?\n0. Rudi');
  assert.equal(await phone.send(''), 'Tafadhali andika jibu.\nJina lako?\n0. Rudi');
  assert.equal(await phone.send('Anna'), 'Asante');
  assert.deepEqual(phone.record, { version: 1, state: null, history: [], answers: {}, page: 0, lang: 'sw-KE' });
  assert.equal(await phone.dial(), 'Language?\n1. English\n2. Kiswahili');
  assert.equal(phone.record.lang, 'sw-KE');
});

test('the language of all users is configured', async () => {
  host.config.lang = 'fr';
  const phone = Phone.ussd(() => app(new Dialogue('d').translations(new Translations().map('fr', { Hello: 'Bonjour' })).state(new End('a', 'Hello'))));
  assert.equal(await phone.dial(), 'Bonjour');
  assert.equal(phone.record, undefined);
});

test('stored states of another version start again, or are migrated', async () => {
  const key = 'dialogue:+27820000001';
  const old = { version: 1, state: 'surname', history: ['menu'], answers: { menu: 'name' }, page: 0, lang: 'sw' };
  const put = (record) => host.values.set(key, { text: typeof record === 'string' ? record : JSON.stringify(record), expires: null });
  const phone = Phone.ussd(with_((dialogue) => dialogue.version(2)));
  put(old);
  assert.equal(await phone.dial(), MENU);
  assert.deepEqual([phone.record.version, phone.record.lang, phone.record.answers], [2, 'sw', {}]);
  const moved = Phone.ussd(
    with_((dialogue) =>
      dialogue.version(2).migrate((record) => {
        if (record.state === 'surname') record.state = 'name';
        return true;
      }),
    ),
  );
  put(old);
  assert.equal(await moved.dial(), 'What is your name?\n0. Back');
  assert.deepEqual(moved.record, { ...old, version: 2, state: 'name' });
  // A newer one is not for the migration.
  put({ ...old, version: 3, state: 'name' });
  assert.equal(await moved.dial(), MENU);
  // Of the same version, but its state is gone.
  put({ ...old, version: 2 });
  assert.equal(await phone.dial(), MENU);
  assert.match(host.lines.at(-1)[1], /^dialogue clinic has no state 'surname' any more/);
  for (const unreadable of ['[]', '7', '{"version":"x"}', '{"version":2,"state":"menu","history":[1]}', '{"version":2,"page":-1}']) {
    put(unreadable);
    assert.equal(await phone.dial(), MENU, unreadable);
    assert.match(host.lines.at(-1)[1], /is unreadable/);
  }
});

test('what fails is told, logged with its place, and tried again with the next message', async () => {
  let broken = true;
  const phone = Phone.ussd(() =>
    app(
      new Dialogue('d').errorText('Sorry.')
        .state(new FreeText('a', 'A?').next('b'))
        .state(new End('b', 'B').onEnter(() => {
          if (broken) throw new RangeError('no more beds');
        })),
    ),
  );
  await phone.dial();
  assert.equal(await phone.send('x'), 'Sorry.');
  assert.equal(phone.closed, true);
  assert.deepEqual([phone.record.state, phone.record.answers], ['a', {}]);
  const [level, line] = host.lines.at(-1);
  assert.equal(level, 'error');
  assert.match(line, /^dialogue d, at b: RangeError: no more beds\n\s+at .*dialogue\.test\.js/);
  assert.deepEqual(counted(), { 'sessions.new': 1, 'states.a.entered': 1 });
  broken = false;
  await phone.dial();
  assert.equal(await phone.send('x'), 'B');
});

test('mistakes in the dialogue are sentences', async () => {
  const said = async (make, ...texts) => {
    host.reset();
    const phone = Phone.ussd(() => app(make()));
    await phone.dial();
    for (const text of texts) await phone.send(text);
    return host.lines.at(-1)?.[1];
  };
  const dialogue = (...states) => states.reduce((made, state) => made.state(state), new Dialogue('d'));
  assert.equal(await said(() => dialogue(new FreeText('a', 'A')), 'x'), "dialogue d, at a: 'a' leads nowhere");
  assert.equal(await said(() => dialogue(new FreeText('a', 'A').next('b')), 'x'), "dialogue d, at its start: 'a' leads to 'b', but there is no such state");
  assert.equal(await said(() => dialogue(new FreeText('a', 'A').nextWith(['a'], () => 'b')), 'x'), "dialogue d, at a: 'a' leads to 'b', which it does not declare");
  assert.equal(await said(() => dialogue(new Choice('a', 'A').next('a'))), "dialogue d, at a: 'a' has no options");
  const many = Array.from({ length: 99 }, (_, at) => ({ value: String(at), label: String(at) }));
  assert.equal(await said(() => dialogue(new Choice('a', 'A').optionsWith(() => many).next('a'))), "dialogue d, at a: 'a' has 99 options; at most 98 have a number");
  assert.equal(await said(() => dialogue(new Choice('a', 'A').option('x', 'X').back().next('a')).ussdLimit(3)), "dialogue d, at a: the limit leaves no room for 'a'");
  assert.equal(await said(() => dialogue(new End('a', 'x'.repeat(200)))), "dialogue d: a word of 'a' is longer than a page");
});

test('functions are asked in order, and may wait', async () => {
  const order = [];
  const note = (what) => async () => {
    await Promise.resolve();
    order.push(what);
  };
  const phone = Phone.ussd(() =>
    app(
      new Dialogue('d')
        .state(
          new FreeText('a', 'A?').onEnter(note('enter a'))
            .validate(async (text, ctx) => {
              order.push(`check ${text} of ${ctx.user}`);
              return { text, at: 7 };
            })
            .onLeave(note('leave a'))
            .nextWith(['b', 'c'], async (ctx) => {
              order.push('next');
              return ctx.answer('a').at === 7 ? 'b' : 'c';
            }),
        )
        .state(new End('b', 'drawn').onEnter(note('enter b')).textWith(async (ctx) => t('{a} {x} {y}', { x: 1, y: ctx.state })))
        .state(new End('c', 'C')),
    ),
  );
  await phone.dial();
  assert.equal(await phone.send('hi'), '{"text":"hi","at":7} 1 b');
  assert.deepEqual(order, ['enter a', 'check hi of +27820000001', 'leave a', 'next', 'enter b']);
});

test('the conversation can be read and changed', async () => {
  const phone = Phone.ussd(() =>
    app(
      new Dialogue('d')
        .state(new Choice('a', 'A?').optionTo('x', 'X', 'c').option('y', 'Y').next('b').onLeave((ctx) => {
          ctx.set('list', [1, { a: undefined }]);
          assert.deepEqual(ctx.answer('list'), [1, {}]);
          assert.equal(ctx.answer('toString'), undefined);
          assert.deepEqual([ctx.forget('list'), ctx.forget('list')], [true, false]);
          assert.throws(() => ctx.set('f', () => 1), /cannot be written as JSON/);
          assert.equal(ctx.message.text, 'X');
          ctx.setLang('sw');
          assert.equal(ctx.lang, 'sw');
        }))
        .state(new End('b', 'B'))
        .state(new End('c', 'C {a}')),
    ),
  );
  await phone.dial();
  assert.equal(await phone.send('X'), 'C x');
  assert.equal(phone.record.lang, 'sw');
});

test('a message without a sender is not answered', async () => {
  await plain().onMessage(host.message('hi', { fromAddr: null }));
  assert.deepEqual(host.sent, []);
  assert.match(host.lines[0][1], /without its sender's address/);
});

test('metrics that are refused do not harm', async () => {
  const phone = Phone.ussd(() => app(new Dialogue('d').state(new End(`a ${'b'.repeat(100)}`, 'Bye'))));
  assert.equal(await phone.dial(), 'Bye');
  assert.match(host.lines[0][1], /is not counted/);
});

test('the graph has every state and way', () => {
  const dialogue = clinic();
  assert.deepEqual(plain().graph(), {
    start: 'menu',
    states: [
      { name: 'menu', kind: 'menu', text: 'Welcome to the clinic.' },
      { name: 'name', kind: 'free-text', text: 'What is your name?' },
      { name: 'age', kind: 'free-text', text: 'How old are you?' },
      { name: 'sex', kind: 'choice', text: 'Are you' },
      { name: 'hours', kind: 'end', text: 'We are open from 8:00 to 16:00.' },
      { name: 'thanks', kind: 'end', text: 'Thank you, {name} ({age}, {sex}). {none}' },
    ],
    transitions: [
      { from: 'menu', to: 'name', label: 'Register' },
      { from: 'menu', to: 'hours', label: 'Opening hours' },
      { from: 'name', to: 'age' },
      { from: 'age', to: 'sex' },
      { from: 'sex', to: 'thanks' },
      { from: 'menu', to: 'hours', label: 'STOP' },
    ],
  });
  assert.deepEqual(dialogue.problems(), []);
  const wrong = new Dialogue('d').start('nowhere').translations(new Translations().po('sw', 'msgid "a'))
    .state(new FreeText('a', 'A'))
    .state(new Choice('a', 'A').optionTo('x', 'X', 'lost'))
    .state(new Menu('b b', 'B'))
    .state(new PaginatedChoice('c', 'C').optionsWith(() => []))
    .state(new FreeText('d', 'D').nextWith(['a', 'gone', 'gone'], () => 'a'))
    .state(new Menu('e', 'E').optionsWith(['a'], () => [{ label: 'A', to: 'a' }]))
    .keyword('HI', 'hello');
  assert.deepEqual(wrong.graph().problems, [
    "it starts at 'nowhere', but there is no such state",
    "'a' leads nowhere",
    "there are two states 'a'",
    "'a' leads to 'lost', but there is no such state",
    "'b b' is no name for a state: letters, digits, '-' and '_', at most 80, the first a letter",
    "'b b' has no options",
    "'c' leads nowhere",
    "'d' leads to 'gone', but there is no such state",
    "the keyword 'HI' leads to 'hello', but there is no such state",
    "the translation 'sw', line 1: a text without its closing quote",
  ]);
});

test('the checks', async () => {
  const kept = async (made, text) => {
    const value = await made(text, undefined);
    return value instanceof check.Refusal ? undefined : value;
  };
  for (const [text, expected] of [
    ['31-01-2026', '2026-01-31'], ['31012026', '2026-01-31'], ['2026-1-31', '2026-01-31'], ['29.2.2024', '2024-02-29'], ['29.2.2026', undefined],
    ['29.2.1900', undefined], ['29.2.2000', '2000-02-29'], ['0.1.2026', undefined], ['1.13.2026', undefined], ['1.1.26', undefined],
    ['+1.1.2026', undefined], ['1-1-2026-1', undefined], ['é1012026', undefined], ['', undefined], ['31 1/2026', '2026-01-31'],
  ]) assert.equal(await kept(check.date(), text), expected, text);
  for (const [text, expected] of [
    ['082 000 0001', '+27820000001'], ['+255 700-000-001', '+255700000001'], ['00255700000001', '+255700000001'], ['12345', undefined],
    ['+0820000001', undefined], ['27820000001', '+27820000001'], ['+1234567890123456', undefined], ['082x', undefined],
  ]) assert.equal(await kept(check.phone('27'), text), expected, text);
  for (const [text, expected] of [['7', 7], ['+7', 7], ['-1', undefined], ['007', 7], ['7.5', undefined], ['1e1', undefined], [' 7', undefined], ['121', undefined]]) {
    assert.equal(await kept(check.number(1, 120), text), expected, text);
  }
  assert.equal(await kept(check.length(1, 2), '😀😀'), '😀😀');
  assert.equal(await kept(check.length(1, 2), 'abc'), undefined);
});
