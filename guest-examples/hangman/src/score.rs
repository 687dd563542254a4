//! Who has won how often: a key for each player, and one that all games count up.
//!
//! The messages of one player are handled in order, so a player's own key may be read, changed and written. The common
//! one is changed by many at once: `kv::incr` does that in one step.

use serde::{Deserialize, Serialize};
use vumi_sdk::dialogue::Context;
use vumi_sdk::prelude::*;

#[derive(Default, Serialize, Deserialize)]
struct Score {
    won: u32,
    played: u32,
}

/// Counts a game, and keeps the numbers for the screen.
pub fn count(ctx: &mut Context<'_>, is_won: bool) -> Result<()> {
    let key = key(ctx);
    let mut score: Score = kv::get(&key)?.unwrap_or_default();
    score.played += 1;
    score.won += u32::from(is_won);
    kv::set(&key, &score)?;
    kv::incr("games", 1)?;
    metrics::count(if is_won { "games.won" } else { "games.lost" })?;
    fill(ctx, &score)
}

/// Fetches the numbers for the screen.
pub fn show(ctx: &mut Context<'_>) -> Result<()> {
    let score: Score = kv::get(&key(ctx))?.unwrap_or_default();
    ctx.set("all", &kv::get::<u64>("games")?.unwrap_or(0))?;
    fill(ctx, &score)
}

fn fill(ctx: &mut Context<'_>, score: &Score) -> Result<()> {
    ctx.set("wins", &score.won)?;
    ctx.set("played", &score.played)
}

fn key(ctx: &Context<'_>) -> String {
    format!("score:{}", ctx.user())
}
