/**
 * Names and addresses of hosts, after the URL standard.
 *
 * @module
 */

/**
 * A host as the standard writes it: names in lower case, IPv4 addresses in four decimal numbers, IPv6 addresses
 * shortened.
 *
 * @internal
 * @param {string} text
 * @param {boolean} special Whether the scheme is one of the web's.
 * @returns {string}
 */
export function readHost(text, special) {
  if (text.startsWith('[')) return `[${ipv6(text.slice(1, -1), text)}]`;
  if (!special) {
    if (/[\0\t\n\r #/:<>?@[\\\]^|]/.test(text)) throw new TypeError(`"${text}" is no name of a host`);
    return text;
  }
  const name = decode(text).toLowerCase();
  if (/[^\x21-\x7e]/.test(name)) {
    throw new TypeError(`the name "${text}" holds a letter outside ASCII: write it in punycode (xn--…)`);
  }
  if (/[#%/:<>?@[\\\]^|]/.test(name)) throw new TypeError(`"${text}" is no name of a host`);
  return ipv4(name) ?? name;
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError(`"${text}" is no name of a host`);
  }
}

/** A name whose last part is a number is an address. @param {string} name @returns {string | undefined} */
function ipv4(name) {
  const parts = name.split('.');
  if (parts.length > 1 && parts.at(-1) === '') parts.pop();
  const last = parts.at(-1) ?? '';
  if (!/^[0-9]+$|^0x[0-9a-f]*$/.test(last)) return undefined;
  const numbers = parts.map(number);
  const wrong = numbers.some((value, index) => Number.isNaN(value) || (index < numbers.length - 1 && value > 255));
  const end = numbers.pop() ?? 0;
  if (wrong || numbers.length > 3 || end >= 256 ** (4 - numbers.length)) {
    throw new TypeError(`"${name}" is no address of a host`);
  }
  const whole = numbers.reduce((sum, value, index) => sum + value * 256 ** (3 - index), end);
  return [3, 2, 1, 0].map((place) => Math.floor(whole / 256 ** place) % 256).join('.');
}

/** @param {string} text */
function number(text) {
  if (/^0x[0-9a-f]*$/.test(text)) return text === '0x' ? 0 : Number.parseInt(text, 16);
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  return /^(0|[1-9][0-9]*)$/.test(text) ? Number(text) : Number.NaN;
}

/** @param {string} text @param {string} shown */
function ipv6(text, shown) {
  const wrong = () => new TypeError(`"${shown}" is no address of a host`);
  // An IPv4 address at the end stands for two pieces.
  const tail = /^(.*:)([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$/.exec(text);
  let pieces = text;
  if (tail !== null) {
    const bytes = tail.slice(2).map((byte) => (/^(0|[1-9][0-9]{0,2})$/.test(byte) ? Number(byte) : 256));
    if (bytes.some((byte) => byte > 255)) throw wrong();
    const [a = 0, b = 0, c = 0, d = 0] = bytes;
    pieces = `${tail[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const halves = pieces.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const [before = [], after] = halves;
  const missing = 8 - before.length - (after?.length ?? 0);
  if (halves.length > 2 || (after === undefined ? missing !== 0 : missing < 1)) throw wrong();
  const all = [...before, ...Array(after === undefined ? 0 : missing).fill('0'), ...(after ?? [])];
  if (!all.every((piece) => /^[0-9a-fA-F]{1,4}$/.test(piece))) throw wrong();
  return shortened(all.map((piece) => Number.parseInt(piece, 16)));
}

/** The longest run of zeros, if there is one of two or more, becomes `::`. @param {number[]} pieces */
function shortened(pieces) {
  let [best, length] = [-1, 1];
  for (let from = 0; from < 8; from += 1) {
    let to = from;
    while (to < 8 && pieces[to] === 0) to += 1;
    if (to - from > length) [best, length] = [from, to - from];
  }
  const hex = (/** @type {number[]} */ list) => list.map((piece) => piece.toString(16)).join(':');
  return best < 0 ? hex(pieces) : `${hex(pieces.slice(0, best))}::${hex(pieces.slice(best + length))}`;
}
