//! Hangman: guess a word letter by letter before six misses. A game lasts over a dropped session, the score for good.
//!
//! `game` holds the rules, `words` the words, `score` who has won how often. This file is the conversation.

mod game;
mod score;
mod words;

use game::Game;
use vumi_sdk::dialogue::*;
use vumi_sdk::prelude::*;

/// The conversation.
fn hangman() -> Dialogue {
    Dialogue::new("hangman")
        .state(
            Menu::new("menu", "Hangman: guess the word before you hang.")
                .option("Play", "guess")
                .option("My score", "score")
                .option("How to play", "rules"),
        )
        .state(
            FreeText::new("guess", "A letter, or the whole word?")
                .on_enter(begin)
                .text_with(|ctx| Ok(current(ctx)?.screen()))
                .validate_with(read)
                .next_with(["guess", "won", "lost"], judge),
        )
        .state(
            Menu::new("won", "Yes, {word}! You have won {wins} of {played}.")
                .option("Play again", "guess")
                .option("Stop", "bye"),
        )
        .state(
            Menu::new("lost", "You hang! It was {word}. You have won {wins} of {played}.")
                .option("Play again", "guess")
                .option("Stop", "bye"),
        )
        .state(
            Menu::new("score", "You have won {wins} of {played}. All players together have played {all}.")
                .on_enter(score::show)
                .option("Play", "guess")
                .back(),
        )
        .state(
            Booklet::new("rules", "I think of a word, you guess a letter. I show where it is in the word.")
                .page("Six letters that are not in it, and you hang. You may guess the whole word at any time.")
                .next("menu"),
        )
        .state(End::new("bye", "Goodbye. Dial again for another game!"))
}

/// A new game, unless one is under way.
fn begin(ctx: &mut Context<'_>) -> Result<()> {
    if ctx.answer::<Game>("game").is_none() {
        ctx.set("game", &Game::new(words::pick()))?;
    }
    Ok(())
}

fn current(ctx: &Context<'_>) -> Result<Game> {
    ctx.answer("game").ok_or_else(|| Error::new("there is no game under way"))
}

/// Whether this is a guess; else the user hears why not and tries again, without a miss.
fn read(ctx: &mut Context<'_>, input: &str) -> Result<String, Text> {
    let game = current(ctx).map_err(|error| Text::new(error.to_string()))?;
    let guess = input.to_lowercase();
    if !guess.chars().all(|c| c.is_ascii_lowercase()) {
        Err("Letters from a to z, please.".into())
    } else if game.tried.contains(&guess) {
        Err(t!("You have tried {guess} already.", guess = guess))
    } else if guess.len() != 1 && guess.len() != game.word.len() {
        Err(t!("One letter, or a word of {count} letters.", count = game.word.len()))
    } else {
        Ok(guess)
    }
}

/// Takes the guess, and says where that leads.
fn judge(ctx: &mut Context<'_>) -> Result<&'static str> {
    let mut game = current(ctx)?;
    game.tried.push(ctx.answer("guess").unwrap_or_default());
    if !game.is_over() {
        ctx.set("game", &game)?;
        return Ok("guess");
    }
    ctx.forget("game");
    ctx.set("word", &game.word)?;
    score::count(ctx, game.is_won())?;
    Ok(if game.is_won() { "won" } else { "lost" })
}

vumi_sdk::dialogue!(hangman);
