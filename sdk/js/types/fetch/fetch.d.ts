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
export function fetch(input: string | import("./url.js").URL | Request, init?: import("./request.js").RequestInit): Promise<Response>;
import { Request } from './request.js';
import { Response } from './response.js';
