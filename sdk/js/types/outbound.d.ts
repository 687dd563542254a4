/**
 * How a message is sent.
 *
 * @typedef {object} SendOptions
 * @property {string} [endpoint] The app's endpoint to send through; `default` unless given.
 * @property {Record<string, unknown>} [helperMetadata] Only keys that the host's configuration allows.
 */
/**
 * Sends a message to anybody, not as an answer.
 *
 * @param {string} address Whom to.
 * @param {string | null} content The text.
 * @param {SendOptions} [options] How.
 * @returns {string} The new message's id; events about it carry it.
 * @throws {import('./error.js').HostError} When the endpoint is not the app's, the run has sent too many messages, or
 *   the host cannot take it now.
 * @example
 * import { sendTo } from '@vumi/sdk';
 *
 * sendTo('+27820000001', 'Your parcel is here.', { endpoint: 'sms' });
 */
export function sendTo(address: string, content: string | null, options?: SendOptions): string;
/**
 * Metadata as the host takes it.
 *
 * @internal
 * @param {Record<string, unknown> | undefined} metadata
 * @returns {string | null}
 */
export function metadataText(metadata: Record<string, unknown> | undefined): string | null;
/**
 * How a message is sent.
 */
export type SendOptions = {
    /**
     * The app's endpoint to send through; `default` unless given.
     */
    endpoint?: string;
    /**
     * Only keys that the host's configuration allows.
     */
    helperMetadata?: Record<string, unknown>;
};
