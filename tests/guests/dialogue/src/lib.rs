//! A dialogue with every kind of state. What the tests vary (version, expiry, what a new session does) comes from its
//! configuration.

use std::time::Duration;

use vumi_sdk::dialogue::*;
use vumi_sdk::prelude::*;

const TOWNS: [&str; 10] =
    ["Arusha", "Bukoba", "Dodoma", "Iringa", "Kigoma", "Lindi", "Mbeya", "Moshi", "Mwanza", "Zanzibar"];

const TERMS: &str = "We keep your name, your town and how many children you have, for as long as you are registered. \
                     Nobody but the clinic sees them. Write to us whenever you want to be forgotten, and we forget you \
                     within a day. Do you agree?";

fn every_kind() -> Dialogue {
    Dialogue::new("every-kind")
        .version(number("version").unwrap_or(1))
        .ttl(Duration::from_secs(number("ttl").unwrap_or(600).into()))
        .on_new(match config("on_new").as_deref() {
            Some("ask") => Resume::Ask,
            Some("restart") => Resume::Restart,
            _ => Resume::Continue,
        })
        .migrate(|record| {
            // Version 2 renames a state; version 3 starts everybody again.
            let fits = record.version == 1 && number("version") == Some(2);
            if fits && record.state.as_deref() == Some("surname") {
                record.state = Some("name".into());
            }
            fits
        })
        .translations(Translations::new().po("sw", include_str!("sw.po")).map("fr", &[("Your name?", "Votre nom ?")]))
        .keyword("STOP", "stopped")
        .on_close(|ctx| {
            kv::incr("closed", 1)?;
            info!("closed at {}", ctx.state());
            Ok(())
        })
        .start("menu")
        .state(
            Menu::new("menu", "What would you like?")
                .option("Register", "name")
                .option(tc!("menu", "Tips"), "tips")
                .option("Towns", "town")
                .option("Terms", "terms")
                .option("Language", "lang")
                .option("Fail", "broken"),
        )
        .state(FreeText::new("name", "Your name?").validate(check::length(2..=20)).back().next("age"))
        .state(
            FreeText::new("age", "Your age?")
                .validate(check::number(1..=120))
                .on_leave(|ctx| {
                    let age: i64 = ctx.answer("age").unwrap_or_default();
                    ctx.set("older", &(age + 1))
                })
                .next("children"),
        )
        .state(
            Choice::new("children", "Next year you are {older}. Children?")
                .option_to("0", "None", "bye")
                .option("1", "One")
                .option("2", "Two")
                .back()
                .restart()
                .next_with(["registered"], |ctx| {
                    kv::incr("patients", 1)?;
                    ctx.set("done", &true)?;
                    Ok("registered")
                }),
        )
        .state(End::new("registered", "{name}, {n} children.").text_with(|ctx| {
            let children: String = ctx.answer("children").unwrap_or_default();
            Ok(tn!("{name}, {n} child.", "{name}, {n} children.", children.parse().unwrap_or_default()))
        }))
        .state(Booklet::new("tips", "Wash your hands.").page("Boil the water.").page("Sleep under a net.").next("menu"))
        .state(
            PaginatedChoice::new("town", "Which town?")
                .per_page(4)
                .options_with(|_| Ok(TOWNS.map(|town| Opt::new(town, town)).to_vec()))
                .next_with(["island", "bye"], |ctx| {
                    Ok(if ctx.answer::<String>("town").as_deref() == Some("Zanzibar") { "island" } else { "bye" })
                }),
        )
        .state(End::new("island", "{town} is an island."))
        .state(Choice::new("terms", TERMS).option("yes", "I agree").option("no", "I do not").back().next("bye"))
        .state(
            Choice::new("lang", "Which language?")
                .option("en", "English")
                .option("sw", "Kiswahili")
                .option("fr", "Français")
                .sets_language()
                .next("menu"),
        )
        .state(End::new("broken", "Never shown.").on_enter(|_| Err(Error::new("on purpose"))))
        .state(End::new("bye", "Goodbye."))
        .state(End::new("stopped", "You get no more messages."))
}

/// A number of the configuration.
fn number(key: &str) -> Option<u32> {
    config(key)?.parse().ok()
}

vumi_sdk::dialogue!(every_kind);

#[cfg(test)]
mod tests {
    #[test]
    fn it_makes_sense() {
        assert_eq!(super::every_kind().problems(), Vec::<String>::new());
    }
}
