// Mistakes that the types must catch. Each line after a @ts-expect-error must be an error, or tsc complains.

import { app, check, Choice, Dialogue, End, FreeText, kv, log, Menu, type Message, metrics, PaginatedChoice, sendTo, t } from '@vumi/sdk';

declare const message: Message;

// @ts-expect-error: an app must handle messages
app({});
// @ts-expect-error: a handler gets a message, not a number
app({ onMessage: (text: number) => console.log(text) });
// @ts-expect-error: no such handler
app({ onMessage() {}, onMesage() {} });

// @ts-expect-error: a text or null, not a number
message.reply(7);
// @ts-expect-error: no such option
message.reply('a', { close: true });
// @ts-expect-error: there may be no text
console.log(message.content.length);
// @ts-expect-error: what came cannot be changed
message.content = 'b';
// @ts-expect-error: no such session event
console.log(message.sessionEvent === 'begin');
// @ts-expect-error: an address is missing
sendTo();
// @ts-expect-error: no such option
sendTo('+27820000001', 'a', { endPoint: 'sms' });

// @ts-expect-error: a value is unknown until you say what it is
console.log(kv.get('a').length);
// @ts-expect-error: it may be missing
console.log(kv.get<string>('a').length);
// @ts-expect-error: a key is a text
kv.set(1, 'a');
// @ts-expect-error: a lifetime is missing
kv.setFor('a', 1);
// @ts-expect-error: a whole number, not a text
kv.incr('a', '1');
// @ts-expect-error: no such level
log.log('warn', 'a');
// @ts-expect-error: no such aggregator
metrics.fire('a', 1, 'average');

// @ts-expect-error: a state needs a text
new End('end');
// @ts-expect-error: an end leads nowhere
new End('end', 'Bye').next('menu');
// @ts-expect-error: a menu's options lead somewhere each
new Menu('menu', 'Menu').option('Register');
// @ts-expect-error: a menu has no next
new Menu('menu', 'Menu').optionTo('a', 'A', 'b');
// @ts-expect-error: a free text has no options
new FreeText('name', 'Name?').option('a', 'A');
// @ts-expect-error: an option has a value and a label
new Choice('a', 'A?').option('a');
// @ts-expect-error: only a paginated choice has that
new Choice('a', 'A?').perPage(5);
// @ts-expect-error: an option without a value
new PaginatedChoice('a', 'A?').optionsWith(() => [{ label: 'A' }]);
// @ts-expect-error: a state that is not declared
new FreeText('a', 'A?').nextWith(['b', 'c'], () => 'd');
// @ts-expect-error: a check is a function
new FreeText('a', 'A?').validate('number');
// @ts-expect-error: a range has two ends
check.number(1);
// @ts-expect-error: a name is missing
new Dialogue();
// @ts-expect-error: no state
new Dialogue('a').state('menu');
// @ts-expect-error: none of continue, ask, restart
new Dialogue('a').onNew('resume');
// @ts-expect-error: arguments are an object
t('Hello {name}', 'Anna');
// @ts-expect-error: not in the engine
console.log(document.title);
// @ts-expect-error: nor is this
require('fs');
