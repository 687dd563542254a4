// Hangman: guess a word letter by letter before six misses. A game lasts over a dropped session, the score for good.
//
// game.js holds the rules, words.js the words, score.js who has won how often. This file is the conversation.

import { app, Booklet, Dialogue, End, FreeText, Menu, refuse, t } from '@vumi/sdk';

import { isOver, isWon, newGame, screen } from './game.js';
import * as score from './score.js';
import { pick } from './words.js';

const hangman = new Dialogue('hangman')
  .state(
    new Menu('menu', 'Hangman: guess the word before you hang.')
      .option('Play', 'guess')
      .option('My score', 'score')
      .option('How to play', 'rules'),
  )
  .state(
    new FreeText('guess', 'A letter, or the whole word?')
      .onEnter(begin)
      .textWith((ctx) => screen(ctx.answer('game')))
      .validate(read)
      .nextWith(['guess', 'won', 'lost'], judge),
  )
  .state(
    new Menu('won', 'Yes, {word}! You have won {wins} of {played}.')
      .option('Play again', 'guess')
      .option('Stop', 'bye'),
  )
  .state(
    new Menu('lost', 'You hang! It was {word}. You have won {wins} of {played}.')
      .option('Play again', 'guess')
      .option('Stop', 'bye'),
  )
  .state(
    new Menu('score', 'You have won {wins} of {played}. All players together have played {all}.')
      .onEnter(score.show)
      .option('Play', 'guess')
      .back(),
  )
  .state(
    new Booklet('rules', 'I think of a word, you guess a letter. I show where it is in the word.')
      .page('Six letters that are not in it, and you hang. You may guess the whole word at any time.')
      .next('menu'),
  )
  .state(new End('bye', 'Goodbye. Dial again for another game!'));

/** A new game, unless one is under way. */
function begin(ctx) {
  if (ctx.answer('game') === undefined) ctx.set('game', newGame(pick()));
}

/** Whether this is a guess; else the user hears why not and tries again, without a miss. */
function read(text, ctx) {
  const game = ctx.answer('game');
  const guess = text.toLowerCase();
  if (!/^[a-z]+$/.test(guess)) return refuse('Letters from a to z, please.');
  if (game.tried.includes(guess)) return refuse(t('You have tried {guess} already.', { guess }));
  if (guess.length !== 1 && guess.length !== game.word.length) {
    return refuse(t('One letter, or a word of {count} letters.', { count: game.word.length }));
  }
  return guess;
}

/** Takes the guess, and says where that leads. */
function judge(ctx) {
  const game = ctx.answer('game');
  game.tried.push(ctx.answer('guess'));
  if (!isOver(game)) {
    ctx.set('game', game);
    return 'guess';
  }
  ctx.forget('game');
  ctx.set('word', game.word);
  score.count(ctx, isWon(game));
  return isWon(game) ? 'won' : 'lost';
}

export default app(hangman);
