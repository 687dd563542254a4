// Sends the answers to the web service, and remembers who has answered.

import { config, fetchJson, kv, log, metrics, StatusError } from '@vumi/sdk';

import { isAsked, stateOf } from './questions.js';

const key = (user) => `answered:${user}`;

/** The first screen's text. */
export function greeting(user) {
  if (kv.get(key(user)) === true) return 'You have answered already, thank you! Would you like to answer again?';
  return config('intro') ?? 'Water in your village: a few short questions. Shall we begin?';
}

/** Sends all answers; the answer is the state that follows. */
export async function send(ctx, questions) {
  // The same for every attempt: the service knows by it what it has already.
  if (ctx.answer('key') === undefined) ctx.set('key', ctx.message.id);
  const sent = answers(ctx, questions);
  const url = config('url');
  if (url) {
    try {
      await post(ctx, url, sent);
    } catch (error) {
      log.warning(`answers could not be sent: ${error.message}`);
      return 'unsent';
    }
  } else {
    // To try it out without a service.
    log.info(`answers: ${JSON.stringify(sent)}`);
  }
  kv.set(key(ctx.user), true);
  metrics.count('answers');
  return 'thanks';
}

/** What is sent. A question that was answered and then left out, because an earlier answer changed, is not in it. */
function answers(ctx, questions) {
  const answer = (id) => ctx.answer(stateOf(id));
  const asked = questions.all.filter((question) => isAsked(question, answer) && answer(question.id) !== undefined);
  return {
    survey: config('survey') ?? 'water',
    network: ctx.message.transportType,
    answers: Object.fromEntries(asked.map(({ id }) => [id, answer(id)])),
    ...(config('anonymous') === 'yes' ? {} : { phone: ctx.user }),
  };
}

async function post(ctx, url, json) {
  const headers = { 'idempotency-key': ctx.answer('key') };
  const token = config('token');
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  try {
    await fetchJson(url, { headers, json });
  } catch (error) {
    if (error instanceof StatusError) throw new Error(`the service answered with status ${error.status}`);
    // Whether the service answers with JSON does not matter here.
    if (!(error instanceof SyntaxError)) throw error;
  }
}
