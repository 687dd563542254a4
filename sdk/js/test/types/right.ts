// Apps as TypeScript users write them: all of this must compile. What must not is in wrong.ts.

import {
  app,
  Booklet,
  check,
  Choice,
  type Check,
  config,
  type Context,
  Dialogue,
  End,
  type Event,
  fetch as ourFetch,
  fetchJson,
  FreeText,
  type Graph,
  type Handlers,
  HostError,
  isQuota,
  kv,
  log,
  Menu,
  type Message,
  metrics,
  PaginatedChoice,
  refuse,
  sendTo,
  sms,
  StatusError,
  t,
  tc,
  tn,
  Translations,
} from '@vumi/sdk';

interface Basket {
  items: string[];
}

const shop: Handlers = {
  async onMessage(message: Message) {
    if (message.isClose || message.sessionEvent === 'close') return;
    const basket = kv.get<Basket>(`basket:${message.user}`);
    const items: string[] = basket?.items ?? [];
    const content: string | null = message.content;
    const id: string = message.reply(content, { closeSession: items.length > 3, helperMetadata: { tag: ['a'] } });
    sendTo('+27820000001', `${id} ${config('name') ?? 'shop'}`, { endpoint: 'sms' });
    const visits: number = kv.incr('visits');
    kv.setFor('last', { at: message.date.toISOString(), visits }, 60);
    metrics.fire('visits', visits, 'last');
  },
  onEvent(event: Event) {
    if (event.kind === 'nack') log.warning(event.reason ?? '');
    const status: 'pending' | 'failed' | 'delivered' | null = event.deliveryStatus;
    log.log('info', `${status}`);
  },
};
export const plain = app(shop);

const even: Check = async (text, ctx) => (Number(text) % 2 === 0 ? Number(text) : refuse(ctx.tr('Not even.')));

function count(ctx: Context): void {
  ctx.set('number', kv.incr('orders'));
}

const dialogue = new Dialogue('all')
  .version(2)
  .migrate((record) => {
    record.state = record.state === 'old' ? 'menu' : null;
    return record.version === 1 && record.answers['name'] !== undefined;
  })
  .start('menu')
  .ttl(60)
  .onNew('ask')
  .backEverywhere()
  .restartEverywhere()
  .ussdLimit(182)
  .smsSegments(2)
  .language('en')
  .translations(new Translations().po('sw', '').map('fr', { a: 'b' }))
  .keyword('STOP', 'end')
  .onClose((ctx) => log.info(ctx.state))
  .errorText(t('Sorry, {name}.', { name: 'you' }))
  .state(new Menu('menu', 'Menu').option('Name', 'name').optionsWith(['town'], async () => [{ label: tc('x', 'Town'), to: 'town' }]))
  .state(new FreeText('name', 'Name?').validate(even).onLeave(count).back().restart().next('town'))
  .state(
    new PaginatedChoice('town', 'Town?')
      .perPage(5)
      .optionsWith((ctx) => [{ value: ctx.lang, label: 'A' }, { value: 'b', label: 'B', to: 'end' }])
      .nextWith(['help', 'end'], (ctx) => (ctx.answer<string>('town') === 'en' ? 'help' : 'end')),
  )
  .state(new Choice('lang', 'Language?').option('en', 'English').optionTo('sw', 'Kiswahili', 'end').setsLanguage().next('menu'))
  .state(new FreeText('age', 'Age?').validate(check.number(1, 120)).next('end'))
  .state(new Booklet('help', 'One').page(tn('{n} page', '{n} pages', 2)).next('end'))
  .state(
    new End('end', 'Bye')
      .onEnter(async (ctx) => {
        const { id } = await fetchJson<{ id: number }>('https://a.example/', { json: { a: 1 }, retry: { attempts: 2 } });
        ctx.set('id', id);
      })
      .textWith((ctx) => t('{n} SMS', { n: sms.segments(ctx.message.text) })),
  );
export default app(dialogue);

export const graph: Graph = dialogue.graph();
export const problems: string[] = dialogue.problems();

export async function ask(): Promise<unknown> {
  try {
    const response = await ourFetch('https://a.example/', { headers: { a: 'b' }, signal: AbortSignal.timeout(5000) });
    const url = new URL(response.url);
    console.log(url.searchParams.get('a')?.length, crypto.randomUUID(), new TextEncoder().encode('a').length);
    setTimeout((name: string) => console.log(name), 10, 'late');
    return response.ok ? await response.json() : (await fetch('https://b.example/')).status;
  } catch (error) {
    if (error instanceof HostError && error.kind === 'denied') return undefined;
    if (error instanceof StatusError) return error.status.toFixed();
    if (isQuota(error)) return error.message;
    throw error;
  }
}
