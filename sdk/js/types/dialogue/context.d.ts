/**
 * The conversation that a function is asked about: who, what was answered so far, in which language.
 *
 * @example
 * import { FreeText, kv } from '@vumi/sdk';
 *
 * const name = new FreeText('name', 'Your name?')
 *   .onLeave((ctx) => {
 *     kv.set(`name:${ctx.user}`, ctx.answer('name'));
 *     ctx.set('number', kv.incr('members'));
 *   })
 *   .next('thanks');
 */
export class Context {
    /**
     * @internal
     * @param {import('./dialogue.js').Dialogue} dialogue
     * @param {import('../message.js').Message} message
     * @param {import('./record.js').Record} record
     */
    constructor(dialogue: import("./dialogue.js").Dialogue, message: import("../message.js").Message, record: import("./record.js").Record);
    /** @internal @type {import('./record.js').Record} */
    record: import("./record.js").Record;
    /** The user's address. */
    get user(): string;
    /** The message that is being handled. */
    get message(): import("../message.js").Message;
    /** The current state's name; empty before the first. */
    get state(): string;
    /**
     * The answer to a state, or what {@link Context.set} kept.
     *
     * @template [T=any]
     * @param {string} name The state's name, or the key.
     * @returns {T | undefined} `undefined` when there is none. TypeScript takes your word for what it is.
     */
    answer<T = any>(name: string): T | undefined;
    /**
     * Keeps a value among the answers, until the conversation ends or starts again.
     *
     * @param {string} name Its key.
     * @param {unknown} value Anything that JSON can write.
     */
    set(name: string, value: unknown): void;
    /**
     * Forgets an answer.
     *
     * @param {string} name The state's name, or the key.
     * @returns {boolean} True when there was one.
     */
    forget(name: string): boolean;
    /** The user's language: what was chosen, else the app's configuration key `lang`, else the dialogue's. */
    get lang(): string;
    /**
     * Chooses the user's language. It stays when the conversation ends or starts again.
     *
     * @param {string} lang Its code.
     */
    setLang(lang: string): void;
    /**
     * A text in the user's language, filled in.
     *
     * @param {string | Text} text As it is written in the app.
     * @returns {string} What is shown.
     */
    tr(text: string | Text): string;
    #private;
}
import { Text } from './text.js';
