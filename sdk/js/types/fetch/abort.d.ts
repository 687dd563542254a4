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
    /**
     * @param {number} milliseconds From now.
     * @returns {AbortSignal} One that gives up after this time.
     */
    static timeout(milliseconds: number): AbortSignal;
    /**
     * @param {unknown} [reason] Why.
     * @returns {AbortSignal} One that has given up.
     */
    static abort(reason?: unknown): AbortSignal;
    /**
     * @param {Iterable<AbortSignal>} signals Several.
     * @returns {AbortSignal} One that gives up with the first of them.
     */
    static any(signals: Iterable<AbortSignal>): AbortSignal;
    /** @type {((event: { type: 'abort', target: AbortSignal }) => void) | null} */
    onabort: ((event: {
        type: "abort";
        target: AbortSignal;
    }) => void) | null;
    /** True when it is time to give up. */
    get aborted(): boolean;
    /** Why. */
    get reason(): unknown;
    /** @internal Milliseconds that are left, if there is a limit. */
    get left(): number | undefined;
    /** Throws the reason when it is time to give up. */
    throwIfAborted(): void;
    /**
     * @param {'abort'} type
     * @param {(event: { type: 'abort', target: AbortSignal }) => void} listener Is called once.
     */
    addEventListener(type: "abort", listener: (event: {
        type: "abort";
        target: AbortSignal;
    }) => void): void;
    /**
     * @param {'abort'} type
     * @param {(event: { type: 'abort', target: AbortSignal }) => void} listener
     */
    removeEventListener(type: "abort", listener: (event: {
        type: "abort";
        target: AbortSignal;
    }) => void): void;
    /** @internal @param {unknown} reason */
    abort(reason: unknown): void;
    #private;
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
    signal: AbortSignal;
    /** @param {unknown} [reason] Why. */
    abort(reason?: unknown): void;
}
