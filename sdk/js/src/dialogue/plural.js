/**
 * The rule by which a language counts: the C expression of a gettext file's `Plural-Forms`. It is read here, never run as
 * JavaScript.
 *
 * @module
 */

/**
 * Operators by how tightly they bind, the loosest first.
 *
 * @type {Array<Record<string, (a: number, b: number) => number>>}
 */
const LEVELS = [
  { '||': (a, b) => Number(a !== 0 || b !== 0) },
  { '&&': (a, b) => Number(a !== 0 && b !== 0) },
  { '==': (a, b) => Number(a === b), '!=': (a, b) => Number(a !== b) },
  {
    '<=': (a, b) => Number(a <= b),
    '>=': (a, b) => Number(a >= b),
    '<': (a, b) => Number(a < b),
    '>': (a, b) => Number(a > b),
  },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': (a, b) => Math.trunc(a / b), '%': (a, b) => a % b },
];

/** Deepest nesting; the rules of real languages have five. */
const DEEPEST = 40;

/**
 * What a rule gives for a number: the index of the form.
 *
 * @internal
 * @param {string} rule
 * @param {number} n
 * @returns {number | undefined} `undefined` when it is no expression, or divides by zero.
 */
export function pluralIndex(rule, n) {
  const reader = new Reader(rule, Math.abs(Math.trunc(n)));
  const index = reader.choice();
  return reader.atEnd && Number.isInteger(index) ? index : undefined;
}

/** Reads and computes in one go; what cannot be read is not a number. */
class Reader {
  #tokens;
  #at = 0;
  #depth = 0;
  #n;

  /** @param {string} text @param {number} n */
  constructor(text, n) {
    this.#tokens = text.match(/[0-9]+|n|\|\||&&|[=!<>]=|[-+*/%<>!?:()]|\S/g) ?? [];
    this.#n = n;
  }

  get atEnd() {
    return this.#at === this.#tokens.length;
  }

  /** @param {string} token */
  #takes(token) {
    const is = this.#tokens[this.#at] === token;
    this.#at += Number(is);
    return is;
  }

  /** @returns {number} `a ? b : c` */
  choice() {
    this.#depth += 1;
    if (this.#depth > DEEPEST) return Number.NaN;
    let value = this.#level(0);
    if (this.#takes('?')) {
      const yes = this.choice();
      const no = this.#takes(':') ? this.choice() : Number.NaN;
      // Both must be readable, whichever is taken.
      value = Number.isNaN(value + yes + no) ? Number.NaN : value === 0 ? no : yes;
    }
    this.#depth -= 1;
    return value;
  }

  /** @param {number} depth @returns {number} */
  #level(depth) {
    const operators = LEVELS[depth];
    if (operators === undefined) return this.#single();
    let left = this.#level(depth + 1);
    for (;;) {
      const operator = operators[this.#tokens[this.#at] ?? ''];
      if (operator === undefined) return left;
      this.#at += 1;
      const right = this.#level(depth + 1);
      left = Number.isFinite(left + right) ? operator(left, right) : Number.NaN;
    }
  }

  /** @returns {number} */
  #single() {
    if (this.#takes('!')) {
      const value = this.#single();
      return Number.isNaN(value) ? value : Number(value === 0);
    }
    if (this.#takes('(')) {
      const value = this.choice();
      return this.#takes(')') ? value : Number.NaN;
    }
    if (this.#takes('n')) return this.#n;
    const token = this.#tokens[this.#at] ?? '';
    this.#at += 1;
    return /^[0-9]+$/.test(token) ? Number(token) : Number.NaN;
  }
}
