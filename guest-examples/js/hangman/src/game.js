// The rules: a word, what was tried, and what follows from that.

/** So many misses, and it is lost. */
const MISSES = 6;

/** A game with this word, in small letters. `tried` has the guesses so far, in order: letters and whole words. */
export function newGame(word) {
  return { word, tried: [] };
}

/** Guesses that were wrong. */
function misses({ word, tried }) {
  return tried.filter((guess) => (guess.length === 1 ? !word.includes(guess) : guess !== word));
}

function isKnown({ word, tried }, letter) {
  return tried.includes(letter) || tried.includes(word);
}

/** Whether the word has been found. */
export function isWon(game) {
  return [...game.word].every((letter) => isKnown(game, letter));
}

/** Whether there is nothing left to guess. */
export function isOver(game) {
  return isWon(game) || misses(game).length >= MISSES;
}

/** What the player sees. */
export function screen(game) {
  const shown = [...game.word].map((letter) => (isKnown(game, letter) ? letter : '_')).join(' ');
  const wrong = misses(game);
  const left = MISSES - wrong.length;
  const lines = [shown];
  if (wrong.length > 0) lines.push(`Wrong: ${wrong.join(', ')}`);
  lines.push(`${left} ${left === 1 ? 'miss' : 'misses'} left. A letter, or the whole word?`);
  return lines.join('\n');
}
