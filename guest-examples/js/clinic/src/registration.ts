// Brings a registration to the clinics' web service, and remembers who is registered.
//
// The service may be away, and an answer may get lost on the way back. So the request is tried again, and each
// registration has a key of its own, by which the service knows one that it has already.

import { config, type Context, fetchJson, kv, log, metrics, sendTo, StatusError } from '@vumi/sdk';

/** What is kept of somebody who is registered: no more than the screens show. */
export interface Patient {
  name: string;
  /** The number that the service gave. */
  number: string;
  town: string;
}

const key = (ctx: Context): string => `patient:${ctx.user}`;

/** The registration of this user, if there is one. */
export function known(ctx: Context): Patient | undefined {
  return kv.get<Patient>(key(ctx));
}

/** Makes a registration the answers that the texts name. */
export function fill(ctx: Context, patient: Patient): void {
  ctx.set('name', patient.name);
  ctx.set('patient', patient.number);
  ctx.set('town', patient.town);
}

/** Sends the answers to the service; the answer is the state that follows. */
export async function send(ctx: Context): Promise<'registered' | 'unsent' | 'refused'> {
  const url = config('url');
  let number: string | undefined;
  if (url) {
    try {
      number = await ask(ctx, url);
    } catch (error) {
      log.warning(`a registration could not be sent: ${(error as Error).message}`);
      return 'unsent';
    }
    if (number === undefined) return 'refused';
  } else {
    // To try it out without a service.
    number = `T-${kv.incr('registrations')}`;
  }
  const patient = { name: ctx.answer<string>('name') ?? '', number, town: ctx.answer<string>('town') ?? '' };
  kv.set(key(ctx), patient);
  metrics.count('registrations');
  fill(ctx, patient);
  confirmBySms(ctx);
  return 'registered';
}

/** The number that the service gives; nothing when it refuses. Throws when it cannot be reached. */
async function ask(ctx: Context, url: string): Promise<string | undefined> {
  // The same for every attempt at this registration, also one after the next call.
  if (ctx.answer('key') === undefined) ctx.set('key', ctx.message.id);
  const headers: Record<string, string> = { 'idempotency-key': ctx.answer<string>('key') ?? '' };
  const token = config('token');
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  const json = {
    phone: ctx.user,
    name: ctx.answer('name'),
    born: ctx.answer('birth'),
    sex: ctx.answer('sex'),
    document: documentOf(ctx),
    clinic: ctx.answer('town'),
    language: ctx.lang,
  };
  try {
    return (await fetchJson<{ number: string }>(url, { headers, json })).number;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const { status } = error;
    // 408 and 429 ask to come back later.
    const refused = status >= 400 && status < 500 && status !== 408 && status !== 429;
    if (!refused) throw new Error(`the service answered with status ${status}`);
    log.warning(`the service refused a registration with status ${status}`);
    return undefined;
  }
}

function documentOf(ctx: Context): { kind: string; number: unknown } | null {
  switch (ctx.answer('document')) {
    case 'id':
      return { kind: 'south-african-id', number: ctx.answer('id-number') };
    case 'passport':
      return { kind: 'passport', number: ctx.answer('passport') };
    default:
      return null;
  }
}

/** What the screen says is gone when the session ends; an SMS stays. Needs the endpoint `sms` in the app's `send_to`. */
function confirmBySms(ctx: Context): void {
  if (config('sms') === 'yes')
    sendTo(ctx.user, ctx.tr('Tumaini Clinics: your number is {patient}.'), { endpoint: 'sms' });
}
