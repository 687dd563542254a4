// Timers and the queue of what comes next. `step` does one thing: it returns 0 when it did something, the milliseconds
// until the next timer when there is nothing to do before, -1 when nothing is left at all, -2 when the script is done.
(function (native) {
  'use strict';

  const IDLE = -1, DONE = -2;

  // What is due in this round: functions without arguments. A round takes what is due at its beginning, so that what
  // asks for itself again and again starves nobody.
  let round = [], at = 0;
  let immediates = [];
  let replies = [];
  // Sorted by time, then by age.
  const timers = [];
  let done = false;

  class Timeout {
    constructor(callback, args, every) {
      this._callback = callback;
      this._args = args;
      this._every = every;
      this._due = 0;
      this._kept = true;
    }
    ref() { this._kept = true; return this; }
    unref() { this._kept = false; return this; }
    hasRef() { return this._kept; }
    refresh() { unqueue(this); enqueue(this); return this; }
    close() { clear(this); return this; }
    [Symbol.toPrimitive]() { return number(this); }
  }

  // Some scripts keep a timer's number instead of the timer.
  const numbered = new Map();
  function number(timer) {
    if (timer._number === undefined) {
      timer._number = numbered.size + 1;
      numbered.set(timer._number, timer);
    }
    return timer._number;
  }

  function enqueue(timer) {
    timer._due = native.monotonic() + timer._every;
    let i = timers.length;
    while (i > 0 && timers[i - 1]._due > timer._due) i--;
    timers.splice(i, 0, timer);
  }

  function unqueue(timer) {
    const i = timers.indexOf(timer);
    if (i >= 0) timers.splice(i, 1);
  }

  function callable(callback) {
    if (typeof callback !== 'function') {
      throw new TypeError('The "callback" argument must be of type function. Received ' + typeof callback);
    }
  }

  function delay(ms) {
    ms = +ms;
    return ms >= 1 && ms <= 2147483647 ? ms : 1;
  }

  function setTimeout(callback, ms, ...args) {
    callable(callback);
    const timer = new Timeout(callback, args, delay(ms));
    enqueue(timer);
    return timer;
  }

  function setInterval(callback, ms, ...args) {
    const timer = setTimeout(callback, ms, ...args);
    timer._again = true;
    return timer;
  }

  function setImmediate(callback, ...args) {
    callable(callback);
    const immediate = { _callback: callback, _args: args };
    immediates.push(immediate);
    return immediate;
  }

  function clear(timer) {
    if (typeof timer === 'number' || typeof timer === 'string') timer = numbered.get(+timer);
    if (timer === null || typeof timer !== 'object') return;
    timer._callback = null;
    timer._again = false;
    unqueue(timer);
  }

  function take() {
    at = 0;
    round = [];
    if (timers.length > 0) {
      const now = native.monotonic();
      while (timers.length > 0 && timers[0]._due <= now) round.push(timers.shift());
    }
    if (immediates.length > 0) {
      round = round.concat(immediates);
      immediates = [];
    }
    if (replies.length > 0) {
      round = round.concat(replies);
      replies = [];
    }
    return round.length > 0;
  }

  function step() {
    if (done) return DONE;
    if (at >= round.length && !take()) {
      if (timers.length === 0 || !timers.some((timer) => timer._kept)) return IDLE;
      return Math.max(0.01, timers[0]._due - native.monotonic());
    }
    const task = round[at++];
    if (typeof task === 'function') {
      task();
    } else if (task._callback !== null) {
      if (task._again) enqueue(task);
      task._callback(...task._args);
    }
    return 0;
  }

  const globals = {
    setTimeout,
    clearTimeout: function clearTimeout(timer) { clear(timer); },
    setInterval,
    clearInterval: function clearInterval(timer) { clear(timer); },
    setImmediate,
    clearImmediate: function clearImmediate(immediate) { clear(immediate); },
  };
  for (const name of Object.keys(globals)) {
    Object.defineProperty(globalThis, name, {
      value: globals[name], writable: true, configurable: true, enumerable: false,
    });
  }

  return {
    step,
    // Answers come after everything that was there before them.
    reply(task) { replies.push(task); },
    finish() { done = true; },
  };
})
