/**
 * A quick look into a .po file: finds one plain text without reading the rest. A message needs a dozen texts of a file with
 * hundreds, and every message begins anew.
 *
 * @module
 */

/** @type {{ [letter: string]: string }} */
const ESCAPED = { '\n': '\\n', '\t': '\\t', '"': '\\"', '\\': '\\\\' };
/** @type {{ [code: string]: string }} */
const READ = { n: '\n', t: '\t', '"': '"', '\\': '\\' };

/**
 * Whether a file is written as gettext's tools write short texts: each `msgid` on one line, nothing indented, no escapes but
 * the usual ones. Of such a file a quick look says for certain what is not in it.
 *
 * @internal
 * @param {string} po
 * @returns {boolean}
 */
export function isRegular(po) {
  for (const odd of ['\r', '\n ', '\n\t', 'msgid  ', 'msgid\t', 'msgstr  ', 'msgstr\t'])
    if (po.includes(odd)) return false;
  // Of the header the msgid is empty; others begin so when they have several lines.
  const empty = 'msgid ""\n';
  for (let at = po.indexOf(empty); at >= 0; at = po.indexOf(empty, at + 1)) {
    if (!po.startsWith('msgstr', at + empty.length)) return false;
  }
  for (let at = po.indexOf('\\'); at >= 0; at = po.indexOf('\\', at + 2)) {
    if (READ[po[at + 1] ?? ''] === undefined) return false;
  }
  return true;
}

/**
 * The translation of a plain text in a regular file.
 *
 * @internal
 * @param {string} po
 * @param {string} id
 * @returns {{ text: string | undefined } | undefined} `undefined` when only a reading of the whole file can tell.
 */
export function quickFind(po, id) {
  const line = `msgid "${id.replace(/[\n\t"\\]/g, (letter) => ESCAPED[letter] ?? letter)}"\n`;
  let at = po.startsWith(line) ? 0 : po.indexOf(`\n${line}`) + 1;
  if (at === 0 && !po.startsWith(line)) return { text: undefined };
  const before = po.slice(po.lastIndexOf('\n\n', at) + 1, at);
  if (before.includes('msgctxt') || before.includes('#,') || before.includes('#~')) return undefined;
  at += line.length;
  const end = po.indexOf('\n', at);
  const [value, after] = end < 0 ? [po.slice(at), ''] : [po.slice(at, end), po[end + 1]];
  if (!value.startsWith('msgstr "') || !value.endsWith('"') || value.length < 9 || after === '"') return undefined;
  const text = value.slice(8, -1);
  if (text.includes('\\')) return { text: text.replace(/\\(.)/g, (_, code) => READ[code] ?? code) };
  return { text: text === '' ? undefined : text };
}
