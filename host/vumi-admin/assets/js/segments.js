// How long a text is on a mobile network: GSM 03.38 (3GPP TS 23.038 section 6.2.1) or UCS-2, and into how many short
// messages it is cut (3GPP TS 23.040 section 9.2.3.24: a header of 6 octets takes 7 septets from each part).

const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
// These cost two septets, an escape and a code, and the pair stays in one part.
const EXTENDED = new Set("^{}\\[~]|€\f");

const GSM = { encoding: "GSM 7-bit", single: 160, part: 153, ussd: 182 };
const UCS2 = { encoding: "UCS-2", single: 70, part: 67, ussd: 80 };

/** The alphabet that a text needs, and what each of its characters costs. A surrogate pair costs two and stays whole. */
function spell(text) {
  const characters = [...text];
  if (characters.every((c) => BASIC.has(c) || EXTENDED.has(c))) {
    return { alphabet: GSM, costs: characters.map((c) => (EXTENDED.has(c) ? 2 : 1)) };
  }
  return { alphabet: UCS2, costs: characters.map((c) => c.length) };
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** A text as SMS: its encoding, its units (septets or 16-bit units), the units that fit, and the number of messages. */
export function measureSms(text) {
  const { alphabet, costs } = spell(text);
  const units = sum(costs);
  if (units <= alphabet.single) return { encoding: alphabet.encoding, units, capacity: alphabet.single, segments: 1 };
  let segments = 1;
  let used = 0;
  for (const cost of costs) {
    if (used + cost > alphabet.part) {
      segments += 1;
      used = 0;
    }
    used += cost;
  }
  return { encoding: alphabet.encoding, units, capacity: segments * alphabet.part, segments };
}

/** A text as one USSD screen of 160 octets: its units and how many fit. */
export function measureUssd(text) {
  const { alphabet, costs } = spell(text);
  return { encoding: alphabet.encoding, units: sum(costs), capacity: alphabet.ussd };
}
