/**
 * Asking other services for JSON, and again when they are busy.
 *
 * @module
 */

import { AbortSignal } from './fetch/abort.js';
import { fetch } from './fetch/fetch.js';
import { Headers } from './fetch/headers.js';

/**
 * When to try a request again, and when to give up.
 *
 * Tried again are failed exchanges and the statuses 429, 502, 503 and 504. The pause doubles each time; a `Retry-After`
 * in seconds is heeded where it is longer. The limit of time holds for everything together, so that the user is not kept
 * waiting longer than a session lives, nor the run longer than the host allows.
 *
 * @typedef {object} Retry
 * @property {number} [attempts] So many attempts, the first included; 3 unless given.
 * @property {number} [pauseMs] The pause before the second attempt; 200 unless given.
 * @property {number} [withinMs] The time for all attempts and pauses together; 10 000 unless given.
 */

/**
 * @typedef {object} FetchJsonOptions
 * @property {Retry | false} [retry] When to try again; `false` for never. A request that changes something may reach the
 *   server twice.
 * @property {unknown} [json] Is sent as the body; the method is then `POST` unless given.
 */

/**
 * What {@link fetchJson} throws when a server answered with a status that is no success.
 *
 * @example
 * import { StatusError } from '@vumi/sdk';
 *
 * const error = new StatusError(404, 'https://clinic.example/api/patients/7 answered 404');
 * console.assert(error.kind === 'status' && error.status === 404);
 */
export class StatusError extends Error {
  /**
   * @param {number} status What it answered.
   * @param {string} message One sentence.
   */
  constructor(status, message) {
    super(message);
    this.name = 'StatusError';
    /** @type {'status'} */
    this.kind = 'status';
    /** What it answered. */
    this.status = status;
  }
}

/**
 * Sends a request and reads the response as JSON.
 *
 * @template [T=any]
 * @param {string | import('./fetch/url.js').URL} url The address.
 * @param {FetchJsonOptions & import('./fetch/request.js').RequestInit} [options] What {@link fetch} takes, and more.
 * @returns {Promise<T>} The value; TypeScript takes your word for what it is.
 * @throws {StatusError} For a status other than 200 to 299, after the last attempt.
 * @throws {TypeError} When the exchange failed, after the last attempt; its `kind` says why.
 * @throws {SyntaxError} When the response is no JSON.
 * @example
 * import { fetchJson, StatusError } from '@vumi/sdk';
 *
 * try {
 *   const { id } = await fetchJson('https://clinic.example/api/patients', { json: { name: 'Anna' } });
 * } catch (error) {
 *   if (!(error instanceof StatusError || error.kind === 'denied')) throw error;
 * }
 */
export async function fetchJson(url, options = {}) {
  const { retry = {}, json, ...init } = options;
  const headers = new Headers(init.headers);
  if (!headers.has('accept')) headers.set('accept', 'application/json');
  if (json !== undefined) {
    init.method ??= 'POST';
    init.body = JSON.stringify(json);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
  }
  const { attempts, pauseMs, withinMs } = { attempts: 3, pauseMs: 200, withinMs: 10_000, ...retry };
  const response = await again(url, { ...init, headers }, retry === false ? 1 : attempts, pauseMs, withinMs);
  if (!response.ok) throw new StatusError(response.status, `${shown(url)} answered ${response.status}`);
  return response.json();
}

/** What of a URL may stand in an error: neither its query nor a password. @param {unknown} url */
function shown(url) {
  return String(url)
    .replace(/[?#].*$/s, '')
    .replace(/^.*@/s, '');
}

/**
 * @param {string | import('./fetch/url.js').URL} url
 * @param {import('./fetch/request.js').RequestInit} init
 * @param {number} attempts
 * @param {number} pauseMs
 * @param {number} withinMs
 */
async function again(url, init, attempts, pauseMs, withinMs) {
  const end = Date.now() + withinMs;
  let pause = pauseMs;
  for (let attempt = 1; ; attempt += 1) {
    const limit = AbortSignal.timeout(Math.max(1, end - Date.now()));
    const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
    let wait = pause;
    let failure;
    let response;
    try {
      response = await fetch(url, { ...init, signal });
      if (![429, 502, 503, 504].includes(response.status)) return response;
      wait = Math.max(pause, retryAfter(response));
    } catch (error) {
      if (/** @type {{ kind?: string }} */ (error).kind !== 'unavailable') throw error;
      failure = error;
    }
    if (attempt >= attempts || wait >= end - Date.now()) {
      if (response === undefined) throw failure;
      return response;
    }
    await new Promise((done) => setTimeout(done, wait));
    pause *= 2;
  }
}

/** @param {import('./fetch/response.js').Response} response @returns {number} Milliseconds; 0 when it does not say. */
function retryAfter(response) {
  const text = response.headers.get('retry-after') ?? '';
  return /^[0-9]+$/.test(text) ? Number(text) * 1000 : 0;
}
