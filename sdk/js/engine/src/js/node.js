// What Vumi's runner had from Node.js, for an app context to hand on: `require` and `process`. The modules are those of
// npm that were put into the engine when it was built, and a few of Node.js itself.
(function (native, inspect, assert) {
  'use strict';

  const process = {
    argv: ['node', 'sandboxer.js'],
    env: {},
    pid: 1,
    platform: 'linux',
    arch: 'wasm32',
    version: 'v20.0.0',
    versions: { node: '20.0.0' },
    title: 'node',
    browser: false,
    exitCode: undefined,
    nextTick(callback, ...args) { queueMicrotask(() => { callback(...args); }); },
    exit(status) { native.exit(status === undefined ? (this.exitCode | 0) : status | 0); },
    abort() { native.exit(134); },
    cwd() { return '/'; },
    uptime() { return native.monotonic() / 1000; },
    hrtime: Object.assign(function hrtime(before) {
      const now = native.monotonic();
      let seconds = Math.floor(now / 1000), nanoseconds = Math.floor((now % 1000) * 1e6);
      if (before) {
        seconds -= before[0];
        nanoseconds -= before[1];
        if (nanoseconds < 0) { seconds--; nanoseconds += 1e9; }
      }
      return [seconds, nanoseconds];
    }, { bigint() { return BigInt(Math.floor(native.monotonic() * 1e6)); } }),
    memoryUsage() { return { rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }; },
    emitWarning(text) { console.warn(String(text)); },
    stdout: stream('info'),
    stderr: stream('error'),
    on() { return this; },
    once() { return this; },
    off() { return this; },
    addListener() { return this; },
    removeListener() { return this; },
    removeAllListeners() { return this; },
    emit() { return false; },
    listeners() { return []; },
    [Symbol.toStringTag]: 'process',
  };

  // Lines, as they are completed.
  function stream(level) {
    let rest = '';
    return {
      isTTY: false,
      write(text) {
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        if (lines.length > 0) native.print(level, lines.join('\n'));
        return true;
      },
    };
  }

  // Files that were put in: path to source; and the modules that were loaded from them.
  const files = new Map();
  const loaded = new Map();

  const util = {
    inspect: (value, options) => inspect(value, options && options.depth === null ? Infinity : options && options.depth),
    format: (...values) => native.format(values),
    inherits(child, parent) {
      Object.defineProperty(child, 'super_', { value: parent, writable: true, configurable: true });
      Object.setPrototypeOf(child.prototype, parent.prototype);
    },
    deprecate: (callback) => callback,
    debuglog: () => () => {},
    promisify: (callback) => function (...args) {
      return new Promise((resolve, reject) => {
        callback.call(this, ...args, (error, value) => { if (error) reject(error); else resolve(value); });
      });
    },
    callbackify: (make) => function (...args) {
      const callback = args.pop();
      make.apply(this, args).then((value) => process.nextTick(callback, null, value),
        (error) => process.nextTick(callback, error || new Error('rejected')));
    },
    isArray: Array.isArray,
    isDeepStrictEqual: (a, b) => JSON.stringify(a) === JSON.stringify(b),
    isError: (value) => value instanceof Error,
    isDate: (value) => value instanceof Date,
    isRegExp: (value) => value instanceof RegExp,
    isFunction: (value) => typeof value === 'function',
    isString: (value) => typeof value === 'string',
    isNumber: (value) => typeof value === 'number',
    isBoolean: (value) => typeof value === 'boolean',
    isObject: (value) => value !== null && typeof value === 'object',
    isUndefined: (value) => value === undefined,
    isNull: (value) => value === null,
    isNullOrUndefined: (value) => value === null || value === undefined,
    TextEncoder,
    TextDecoder,
  };
  const timers = { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate };
  const built = { util, timers, process, console, assert };
  // npm's packages of the same names as modules of Node.js, where these differ.
  const NAMES = { path: 'path-browserify' };

  function failure(name, from) {
    const error = new Error("Cannot find module '" + name + "'" + (from ? '\nRequire stack:\n- ' + from : ''));
    error.code = 'MODULE_NOT_FOUND';
    return error;
  }

  // A path without `.` and `..`.
  function straight(path) {
    const parts = [];
    for (const part of path.split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '.' && part !== '') parts.push(part);
    }
    return '/' + parts.join('/');
  }

  function file(path) {
    for (const end of ['', '.js', '.json', '/index.js']) {
      if (files.has(path + end)) return path + end;
    }
    const manifest = files.get(path + '/package.json');
    if (manifest !== undefined) {
      const main = JSON.parse(manifest).main || 'index.js';
      for (const end of ['', '.js', '/index.js']) {
        const found = straight(path + '/' + main + end);
        if (files.has(found)) return found;
      }
    }
    return undefined;
  }

  function resolve(name, folder) {
    if (/^\.{0,2}\//.test(name)) return file(straight((name[0] === '/' ? '' : folder + '/') + name));
    for (let at = folder; ; at = at.slice(0, at.lastIndexOf('/'))) {
      const found = file(at + '/node_modules/' + name);
      if (found !== undefined || at === '') return found;
    }
  }

  function load(path) {
    let module = loaded.get(path);
    if (module !== undefined) return module.exports;
    const source = files.get(path);
    module = { id: path, filename: path, exports: {}, loaded: false, children: [], parent: null };
    loaded.set(path, module);
    // What ran is not needed as text any more.
    files.set(path, '');
    try {
      if (path.slice(-5) === '.json') {
        module.exports = JSON.parse(source);
      } else {
        const folder = path.slice(0, path.lastIndexOf('/'));
        const run = native.compile(path, source);
        run.call(module.exports, module.exports, require_from(folder, path), module, path, folder,
          process, globalThis, buffer());
      }
    } catch (error) {
      loaded.delete(path);
      files.set(path, source);
      throw error;
    }
    module.loaded = true;
    return module.exports;
  }

  let buffers;
  function buffer() {
    if (buffers === undefined) {
      buffers = {};
      const path = resolve('buffer', '');
      if (path !== undefined) buffers = load(path);
    }
    return buffers.Buffer;
  }

  function require_from(folder, from) {
    function require(name) {
      name = String(name);
      if (name.slice(0, 5) === 'node:') name = name.slice(5);
      if (Object.prototype.hasOwnProperty.call(built, name)) return built[name];
      const path = resolve(NAMES[name] || name, folder);
      if (path === undefined) throw failure(name, from);
      return load(path);
    }
    require.resolve = (name) => {
      const path = resolve(name, folder);
      if (path === undefined) throw failure(name, from);
      return path;
    };
    require.cache = {};
    return require;
  }

  const require = require_from('', '');
  return {
    // Puts a file in.
    put(path, source) { files.set(path, source); },
    built,
    // What the app context of an old script sees, in the order in which `machine.rs` names it.
    scope() { return [require, process, buffer(), { exports: {} }, {}, '/sandboxer.js', '/']; },
    require,
  };
})
