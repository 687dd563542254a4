// How console and util.inspect show a value: close to how Node.js does.
(function () {
  'use strict';

  function inspect(value, depth, seen) {
    depth = depth === undefined ? 2 : depth;
    switch (typeof value) {
      case 'string': return quote(value);
      case 'function': return /^class\b/.test(Function.prototype.toString.call(value))
        ? '[class ' + (value.name || '(anonymous)') + ']'
        : '[Function' + (value.name ? ': ' + value.name : ' (anonymous)') + ']';
      case 'bigint': return value + 'n';
      case 'number': return Object.is(value, -0) ? '-0' : String(value);
      case 'object': break;
      default: return String(value);
    }
    if (value === null) return 'null';
    if (value instanceof Date) return isNaN(value) ? 'Invalid Date' : value.toISOString();
    if (value instanceof RegExp) return String(value);
    if (value instanceof Error) return error(value);
    seen = seen || [];
    if (seen.indexOf(value) >= 0) return '[Circular *1]';
    const name = value.constructor && value.constructor.name;
    const inner = (item) => inspect(item, depth - 1, seen.concat([value]));
    if (Array.isArray(value)) {
      if (depth < 0) return '[Array]';
      const items = value.slice(0, 100).map(inner);
      if (value.length > 100) items.push('... ' + (value.length - 100) + ' more items');
      return join('[', items, ']');
    }
    if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      const items = Array.prototype.slice.call(value, 0, 50).map(String);
      if (value.length > 50) items.push('... ' + (value.length - 50) + ' more items');
      return join(name + '(' + value.length + ') [', items, ']');
    }
    if (value instanceof Promise) return 'Promise {}';
    if (depth < 0) return '[' + (name || 'Object') + ']';
    if (value instanceof Map) {
      return join('Map(' + value.size + ') {', Array.from(value, (pair) => inner(pair[0]) + ' => ' + inner(pair[1])), '}');
    }
    if (value instanceof Set) return join('Set(' + value.size + ') {', Array.from(value, inner), '}');
    const items = Object.keys(value).map((key) => {
      const shown = /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
      const property = Object.getOwnPropertyDescriptor(value, key);
      if (property && property.get) return shown + ': ' + (property.set ? '[Getter/Setter]' : '[Getter]');
      return shown + ': ' + inner(value[key]);
    });
    const prefix = name === undefined || name === null ? '[Object: null prototype] ' : name === 'Object' ? '' : name + ' ';
    return prefix + join('{', items, '}');
  }

  function quote(text) {
    const mark = text.indexOf("'") < 0 ? "'" : text.indexOf('"') < 0 ? '"' : text.indexOf('`') < 0 ? '`' : "'";
    return mark + JSON.stringify(text).slice(1, -1).replace(/\\"/g, '"').replace(mark === "'" ? /'/g : /(?!)/g, "\\'") + mark;
  }

  function error(value) {
    const head = value.name + (value.message ? ': ' + value.message : '');
    const stack = typeof value.stack === 'string' ? value.stack.replace(/\n+$/, '') : '';
    const text = stack.indexOf(head) === 0 ? stack : stack ? head + '\n' + stack : '[' + head + ']';
    const keys = Object.keys(value).filter((key) => key !== 'stack' && key !== 'message' && key !== 'name');
    return keys.length === 0 ? text
      : text + ' ' + join('{', keys.map((key) => key + ': ' + inspect(value[key], 1, [value])), '}');
  }

  function join(open, items, close) {
    if (items.length === 0) return open + close;
    const line = items.join(', ');
    return line.length <= 72 && line.indexOf('\n') < 0
      ? open + ' ' + line + ' ' + close
      : open + '\n  ' + items.join(',\n').replace(/\n/g, '\n  ') + '\n' + close;
  }

  return inspect;
})
