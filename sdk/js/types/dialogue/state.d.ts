/**
 * The states of a dialogue: what each shows, takes and leads to. Methods change the state and give it back, to be written
 * one after another. Every function may be async.
 *
 * @module
 */
/** @typedef {import('./text.js').Text} Text */
/** @typedef {import('./context.js').Context} Context */
/** @typedef {'free-text' | 'choice' | 'menu' | 'paginated-choice' | 'booklet' | 'end'} Kind */
/** @typedef {(ctx: Context) => void | Promise<void>} Act What runs beside a state. */
/** @typedef {(ctx: Context) => string | Text | Promise<string | Text>} Say Makes a text. */
/**
 * One of the options of a choice: what is kept, what is shown, and where it leads, if not to the choice's `next`.
 *
 * @typedef {{ value: string, label: string | Text, to?: string }} Option
 */
/**
 * One of the options of a menu: what is shown, and where it leads.
 *
 * @typedef {{ label: string | Text, to: string }} MenuOption
 */
/**
 * @internal
 * @typedef {object} Parts
 * @property {string} name
 * @property {Kind} kind
 * @property {string | Text} text
 * @property {Say | undefined} say
 * @property {Array<string | Text>} pages The further pages of a booklet.
 * @property {Option[]} options
 * @property {((ctx: Context) => Option[] | Promise<Option[]>) | undefined} list
 * @property {string[]} mayLeadTo Where computed options may lead.
 * @property {string | undefined} next
 * @property {{ declared: readonly string[], route: (ctx: Context) => string | Promise<string> } | undefined} computed
 * @property {import('./check.js').Check | undefined} check
 * @property {number} perPage
 * @property {boolean} back
 * @property {boolean} restart
 * @property {boolean} setsLanguage
 * @property {Act | undefined} enter
 * @property {Act | undefined} leave
 */
/**
 * What all kinds of state share: {@link FreeText}, {@link Choice}, {@link PaginatedChoice}, {@link Menu},
 * {@link Booklet}, {@link End}.
 *
 * @example
 * import { End, State } from '@vumi/sdk';
 *
 * const hello = new End('hello', 'Hello.').onEnter((ctx) => ctx.set('greeted', true));
 * console.assert(hello instanceof State);
 */
export class State {
    /** @internal @param {string} name @param {Kind} kind @param {string | Text} text */
    constructor(name: string, kind: Kind, text: string | Text);
    /** @internal @type {Parts} */
    parts: Parts;
    /**
     * Runs when the state is entered, before its text is made: here belong requests and kv.
     *
     * @param {Act} act What to do.
     * @returns {this} For more.
     */
    onEnter(act: Act): this;
    /**
     * Makes the text. The text given to the constructor is then what is drawn.
     *
     * @param {Say} say Gives the text.
     * @returns {this} For more.
     */
    textWith(say: Say): this;
}
/** What all kinds of state share that lead somewhere. */
export class Step extends State {
    /**
     * Leads to this state.
     *
     * @param {string} state Its name.
     * @returns {this} For more.
     */
    next(state: string): this;
    /**
     * Leads to the state that a function names. It must be one of those declared, so that the dialogue can be drawn;
     * another one is an error.
     *
     * @template {string} Name
     * @param {readonly Name[]} declared Where it may lead.
     * @param {(ctx: Context) => NoInfer<Name> | Promise<NoInfer<Name>>} route Names the state.
     * @returns {this} For more.
     */
    nextWith<Name extends string>(declared: readonly Name[], route: (ctx: Context) => NoInfer<Name> | Promise<NoInfer<Name>>): this;
    /**
     * Runs after an answer was accepted and kept, before the next state is computed.
     *
     * @param {Act} act What to do.
     * @returns {this} For more.
     */
    onLeave(act: Act): this;
    /**
     * Offers `0. Back` where there is a state before.
     *
     * @returns {this} For more.
     */
    back(): this;
    /**
     * Offers `00. Start again` where there is a state before.
     *
     * @returns {this} For more.
     */
    restart(): this;
}
/**
 * Asks for any text.
 *
 * @example
 * import { check, FreeText, refuse } from '@vumi/sdk';
 *
 * const age = new FreeText('age', 'How old are you?').validate(check.number(1, 120)).next('thanks');
 * const pin = new FreeText('pin', 'Choose a PIN of four digits.')
 *   .validate((text) => (/^[0-9]{4}$/.test(text) ? text : refuse('Four digits, please.')))
 *   .next('thanks');
 */
export class FreeText extends Step {
    /** @param {string} name The state's name. @param {string | Text} text The question. */
    constructor(name: string, text: string | Text);
    /**
     * Checks the answer: gives what is to be kept, or `refuse(…)` with the reason why the user is asked again. `check` has
     * the usual ones.
     *
     * @param {import('./check.js').Check} check Gets the text, without the white space around it, and the conversation.
     * @returns {this} For more.
     */
    validate(check: import("./check.js").Check): this;
}
/**
 * Asks to choose one of a few; what was chosen is kept.
 *
 * @example
 * import { Choice } from '@vumi/sdk';
 *
 * const size = new Choice('size', 'Which size?').option('s', 'Small').option('l', 'Large').next('colour');
 * const member = new Choice('member', 'Are you a member?')
 *   .optionTo('yes', 'Yes', 'number')
 *   .option('no', 'No')
 *   .next('colour');
 */
export class Choice extends Step {
    /** @param {string} name The state's name. @param {string | Text} text The question. */
    constructor(name: string, text: string | Text);
    /**
     * An option.
     *
     * @param {string} value What is kept.
     * @param {string | Text} label What is shown.
     * @returns {this} For more.
     */
    option(value: string, label: string | Text): this;
    /**
     * An option that leads to a state of its own.
     *
     * @param {string} value What is kept.
     * @param {string | Text} label What is shown.
     * @param {string} state Where it leads.
     * @returns {this} For more.
     */
    optionTo(value: string, label: string | Text, state: string): this;
    /**
     * Computes the options, which follow those that are written down. Asked when the screen is shown, and again when the
     * answer comes: it must give the same both times.
     *
     * @param {(ctx: Context) => Option[] | Promise<Option[]>} list Gives them.
     * @returns {this} For more.
     */
    optionsWith(list: (ctx: Context) => Option[] | Promise<Option[]>): this;
    /**
     * What is chosen becomes the user's language.
     *
     * @returns {this} For more.
     */
    setsLanguage(): this;
}
/**
 * Asks to choose one of many, a few on each page.
 *
 * @example
 * import { PaginatedChoice } from '@vumi/sdk';
 *
 * const town = new PaginatedChoice('town', 'Where do you live?')
 *   .perPage(5)
 *   .optionsWith(() => ['Arusha', 'Dodoma', 'Moshi'].map((town) => ({ value: town, label: town })))
 *   .next('thanks');
 */
export class PaginatedChoice extends Choice {
    /**
     * @param {number} count At most so many options on a page; 8 unless given.
     * @returns {this} For more.
     */
    perPage(count: number): this;
}
/**
 * Asks where to go; each option leads to a state of its own.
 *
 * @example
 * import { Menu } from '@vumi/sdk';
 *
 * const menu = new Menu('menu', 'Welcome.').option('Register', 'name').option('Opening hours', 'hours');
 */
export class Menu extends Step {
    /** @param {string} name The state's name. @param {string | Text} text What stands above the options. */
    constructor(name: string, text: string | Text);
    /**
     * An option.
     *
     * @param {string | Text} label What is shown.
     * @param {string} state Where it leads.
     * @returns {this} For more.
     */
    option(label: string | Text, state: string): this;
    /**
     * Computes the options, which follow those that are written down. See {@link Choice.optionsWith}.
     *
     * @param {readonly string[]} declared Where they may lead, so that the dialogue can be drawn.
     * @param {(ctx: Context) => MenuOption[] | Promise<MenuOption[]>} list Gives them.
     * @returns {this} For more.
     */
    optionsWith(declared: readonly string[], list: (ctx: Context) => MenuOption[] | Promise<MenuOption[]>): this;
}
/**
 * Shows pages of text, one at a time.
 *
 * @example
 * import { Booklet } from '@vumi/sdk';
 *
 * const help = new Booklet('help', 'Wash your hands.')
 *   .page('Boil the water.')
 *   .page('Sleep under a net.')
 *   .next('menu');
 */
export class Booklet extends Step {
    /** @param {string} name The state's name. @param {string | Text} text The first page. */
    constructor(name: string, text: string | Text);
    /**
     * A further page.
     *
     * @param {string | Text} text What it says.
     * @returns {this} For more.
     */
    page(text: string | Text): this;
}
/**
 * Shows a text, and ends the conversation.
 *
 * @example
 * import { End } from '@vumi/sdk';
 *
 * const bye = new End('bye', 'Thank you, {name}. Goodbye.');
 */
export class End extends State {
    /** @param {string} name The state's name. @param {string | Text} text The last words. */
    constructor(name: string, text: string | Text);
}
export type Text = import("./text.js").Text;
export type Context = import("./context.js").Context;
export type Kind = "free-text" | "choice" | "menu" | "paginated-choice" | "booklet" | "end";
/**
 * What runs beside a state.
 */
export type Act = (ctx: Context) => void | Promise<void>;
/**
 * Makes a text.
 */
export type Say = (ctx: Context) => string | Text | Promise<string | Text>;
/**
 * One of the options of a choice: what is kept, what is shown, and where it leads, if not to the choice's `next`.
 */
export type Option = {
    value: string;
    label: string | Text;
    to?: string;
};
/**
 * One of the options of a menu: what is shown, and where it leads.
 */
export type MenuOption = {
    label: string | Text;
    to: string;
};
export type Parts = {
    name: string;
    kind: Kind;
    text: string | Text;
    say: Say | undefined;
    /**
     * The further pages of a booklet.
     */
    pages: Array<string | Text>;
    options: Option[];
    list: ((ctx: Context) => Option[] | Promise<Option[]>) | undefined;
    /**
     * Where computed options may lead.
     */
    mayLeadTo: string[];
    next: string | undefined;
    computed: {
        declared: readonly string[];
        route: (ctx: Context) => string | Promise<string>;
    } | undefined;
    check: import("./check.js").Check | undefined;
    perPage: number;
    back: boolean;
    restart: boolean;
    setsLanguage: boolean;
    enter: Act | undefined;
    leave: Act | undefined;
};
