/** @typedef {import('./context.js').Context} Context */
/** @typedef {import('./record.js').Record} Record */
/** @typedef {import('./state.js').State} State */
/** @typedef {import('./text.js').Text} Text */
/**
 * What a new session does with a conversation that has not ended: goes on with the same screen (`continue`), asks whether
 * to (`ask`), or starts again (`restart`).
 *
 * @typedef {'continue' | 'ask' | 'restart'} Resume
 */
/**
 * @internal
 * @typedef {object} Parts
 * @property {string} name
 * @property {number} version
 * @property {string | undefined} start
 * @property {State[]} states
 * @property {number} ttl Seconds.
 * @property {Resume} resume
 * @property {boolean} back
 * @property {boolean} restart
 * @property {number} ussdLimit
 * @property {number} smsSegments
 * @property {string} language
 * @property {Translations} translations
 * @property {Array<[string, string]>} keywords
 * @property {((record: Record) => boolean | Promise<boolean>) | undefined} migrate
 * @property {((ctx: Context) => void | Promise<void>) | undefined} close
 * @property {string | Text} errorText
 */
/**
 * A conversation, written down: states, and where each answer leads. Given to {@link app}, it is the whole application;
 * or let an application of your own call {@link Dialogue.answer}.
 *
 * @example
 * import { app, check, Choice, Dialogue, End, FreeText, Menu } from '@vumi/sdk';
 *
 * const clinic = new Dialogue('clinic')
 *   .start('menu')
 *   .state(new Menu('menu', 'Welcome to the clinic.').option('Register', 'name').option('Opening hours', 'hours'))
 *   .state(new FreeText('name', 'What is your name?').validate(check.length(2, 40)).next('sex'))
 *   .state(new Choice('sex', 'Are you').option('f', 'Female').option('m', 'Male').next('thanks'))
 *   .state(new End('hours', 'We are open from 8:00 to 16:00.'))
 *   .state(new End('thanks', 'Thank you, {name}. You are registered.'));
 *
 * export default app(clinic);
 */
export class Dialogue {
    /** @param {string} name For its owner: it stands in the log. */
    constructor(name: string);
    /** @internal @type {Parts} */
    parts: Parts;
    /**
     * @param {number} version Grows when conversations under way no longer fit; 1 unless given. They then start again,
     *   unless {@link Dialogue.migrate} makes them fit.
     * @returns {this} For more.
     */
    version(version: number): this;
    /**
     * Makes a conversation of an older version fit, and says whether it now does.
     *
     * @param {(record: Record) => boolean | Promise<boolean>} migrate Changes the record.
     * @returns {this} For more.
     */
    migrate(migrate: (record: Record) => boolean | Promise<boolean>): this;
    /**
     * @param {string} state Where it begins; the first state unless given.
     * @returns {this} For more.
     */
    start(state: string): this;
    /**
     * @param {State} state One more.
     * @returns {this} For more.
     */
    state(state: State): this;
    /**
     * @param {number} seconds How long a user's state is kept after the last message; 7 days unless given.
     * @returns {this} For more.
     */
    ttl(seconds: number): this;
    /**
     * @param {Resume} resume What a new session does with a conversation that has not ended; `continue` unless given.
     * @returns {this} For more.
     */
    onNew(resume: Resume): this;
    /**
     * Offers `0. Back` on every choice, menu, paginated choice and booklet.
     *
     * @returns {this} For more.
     */
    backEverywhere(): this;
    /**
     * Offers `00. Start again` on every choice, menu, paginated choice and booklet.
     *
     * @returns {this} For more.
     */
    restartEverywhere(): this;
    /**
     * @param {number} characters How many a screen may have within a session; 160 unless given.
     * @returns {this} For more.
     */
    ussdLimit(characters: number): this;
    /**
     * @param {number} segments How many SMS one answer may take outside a session; 4 unless given.
     * @returns {this} For more.
     */
    smsSegments(segments: number): this;
    /**
     * @param {string} language What the texts are written in; `en` unless given.
     * @returns {this} For more.
     */
    language(language: string): this;
    /**
     * @param {Translations} translations The texts in other languages.
     * @returns {this} For more.
     */
    translations(translations: Translations): this;
    /**
     * A word that leads to a state, sent at any time as the first word of a message.
     *
     * @param {string} word Of any case.
     * @param {string} state Where it leads.
     * @returns {this} For more.
     */
    keyword(word: string, state: string): this;
    /**
     * Runs when a session closes before an end was reached.
     *
     * @param {(ctx: Context) => void | Promise<void>} act What to do.
     * @returns {this} For more.
     */
    onClose(act: (ctx: Context) => void | Promise<void>): this;
    /**
     * @param {string | Text} text What the user is told when something fails.
     * @returns {this} For more.
     */
    errorText(text: string | Text): this;
    /**
     * Answers a message, and remembers where the user is. This is all that `app(dialogue)` does with it; an app that does
     * more calls it itself.
     *
     * @param {import('../message.js').Message} message What the user sent.
     * @returns {Promise<void>} When it is done.
     */
    answer(message: import("../message.js").Message): Promise<void>;
    /**
     * What {@link app} calls; the same as {@link Dialogue.answer}.
     *
     * @param {import('../message.js').Message} message What the user sent.
     * @returns {Promise<void>} When it is done.
     */
    onMessage(message: import("../message.js").Message): Promise<void>;
    /**
     * What is wrong with the dialogue, a sentence for each; empty when all is well. Worth a test in every app.
     *
     * @returns {string[]} The sentences.
     */
    problems(): string[];
    /**
     * What the dialogue looks like, for drawings and tests.
     *
     * @returns {import('./graph.js').Graph} Its states and the ways between them.
     */
    graph(): import("./graph.js").Graph;
    /** @internal Where it begins. */
    first(): string;
    /** @internal @param {string} name */
    find(name: string): import("./state.js").State | undefined;
    /** @internal The language of users who chose none. */
    ownLanguage(): string;
    /** @internal How long an answer to this message may be. @param {import('../message.js').Message} message */
    limit(message: import("../message.js").Message): {
        segments: number;
        characters?: never;
    } | {
        characters: number;
        segments?: never;
    };
    /** @internal The state that a keyword leads to. @param {import('../message.js').Message} message */
    keywordOf(message: import("../message.js").Message): string | undefined;
    #private;
}
export type Context = import("./context.js").Context;
export type Record = import("./record.js").Record;
export type State = import("./state.js").State;
export type Text = import("./text.js").Text;
/**
 * What a new session does with a conversation that has not ended: goes on with the same screen (`continue`), asks whether
 * to (`ask`), or starts again (`restart`).
 */
export type Resume = "continue" | "ask" | "restart";
export type Parts = {
    name: string;
    version: number;
    start: string | undefined;
    states: State[];
    /**
     * Seconds.
     */
    ttl: number;
    resume: Resume;
    back: boolean;
    restart: boolean;
    ussdLimit: number;
    smsSegments: number;
    language: string;
    translations: Translations;
    keywords: Array<[string, string]>;
    migrate: ((record: Record) => boolean | Promise<boolean>) | undefined;
    close: ((ctx: Context) => void | Promise<void>) | undefined;
    errorText: string | Text;
};
import { Translations } from './translations.js';
