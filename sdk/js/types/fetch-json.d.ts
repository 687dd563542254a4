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
export function fetchJson<T = any>(url: string | import("./fetch/url.js").URL, options?: FetchJsonOptions & import("./fetch/request.js").RequestInit): Promise<T>;
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
    constructor(status: number, message: string);
    /** @type {'status'} */
    kind: "status";
    /** What it answered. */
    status: number;
}
/**
 * When to try a request again, and when to give up.
 *
 * Tried again are failed exchanges and the statuses 429, 502, 503 and 504. The pause doubles each time; a `Retry-After`
 * in seconds is heeded where it is longer. The limit of time holds for everything together, so that the user is not kept
 * waiting longer than a session lives, nor the run longer than the host allows.
 */
export type Retry = {
    /**
     * So many attempts, the first included; 3 unless given.
     */
    attempts?: number;
    /**
     * The pause before the second attempt; 200 unless given.
     */
    pauseMs?: number;
    /**
     * The time for all attempts and pauses together; 10 000 unless given.
     */
    withinMs?: number;
};
export type FetchJsonOptions = {
    /**
     * When to try again; `false` for never. A request that changes something may reach the
     * server twice.
     */
    retry?: Retry | false;
    /**
     * Is sent as the body; the method is then `POST` unless given.
     */
    json?: unknown;
};
