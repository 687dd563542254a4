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
  /** @internal @type {Parts} */
  parts;

  /** @internal @param {string} name @param {Kind} kind @param {string | Text} text */
  constructor(name, kind, text) {
    this.parts = {
      name,
      kind,
      text,
      say: undefined,
      pages: [],
      options: [],
      list: undefined,
      mayLeadTo: [],
      next: undefined,
      computed: undefined,
      check: undefined,
      perPage: Number.MAX_SAFE_INTEGER,
      back: false,
      restart: false,
      setsLanguage: false,
      enter: undefined,
      leave: undefined,
    };
  }

  /**
   * Runs when the state is entered, before its text is made: here belong requests and kv.
   *
   * @param {Act} act What to do.
   * @returns {this} For more.
   */
  onEnter(act) {
    this.parts.enter = act;
    return this;
  }

  /**
   * Makes the text. The text given to the constructor is then what is drawn.
   *
   * @param {Say} say Gives the text.
   * @returns {this} For more.
   */
  textWith(say) {
    this.parts.say = say;
    return this;
  }
}

/** What all kinds of state share that lead somewhere. */
export class Step extends State {
  /**
   * Leads to this state.
   *
   * @param {string} state Its name.
   * @returns {this} For more.
   */
  next(state) {
    this.parts.next = state;
    this.parts.computed = undefined;
    return this;
  }

  /**
   * Leads to the state that a function names. It must be one of those declared, so that the dialogue can be drawn;
   * another one is an error.
   *
   * @template {string} Name
   * @param {readonly Name[]} declared Where it may lead.
   * @param {(ctx: Context) => NoInfer<Name> | Promise<NoInfer<Name>>} route Names the state.
   * @returns {this} For more.
   */
  nextWith(declared, route) {
    this.parts.next = undefined;
    this.parts.computed = { declared, route };
    return this;
  }

  /**
   * Runs after an answer was accepted and kept, before the next state is computed.
   *
   * @param {Act} act What to do.
   * @returns {this} For more.
   */
  onLeave(act) {
    this.parts.leave = act;
    return this;
  }

  /**
   * Offers `0. Back` where there is a state before.
   *
   * @returns {this} For more.
   */
  back() {
    this.parts.back = true;
    return this;
  }

  /**
   * Offers `00. Start again` where there is a state before.
   *
   * @returns {this} For more.
   */
  restart() {
    this.parts.restart = true;
    return this;
  }
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
  constructor(name, text) {
    super(name, 'free-text', text);
  }

  /**
   * Checks the answer: gives what is to be kept, or `refuse(…)` with the reason why the user is asked again. `check` has
   * the usual ones.
   *
   * @param {import('./check.js').Check} check Gets the text, without the white space around it, and the conversation.
   * @returns {this} For more.
   */
  validate(check) {
    this.parts.check = check;
    return this;
  }
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
  constructor(name, text) {
    super(name, 'choice', text);
  }

  /**
   * An option.
   *
   * @param {string} value What is kept.
   * @param {string | Text} label What is shown.
   * @returns {this} For more.
   */
  option(value, label) {
    this.parts.options.push({ value, label });
    return this;
  }

  /**
   * An option that leads to a state of its own.
   *
   * @param {string} value What is kept.
   * @param {string | Text} label What is shown.
   * @param {string} state Where it leads.
   * @returns {this} For more.
   */
  optionTo(value, label, state) {
    this.parts.options.push({ value, label, to: state });
    return this;
  }

  /**
   * Computes the options, which follow those that are written down. Asked when the screen is shown, and again when the
   * answer comes: it must give the same both times.
   *
   * @param {(ctx: Context) => Option[] | Promise<Option[]>} list Gives them.
   * @returns {this} For more.
   */
  optionsWith(list) {
    this.parts.list = list;
    return this;
  }

  /**
   * What is chosen becomes the user's language.
   *
   * @returns {this} For more.
   */
  setsLanguage() {
    this.parts.setsLanguage = true;
    return this;
  }
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
  /** @param {string} name The state's name. @param {string | Text} text The question. */
  constructor(name, text) {
    super(name, text);
    this.parts.kind = 'paginated-choice';
    this.parts.perPage = 8;
  }

  /**
   * @param {number} count At most so many options on a page; 8 unless given.
   * @returns {this} For more.
   */
  perPage(count) {
    this.parts.perPage = Math.max(1, count);
    return this;
  }
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
  constructor(name, text) {
    super(name, 'menu', text);
  }

  /**
   * An option.
   *
   * @param {string | Text} label What is shown.
   * @param {string} state Where it leads.
   * @returns {this} For more.
   */
  option(label, state) {
    this.parts.options.push({ value: state, label, to: state });
    return this;
  }

  /**
   * Computes the options, which follow those that are written down. See {@link Choice.optionsWith}.
   *
   * @param {readonly string[]} declared Where they may lead, so that the dialogue can be drawn.
   * @param {(ctx: Context) => MenuOption[] | Promise<MenuOption[]>} list Gives them.
   * @returns {this} For more.
   */
  optionsWith(declared, list) {
    this.parts.mayLeadTo = [...declared];
    this.parts.list = async (ctx) => (await list(ctx)).map(({ label, to }) => ({ value: to, label, to }));
    return this;
  }
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
  constructor(name, text) {
    super(name, 'booklet', text);
  }

  /**
   * A further page.
   *
   * @param {string | Text} text What it says.
   * @returns {this} For more.
   */
  page(text) {
    this.parts.pages.push(text);
    return this;
  }
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
  constructor(name, text) {
    super(name, 'end', text);
  }
}
