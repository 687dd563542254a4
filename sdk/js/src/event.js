/**
 * What happens to the messages that an app sent.
 *
 * @module
 */

/** @typedef {import('../types/contract.d.ts').EventFields} EventFields */

/**
 * Something that happened to a message that the app sent.
 *
 * @example
 * import { app, log } from '@vumi/sdk';
 *
 * export default app({
 *   onMessage(message) {
 *     message.reply('Hello!');
 *   },
 *   onEvent(event) {
 *     if (event.kind === 'nack') log.warning(`${event.messageId} was refused: ${event.reason}`);
 *   },
 * });
 */
export class Event {
  /** @type {EventFields} */
  #fields;

  /** @param {EventFields} fields All fields, as the contract has them. */
  constructor(fields) {
    this.#fields = fields;
  }

  /** Names this event. */
  get id() {
    return this.#fields.eventId;
  }

  /** The message that it is about, as {@link sendTo} and {@link Message.reply} returned its id. */
  get messageId() {
    return this.#fields.userMessageId;
  }

  /**
   * What happened: the network took the message (`ack`), the network or the host refused it (`nack`), or the network
   * reports on its way to the phone (`delivery-report`).
   */
  get kind() {
    return this.#fields.kind;
  }

  /** What the network calls the message; `null` unless it is an `ack`. */
  get sentMessageId() {
    return this.#fields.sentMessageId;
  }

  /** Why the message was refused; `null` unless it is a `nack`. */
  get reason() {
    return this.#fields.reason;
  }

  /** How far the message came; `null` unless it is a `delivery-report`. */
  get deliveryStatus() {
    return this.#fields.deliveryStatus;
  }

  /** All fields, as the contract has them. */
  get fields() {
    return this.#fields;
  }
}
