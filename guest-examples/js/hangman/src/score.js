// Who has won how often: a key for each player, and one that all games count up.
//
// The messages of one player are handled in order, so a player's own key may be read, changed and written. The common one
// is changed by many at once: `kv.incr` does that in one step.

import { kv, metrics } from '@vumi/sdk';

const key = (ctx) => `score:${ctx.user}`;

/** Counts a game, and keeps the numbers for the screen. */
export function count(ctx, isWon) {
  const score = load(ctx);
  score.played += 1;
  score.won += isWon ? 1 : 0;
  kv.set(key(ctx), score);
  kv.incr('games');
  metrics.count(isWon ? 'games.won' : 'games.lost');
  fill(ctx, score);
}

/** Fetches the numbers for the screen. */
export function show(ctx) {
  ctx.set('all', kv.get('games') ?? 0);
  fill(ctx, load(ctx));
}

function load(ctx) {
  return kv.get(key(ctx)) ?? { won: 0, played: 0 };
}

function fill(ctx, { won, played }) {
  ctx.set('wins', won);
  ctx.set('played', played);
}
