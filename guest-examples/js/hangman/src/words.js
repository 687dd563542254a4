// The words: the configured ones, or those that come with the game.

import { config } from '@vumi/sdk';

const WORDS = `airtime baobab bicycle breakfast bridge camera cassava charcoal classroom coconut cricket daylight elephant
  festival football giraffe harvest hospital journey kitchen lantern lightning mango market minibus monsoon mosquito
  notebook orchestra papaya pineapple rainbow saxophone shadow spinach sunflower teacher thunder umbrella village
  waterfall weather wildlife zebra`;

/** One of them. */
export function pick() {
  const configured = words(config('words') ?? '');
  const all = configured.length > 0 ? configured : words(WORDS);
  return all[Math.floor(Math.random() * all.length)];
}

/** Those of a text that can be guessed: letters from a to z, two at least. */
function words(text) {
  return text
    .toLowerCase()
    .split(/[,\s]+/)
    .filter((word) => /^[a-z]{2,}$/.test(word));
}
