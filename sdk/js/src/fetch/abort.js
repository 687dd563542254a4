/**
 * Giving up, as the web platform has it.
 *
 * Requests of the host are synchronous: no other code of the app runs while one is under way. What can end one is a time
 * limit ({@link AbortSignal.timeout}), and a signal that was aborted before.
 *
 * @module
 */

/** @param {string} name @param {string} message */
function named(name, message) {
  return Object.assign(new Error(message), { name });
}

/**
 * Says whether to give up.
 *
 * @example
 * import { AbortSignal, fetch } from '@vumi/sdk';
 *
 * try {
 *   await fetch('https://clinic.example/api', { signal: AbortSignal.timeout(2000) });
 * } catch (error) {
 *   console.assert(error.name === 'TimeoutError' || error.kind === 'denied');
 * }
 */
export class AbortSignal {
  #aborted = false;
  /** @type {unknown} */
  #reason = undefined;
  /** @type {Set<(event: { type: 'abort', target: AbortSignal }) => void>} */
  #listeners = new Set();
  /** @type {number | undefined} */
  #deadline = undefined;
  /** @type {((event: { type: 'abort', target: AbortSignal }) => void) | null} */
  onabort = null;

  /** True when it is time to give up. */
  get aborted() {
    this.#look();
    return this.#aborted;
  }

  /** Why. */
  get reason() {
    this.#look();
    return this.#reason;
  }

  /** @internal Milliseconds that are left, if there is a limit. */
  get left() {
    return this.#deadline === undefined ? undefined : Math.max(0, this.#deadline - Date.now());
  }

  /** Throws the reason when it is time to give up. */
  throwIfAborted() {
    if (this.aborted) throw this.#reason;
  }

  /**
   * @param {'abort'} type
   * @param {(event: { type: 'abort', target: AbortSignal }) => void} listener Is called once.
   */
  addEventListener(type, listener) {
    if (type === 'abort') this.#listeners.add(listener);
  }

  /**
   * @param {'abort'} type
   * @param {(event: { type: 'abort', target: AbortSignal }) => void} listener
   */
  removeEventListener(type, listener) {
    if (type === 'abort') this.#listeners.delete(listener);
  }

  /** @internal @param {unknown} reason */
  abort(reason) {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason === undefined ? named('AbortError', 'it was aborted') : reason;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of [this.onabort, ...listeners]) listener?.({ type: 'abort', target: this });
  }

  /** A timer would keep the run going; the clock is asked instead. */
  #look() {
    if (this.left === 0) this.abort(named('TimeoutError', 'it took too long'));
  }

  /**
   * @param {number} milliseconds From now.
   * @returns {AbortSignal} One that gives up after this time.
   */
  static timeout(milliseconds) {
    const signal = new AbortSignal();
    signal.#deadline = Date.now() + milliseconds;
    return signal;
  }

  /**
   * @param {unknown} [reason] Why.
   * @returns {AbortSignal} One that has given up.
   */
  static abort(reason) {
    const signal = new AbortSignal();
    signal.abort(reason);
    return signal;
  }

  /**
   * @param {Iterable<AbortSignal>} signals Several.
   * @returns {AbortSignal} One that gives up with the first of them.
   */
  static any(signals) {
    const signal = new AbortSignal();
    for (const each of signals) {
      if (each.aborted) signal.abort(each.reason);
      else each.addEventListener('abort', () => signal.abort(each.reason));
      const deadline = each.#deadline;
      if (deadline !== undefined) signal.#deadline = Math.min(deadline, signal.#deadline ?? deadline);
    }
    return signal;
  }
}

/**
 * Gives up by hand.
 *
 * @example
 * import { AbortController } from '@vumi/sdk';
 *
 * const controller = new AbortController();
 * controller.abort();
 * console.assert(controller.signal.aborted);
 */
export class AbortController {
  /** To be handed on. */
  signal = new AbortSignal();

  /** @param {unknown} [reason] Why. */
  abort(reason) {
    this.signal.abort(reason);
  }
}
