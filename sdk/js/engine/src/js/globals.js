// Globals that browsers and Node.js have and QuickJS lacks.
(function (native, inspect) {
  'use strict';

  function define(name, value) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  }

  define('global', globalThis);

  // Console: each call is one entry of the log.
  const format = native.format = function format(values) {
    let text = '';
    let i = 0;
    if (typeof values[0] === 'string' && values.length > 1) {
      i = 1;
      text = values[0].replace(/%[sdifjoO%]/g, (place) => {
        if (place === '%%') return '%';
        if (i >= values.length) return place;
        const value = values[i++];
        switch (place) {
          case '%s': return typeof value === 'object' && value !== null ? inspect(value) : String(value);
          case '%d': return String(typeof value === 'object' ? NaN : Number(value));
          case '%i': return String(parseInt(value, 10));
          case '%f': return String(parseFloat(value));
          case '%j': return JSON.stringify(value);
          default: return inspect(value);
        }
      });
    }
    for (; i < values.length; i++) {
      if (i > 0) text += ' ';
      text += typeof values[i] === 'string' ? values[i] : inspect(values[i]);
    }
    return text;
  };

  let indent = '';
  const counts = Object.create(null), began = Object.create(null);
  function entry(level, values) {
    let text = format(values);
    if (indent !== '') text = indent + text.replace(/\n/g, '\n' + indent);
    native.print(level, text);
  }
  define('console', {
    log(...values) { entry('info', values); },
    info(...values) { entry('info', values); },
    debug(...values) { entry('debug', values); },
    warn(...values) { entry('warning', values); },
    error(...values) { entry('error', values); },
    trace(...values) { entry('error', ['Trace: ' + format(values) + '\n' + new Error().stack]); },
    dir(value) { entry('info', [inspect(value)]); },
    table(value) { entry('info', [inspect(value)]); },
    assert(condition, ...values) {
      if (!condition) entry('error', ['Assertion failed' + (values.length > 0 ? ': ' + format(values) : '')]);
    },
    group(...values) {
      if (values.length > 0) entry('info', values);
      indent += '  ';
    },
    groupCollapsed(...values) { this.group(...values); },
    groupEnd() { indent = indent.slice(2); },
    count(label = 'default') {
      counts[label] = (counts[label] || 0) + 1;
      entry('info', [label + ': ' + counts[label]]);
    },
    countReset(label = 'default') { counts[label] = 0; },
    time(label = 'default') { began[label] = native.monotonic(); },
    timeLog(label = 'default', ...values) {
      entry('info', [label + ': ' + (native.monotonic() - began[label]).toFixed(3) + 'ms', ...values]);
    },
    timeEnd(label = 'default') {
      this.timeLog(label);
      delete began[label];
    },
  });

  // Numbers that differ from run to run.
  Object.defineProperty(Math, 'random', {
    value: function random() { return native.random(); }, writable: true, configurable: true, enumerable: false,
  });
  define('crypto', {
    getRandomValues(array) {
      if (!ArrayBuffer.isView(array) || array instanceof Float32Array || array instanceof Float64Array) {
        throw new TypeError('getRandomValues needs an array of integers');
      }
      if (array.byteLength > 65536) {
        throw new RangeError('getRandomValues gives at most 65536 bytes at a time');
      }
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(native.randomBytes(array.byteLength));
      return array;
    },
    randomUUID() {
      const bytes = native.randomBytes(16);
      bytes[6] = (bytes[6] & 0x0f) | 0x40;
      bytes[8] = (bytes[8] & 0x3f) | 0x80;
      let text = '';
      for (let i = 0; i < 16; i++) {
        if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
        text += (bytes[i] + 0x100).toString(16).slice(1);
      }
      return text;
    },
  });
  const origin = {};
  define('performance', {
    now() {
      // Counted from the first look: a script sees how long something took, not how old the machine is.
      if (origin.at === undefined) origin.at = native.monotonic();
      return native.monotonic() - origin.at;
    },
    get timeOrigin() { return Date.now() - this.now(); },
    mark() {},
    measure() {},
  });

  // Text and bytes.
  class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') { return native.encode(String(text)); }
    encodeInto(text, target) {
      let read = 0, written = 0;
      for (const sign of String(text)) {
        const bytes = native.encode(sign);
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        written += bytes.length;
        read += sign.length;
      }
      return { read, written };
    }
  }
  define('TextEncoder', TextEncoder);

  const LABELS = {
    'utf-8': 'utf-8', utf8: 'utf-8', 'unicode-1-1-utf-8': 'utf-8',
    'latin1': 'windows-1252', 'iso-8859-1': 'windows-1252', ascii: 'windows-1252', 'us-ascii': 'windows-1252',
    'windows-1252': 'windows-1252', 'utf-16le': 'utf-16le', 'utf-16': 'utf-16le',
  };
  class TextDecoder {
    constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
      this.encoding = LABELS[String(label).trim().toLowerCase()];
      if (this.encoding === undefined) throw new RangeError('TextDecoder does not know the encoding ' + label);
      this.fatal = !!fatal;
      this.ignoreBOM = !!ignoreBOM;
      this._rest = null;
    }
    decode(input, { stream = false } = {}) {
      let bytes = input === undefined ? new Uint8Array(0)
        : ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
        : new Uint8Array(input);
      if (this._rest !== null) {
        const all = new Uint8Array(this._rest.length + bytes.length);
        all.set(this._rest);
        all.set(bytes, this._rest.length);
        bytes = all;
        this._rest = null;
      }
      if (stream) {
        const whole = this.encoding === 'utf-8' ? wholeUtf8(bytes) : bytes.length & ~1;
        this._rest = bytes.slice(whole);
        bytes = bytes.subarray(0, whole);
      }
      const text = native.decode(bytes, this.encoding, this.fatal);
      return !this.ignoreBOM && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    }
  }
  define('TextDecoder', TextDecoder);

  // How many bytes do not end within a character.
  function wholeUtf8(bytes) {
    for (let back = 1; back <= 3 && back <= bytes.length; back++) {
      const byte = bytes[bytes.length - back];
      if (byte >= 0xc0) {
        const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
        return length > back ? bytes.length - back : bytes.length;
      }
      if (byte < 0x80) break;
    }
    return bytes.length;
  }

  if (typeof globalThis.structuredClone !== 'function') {
    define('structuredClone', function structuredClone(value) { return clone(value, new Map()); });
  }
  function clone(value, seen) {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw new DOMException(String(value) + ' could not be cloned.', 'DataCloneError');
    }
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const kept = (copy) => { seen.set(value, copy); return copy; };
    if (Array.isArray(value)) {
      const copy = kept([]);
      for (let i = 0; i < value.length; i++) copy[i] = clone(value[i], seen);
      return copy;
    }
    if (value instanceof Date) return kept(new Date(value.getTime()));
    if (value instanceof RegExp) return kept(new RegExp(value.source, value.flags));
    if (value instanceof ArrayBuffer) return kept(value.slice(0));
    if (ArrayBuffer.isView(value)) {
      const buffer = clone(value.buffer, seen);
      return kept(value instanceof DataView
        ? new DataView(buffer, value.byteOffset, value.byteLength)
        : new value.constructor(buffer, value.byteOffset, value.length));
    }
    if (value instanceof Map) {
      const copy = kept(new Map());
      value.forEach((item, key) => copy.set(clone(key, seen), clone(item, seen)));
      return copy;
    }
    if (value instanceof Set) {
      const copy = kept(new Set());
      value.forEach((item) => copy.add(clone(item, seen)));
      return copy;
    }
    if (value instanceof Error) {
      const Kind = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError }[value.name] || Error;
      const copy = kept(new Kind(value.message));
      copy.stack = value.stack;
      return copy;
    }
    const copy = kept({});
    for (const key of Object.keys(value)) copy[key] = clone(value[key], seen);
    return copy;
  }
})
