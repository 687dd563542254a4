// A user with a phone, who talks with an app over USSD or by SMS.

import { host } from './host.js';

export class Phone {
  /** `make` gives the app anew for every message, as the host loads it anew. */
  constructor(make, { user = '+27820000001', sessions = true } = {}) {
    Object.assign(this, { make, user, sessions, closed: true });
  }

  static ussd(make) {
    return new Phone(make);
  }

  static sms(make) {
    return new Phone(make, { sessions: false });
  }

  /** Begins a session; the answer is what the phone shows. */
  dial(content = null) {
    return this.#message(content, 'new');
  }

  /** Sends a text; the answer is what the phone shows, or `null`. */
  send(content) {
    return this.#message(content, this.sessions ? (this.closed ? 'new' : 'resume') : null);
  }

  hangUp() {
    return this.#message(null, 'close');
  }

  /** What is kept of the conversation. */
  get record() {
    return host.value(`dialogue:${this.user}`);
  }

  async #message(content, sessionEvent) {
    const before = host.sent.length;
    await this.make().onMessage(host.message(content, { sessionEvent, fromAddr: this.user, transportType: sessionEvent ? 'ussd' : 'sms' }));
    const [answer = null, ...more] = host.sent.slice(before);
    if (more.length > 0) throw new Error(`${more.length + 1} answers`);
    this.closed = sessionEvent === 'close' || (answer?.closeSession ?? false);
    return answer?.content ?? null;
  }
}

/** How often each metric was fired. */
export function counted() {
  const counts = {};
  for (const [name, value, aggregator] of host.metrics) {
    if (aggregator !== 'sum') throw new Error(`${name} is no sum`);
    counts[name] = (counts[name] ?? 0) + value;
  }
  return counts;
}
