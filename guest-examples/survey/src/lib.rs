//! A survey by USSD or SMS: the questions stand in the app's configuration, the answers go to a web service. Who loses
//! the connection goes on with the same question, also days later.
//!
//! `questions` reads the configuration, `answers` sends what was answered. This file makes a conversation of both.

mod answers;
mod questions;

use questions::{Kind, Question, Questions};
use vumi_sdk::dialogue::*;
use vumi_sdk::prelude::*;

/// The conversation.
fn survey() -> Dialogue {
    let dialogue = Dialogue::new("survey").ttl(std::time::Duration::from_secs(30 * 24 * 60 * 60));
    match Questions::configured() {
        Ok(questions) => asking(dialogue, &questions),
        // The user reads that something went wrong; the log says what.
        Err(error) => dialogue
            .state(End::new("broken", "There is no survey at the moment.").on_enter(move |_| Err(error.clone()))),
    }
}

fn asking(dialogue: Dialogue, questions: &Questions) -> Dialogue {
    let first = questions.first();
    let mut dialogue = dialogue
        .state(
            Choice::new("consent", "Water in your village: a few short questions. Shall we begin?")
                .text_with(|ctx| answers::greeting(ctx.user()))
                .option_to("yes", "Begin", first.clone())
                .option_to("no", "Not now", "later")
                // Each option has its own way; this one is never taken.
                .next(first),
        )
        .state(End::new("later", "That is fine. Come back whenever you like."));
    for question in &questions.0 {
        dialogue = dialogue.state(state(question, questions));
    }
    dialogue
        .state(
            Choice::new(
                "unsent",
                "We cannot take your answers just now. They are kept: try again, or come back later.",
            )
            .option("again", "Try again")
            .next_with(["thanks", "unsent"], {
                let questions = questions.clone();
                move |ctx| answers::send(ctx, &questions)
            }),
        )
        .state(End::new("thanks", "Thank you! Your answers help us to bring better water."))
}

/// The state of a question. Which question follows depends on the answers: those that may are declared.
fn state(question: &Question, questions: &Questions) -> State {
    let (name, ask) = (question.state(), question.ask.clone());
    let ways = questions.may_follow(&question.id);
    let all = questions.clone();
    let here = question.id.clone();
    let next = move |ctx: &mut Context<'_>| -> Result<String> {
        match all.next(&here, |id| ctx.answer::<serde_json::Value>(&questions::state(id))) {
            Some(question) => Ok(question.state()),
            None => answers::send(ctx, &all).map(str::to_owned),
        }
    };
    match &question.kind {
        Kind::Number(min, max) => {
            FreeText::new(name, ask).validate(check::number(*min..=*max)).back().next_with(ways, next).into()
        }
        Kind::Text(longest) => {
            FreeText::new(name, ask).validate(check::length(1..=*longest)).back().next_with(ways, next).into()
        }
        Kind::Options(options) => {
            let choice = Choice::new(name, ask).back().next_with(ways, next);
            options.iter().cloned().fold(choice, |choice, (value, label)| choice.option(value, label)).into()
        }
    }
}

vumi_sdk::dialogue!(survey);
