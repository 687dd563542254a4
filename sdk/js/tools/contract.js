// The text of types/contract.d.ts, from the host's contract (wit/*.wit): the records, enums and variants that JavaScript sees.
//
// It reads as much of WIT as the contract uses. A field that it does not understand is an error, not a guess.

import { readFileSync } from 'node:fs';

const WIT = new URL('../../../wit/', import.meta.url);
const MADE = new URL('../types/contract.d.ts', import.meta.url);

/** What goes into the file: interface, the type in it, and what TypeScript calls it. */
const WANTED = [
  ['types', 'session-event', 'SessionEvent'],
  ['types', 'message', 'MessageFields'],
  ['types', 'delivery-status', 'DeliveryStatus'],
  ['types', 'event', 'EventFields'],
  ['types', 'error', 'ErrorFields'],
  ['log', 'level', 'Level'],
  ['metrics', 'aggregator', 'Aggregator'],
  ['http', 'method', 'HttpMethod'],
  ['http', 'http-request', 'HttpRequestFields'],
  ['http', 'http-response', 'HttpResponseFields'],
];

/**
 * A field whose variant scripts see as several fields: which case it is, and what each case carries, `null` in the others.
 * Apps ask for one of them, and seldom for all.
 */
const FLAT = { kind: { ack: 'sentMessageId', nack: 'reason', 'delivery-report': 'deliveryStatus' } };

/** The types that JavaScript has for WIT's own. */
const PLAIN = {
  string: 'string',
  bool: 'boolean',
  u16: 'number',
  u32: 'number',
  s64: 'number',
  f64: 'number',
  'list<u8>': 'Uint8Array',
};

const camel = (name) => name.replace(/^%/, '').replace(/-(.)/g, (_, letter) => letter.toUpperCase());

/** The text between the braces that open at or after `from`. */
function braces(text, from) {
  const begin = text.indexOf('{', from);
  let depth = 0;
  for (let at = begin; at < text.length; at += 1) {
    // Braces in comments (examples in JSON) do not count.
    if (text.startsWith('//', at)) at = text.indexOf('\n', at);
    if (text[at] === '{') depth += 1;
    if (text[at] === '}' && (depth -= 1) === 0) return text.slice(begin + 1, at);
  }
  throw new Error(`a brace is not closed: ${text.slice(from, from + 60)}`);
}

/** A type of an interface: its kind, its documentation and its members with theirs. */
function find(name) {
  const [from, type] = name;
  const text = readFileSync(new URL(`${from}.wit`, WIT), 'utf8');
  const whole = braces(text, text.search(new RegExp(`^interface ${from} `, 'm')));
  const head = new RegExp(`((?: *///.*\\n)*) *(record|enum|variant) ${type} `).exec(whole);
  if (head === null) throw new Error(`${from}.wit has no type \`${type}\``);
  return { kind: head[2], docs: docs(head[1]), members: members(braces(whole, head.index + head[0].length - 1)) };
}

const docs = (lines) =>
  lines
    .split('\n')
    .map((line) => line.trim().replace(/^\/\/\/ ?/, ''))
    .filter((line) => line !== '');

function members(body) {
  const found = [];
  let comment = '';
  for (const line of body
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')) {
    if (line.startsWith('///')) comment += `${line}\n`;
    else {
      const parts = /^(%?[a-z][a-z0-9-]*)(?:: (.*?)|\((.*?)\))?,?$/.exec(line);
      if (parts === null) throw new Error(`not understood: ${line}`);
      found.push({ name: parts[1], type: parts[2] ?? parts[3], docs: docs(comment) });
      comment = '';
    }
  }
  return found;
}

function typeOf(wit) {
  if (PLAIN[wit] !== undefined) return PLAIN[wit];
  const wrapped = /^(option|list)<(.*)>$/.exec(wit);
  if (wrapped?.[1] === 'option') return `${typeOf(wrapped[2])} | null`;
  if (wrapped?.[1] === 'list') return `Array<${typeOf(wrapped[2])}>`;
  const tuple = /^tuple<(.*)>$/.exec(wit);
  if (tuple !== null) return `[${tuple[1].split(', ').map(typeOf).join(', ')}]`;
  const named = WANTED.find(([, name]) => name === wit);
  if (named === undefined) throw new Error(`a type that is not understood: ${wit}`);
  return named[2];
}

function comment(lines, indent) {
  if (lines.length === 0) return '';
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

function declaration(wanted) {
  const { kind, docs, members } = find(wanted);
  const head = `${comment(docs, '')}export `;
  if (kind === 'record') {
    const fields = members.map((field) =>
      FLAT[field.name] === undefined
        ? fieldOf(field.docs, camel(field.name), typeOf(field.type))
        : flat(wanted[0], field),
    );
    return `${head}interface ${wanted[2]} {\n${fields.join('')}}\n`;
  }
  if (kind === 'enum') {
    const words = members.map((member) => `${comment(member.docs, '  ')}  | '${member.name}'`);
    return `${head}type ${wanted[2]} =\n${words.join('\n')};\n`;
  }
  const cases = members.map(
    (member) => `${comment(member.docs, '  ')}  | { tag: '${member.name}'; val: ${typeOf(member.type)} }`,
  );
  return `${head}type ${wanted[2]} =\n${cases.join('\n')};\n`;
}

function fieldOf(docs, name, type) {
  return `${comment(docs, '  ')}  ${name}: ${type};\n`;
}

function flat(from, field) {
  const cases = find([from, field.type]);
  const names = FLAT[field.name];
  const words = cases.members.map((member) => `'${member.name}'`).join(' | ');
  const parts = cases.members.map((member) =>
    fieldOf(member.docs, names[member.name], `${typeOf(member.type)} | null`),
  );
  return fieldOf(cases.docs, camel(field.name), words) + parts.join('');
}

export const text = `// Made from wit/*.wit by tools/types.js. Do not edit.

${WANTED.map(declaration).join('\n')}`;

export const file = MADE;
