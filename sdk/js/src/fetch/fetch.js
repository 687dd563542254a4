/**
 * Requests to the web, as the web platform has them.
 *
 * @module
 */

import { httpRequest } from 'vumi:host';
import { Request } from './request.js';
import { Response } from './response.js';

/**
 * Sends a request to a place that the app's owner allowed, and gives the response, whatever its status.
 *
 * What fails is a `TypeError`, as everywhere; its `kind` says why (`denied` when the target is not allowed) and its
 * `cause` is the host's own error. Redirects are followed, each checked like the first request.
 *
 * @param {string | import('./url.js').URL | Request} input The address, or a request.
 * @param {import('./request.js').RequestInit} [init] The rest.
 * @returns {Promise<Response>} The response.
 * @example
 * import { fetch, log } from '@vumi/sdk';
 *
 * try {
 *   const response = await fetch('https://clinic.example/api/patients/7');
 *   const patient = response.ok ? await response.json() : undefined;
 * } catch (error) {
 *   log.warning(`the clinic cannot be asked: ${error.message}`);
 * }
 */
export async function fetch(input, init) {
  const request = new Request(input, init);
  const signal = request.signal;
  signal?.throwIfAborted();
  try {
    const { status, headers, body } = httpRequest({
      method: request.method,
      url: request.url,
      headers: [...request.headers],
      body: request.peek(),
      timeoutMs: signal?.left === undefined ? null : Math.ceil(signal.left),
    });
    return Response.of(request.url, status, headers, body);
  } catch (error) {
    signal?.throwIfAborted();
    const cause = /** @type {import('../error.js').HostError} */ (error);
    throw Object.assign(new TypeError(`fetch failed: ${cause.message}`, { cause }), { kind: cause.kind });
  }
}
