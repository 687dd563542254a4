// The host's side of `vumi:host`, played for tests in node: values in a Map, messages and log lines in arrays.

/** What the tests look at and prepare. */
export const host = {
  /** key → { text, expires (milliseconds) | null } */
  values: new Map(),
  sent: [],
  lines: [],
  metrics: [],
  requests: [],
  config: {},
  /** Milliseconds since 1970, for expiry. */
  now: 0,
  /** How many keys the app may keep. */
  maxKeys: 100,
  /** Answers a request: (request) => response, or throws. */
  answer: () => {
    throw refused('denied', 'the app may not reach this place');
  },
  reset() {
    host.values.clear();
    Object.assign(host, { sent: [], lines: [], metrics: [], requests: [], config: {}, now: 0, maxKeys: 100 });
    host.answer = () => {
      throw refused('denied', 'the app may not reach this place');
    };
  },
  /** The parsed value of a key. */
  value(key) {
    const text = kvGet(key);
    return text === null ? undefined : JSON.parse(text);
  },
};

/** What the host throws when it refuses a call: a plain error with a name and a kind. */
export function refused(kind, message) {
  return Object.assign(new Error(message), { name: 'HostError', kind });
}

export function log(level, text) {
  host.lines.push([level, text]);
}

export function kvGet(key) {
  const found = host.values.get(key);
  if (found === undefined || (found.expires !== null && found.expires <= host.now)) return null;
  return found.text;
}

export function kvSet(key, jsonText, ttlSeconds) {
  JSON.parse(jsonText);
  if (ttlSeconds !== null && !(Number.isInteger(ttlSeconds) && ttlSeconds >= 0 && ttlSeconds < 2 ** 32)) {
    throw refused('invalid', `${ttlSeconds} is no number of seconds`);
  }
  if (kvGet(key) === null && host.values.size >= host.maxKeys) throw refused('quota', 'too many keys');
  host.values.set(key, { text: jsonText, expires: ttlSeconds === null ? null : host.now + ttlSeconds * 1000 });
}

export function kvDelete(key) {
  return host.values.delete(key);
}

export function kvIncr(key, amount) {
  if (!Number.isInteger(amount)) throw refused('invalid', `${amount} is no whole number`);
  const old = JSON.parse(kvGet(key) ?? '0');
  if (!Number.isInteger(old)) throw refused('invalid', `the value of ${key} is no whole number`);
  const expires = host.values.get(key)?.expires ?? null;
  if (kvGet(key) === null && host.values.size >= host.maxKeys) throw refused('quota', 'too many keys');
  host.values.set(key, { text: String(old + amount), expires });
  return old + amount;
}

const id = () => String(host.sent.length).padStart(32, '0');

export function reply(content, options) {
  host.sent.push({ to: 'reply', content, ...options });
  return id();
}

export function replyToGroup(content, options) {
  host.sent.push({ to: 'group', content, ...options });
  return id();
}

export function sendTo(toAddr, content, options) {
  host.sent.push({ to: toAddr, content, ...options });
  return id();
}

export function httpRequest(request) {
  host.requests.push(request);
  const { status = 200, headers = [], body = '' } = host.answer(request);
  return { status, headers, body: typeof body === 'string' ? new TextEncoder().encode(body) : body };
}

export function configGet(key) {
  return host.config[key] ?? null;
}

export function fireMetric(name, value, aggregator) {
  if (!/^[A-Za-z][A-Za-z0-9._-]{0,100}$/.test(name)) throw refused('invalid', `"${name}" is no metric name`);
  host.metrics.push([name, value, aggregator]);
}

/** The fields of a message, as the engine gives them. */
host.message = (content, fields = {}) => ({
  messageId: '0123456789abcdef0123456789abcdef',
  timestamp: 1_767_225_600_000_000,
  toAddr: '*120#',
  fromAddr: '+27820001001',
  toAddrType: null,
  fromAddrType: null,
  content,
  sessionEvent: null,
  inReplyTo: null,
  transportName: 'sim',
  transportType: fields.sessionEvent ? 'ussd' : 'sms',
  group: null,
  provider: null,
  endpoint: 'default',
  transportMetadata: '{}',
  helperMetadata: '{}',
  ...fields,
});

/** The fields of an event, as the engine gives them. */
host.event = (kind, fields) => ({
  eventId: 'fedcba9876543210fedcba9876543210',
  userMessageId: '00000000000000000000000000000001',
  timestamp: 1_767_225_600_000_000,
  kind,
  sentMessageId: null,
  reason: null,
  deliveryStatus: null,
  transportName: 'sim',
  endpoint: 'default',
  transportMetadata: '{}',
  helperMetadata: '{}',
  ...fields,
});
