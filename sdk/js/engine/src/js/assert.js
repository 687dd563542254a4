// The module `assert` of Node.js, as far as libraries and tests use it.
(function (inspect) {
  'use strict';

  class AssertionError extends Error {
    constructor(options) {
      super(options.message !== undefined ? String(options.message)
        : inspect(options.actual) + ' ' + options.operator + ' ' + inspect(options.expected));
      this.generatedMessage = options.message === undefined;
      this.name = 'AssertionError';
      this.code = 'ERR_ASSERTION';
      this.actual = options.actual;
      this.expected = options.expected;
      this.operator = options.operator;
    }
  }

  function fail(actual, expected, message, operator) {
    if (message instanceof Error) throw message;
    throw new AssertionError({ actual, expected, message, operator });
  }

  function equal(a, b, strict, seen) {
    if (strict ? Object.is(a, b) : a == b || (a !== a && b !== b)) return true;
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
    if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    if (a instanceof Date && b instanceof Date) { if (a.getTime() !== b.getTime()) return false; }
    if (a instanceof RegExp && b instanceof RegExp) return String(a) === String(b);
    if (a instanceof Error && b instanceof Error && (a.message !== b.message || a.name !== b.name)) return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    if (seen.some((pair) => pair[0] === a && pair[1] === b)) return true;
    seen = seen.concat([[a, b]]);
    if (a instanceof Map || b instanceof Map || a instanceof Set || b instanceof Set) {
      return a.constructor === b.constructor && a.size === b.size
        && equal(Array.from(a), Array.from(b), strict, seen);
    }
    const keys = Object.keys(a), others = Object.keys(b);
    return keys.length === others.length && keys.every((key) =>
      Object.prototype.hasOwnProperty.call(b, key) && equal(a[key], b[key], strict, seen));
  }

  function matches(error, expected, message) {
    if (expected === undefined) return;
    if (expected instanceof RegExp) {
      if (!expected.test(String(error))) fail(error, expected, message, 'throws');
    } else if (typeof expected === 'function') {
      if (expected.prototype !== undefined && error instanceof expected) return;
      if (Error.isPrototypeOf(expected)) throw error;
      if (expected.call({}, error) !== true) fail(error, expected, message, 'throws');
    } else {
      for (const key of Object.keys(expected)) {
        const same = expected[key] instanceof RegExp && typeof error[key] === 'string'
          ? expected[key].test(error[key]) : equal(error[key], expected[key], true, []);
        if (!same) fail(error, expected, message, 'throws');
      }
    }
  }

  function assert(value, message) { if (!value) fail(value, true, message, '=='); }

  return Object.assign(assert, {
    AssertionError,
    ok: assert,
    fail(message) { fail(undefined, undefined, message === undefined ? 'Failed' : message, 'fail'); },
    equal(a, b, message) { if (!(a == b || (a !== a && b !== b))) fail(a, b, message, '=='); },
    notEqual(a, b, message) { if (a == b) fail(a, b, message, '!='); },
    strictEqual(a, b, message) { if (!Object.is(a, b)) fail(a, b, message, 'strictEqual'); },
    notStrictEqual(a, b, message) { if (Object.is(a, b)) fail(a, b, message, 'notStrictEqual'); },
    deepEqual(a, b, message) { if (!equal(a, b, false, [])) fail(a, b, message, 'deepEqual'); },
    notDeepEqual(a, b, message) { if (equal(a, b, false, [])) fail(a, b, message, 'notDeepEqual'); },
    deepStrictEqual(a, b, message) { if (!equal(a, b, true, [])) fail(a, b, message, 'deepStrictEqual'); },
    notDeepStrictEqual(a, b, message) { if (equal(a, b, true, [])) fail(a, b, message, 'notDeepStrictEqual'); },
    match(text, pattern, message) { if (!pattern.test(text)) fail(text, pattern, message, 'match'); },
    ifError(value) { if (value !== null && value !== undefined) throw value; },
    throws(work, expected, message) {
      if (typeof expected === 'string') { message = expected; expected = undefined; }
      try { work(); } catch (error) { matches(error, expected, message); return; }
      fail(undefined, expected, message === undefined ? 'Missing expected exception.' : message, 'throws');
    },
    doesNotThrow(work, message) {
      try { work(); } catch (error) {
        fail(error, undefined, 'Got unwanted exception.' + (typeof message === 'string' ? ' ' + message : '')
          + '\nActual message: "' + (error && error.message) + '"', 'doesNotThrow');
      }
    },
  });
})
