//! Registration at a clinic by USSD: three languages, answers that are checked, a long list in pages, and a web service
//! that gets the registration. Who loses the connection goes on where they were.
//!
//! `checks` says which answers are right, `towns` where there are clinics, and `registration` brings it all to the web
//! service. The translations are in `locale/`. This file is the conversation.

mod checks;
mod registration;
mod towns;

use registration::Patient;
use vumi_sdk::dialogue::*;
use vumi_sdk::prelude::*;

/// The conversation.
fn clinic() -> Dialogue {
    Dialogue::new("clinic")
        .version(1)
        .on_new(Resume::Ask)
        .back_everywhere()
        .translations(
            Translations::new().po("sw", include_str!("../locale/sw.po")).po("zu", include_str!("../locale/zu.po")),
        )
        // The first screen, before a language is chosen, speaks all of them.
        .state(
            Choice::new("language", "Tumaini Clinics\nLanguage / Lugha / Ulimi:")
                .option("en", "English")
                .option("sw", "Kiswahili")
                .option("zu", "isiZulu")
                .sets_language()
                .next("menu"),
        )
        .state(
            Menu::new("menu", "Welcome to Tumaini Clinics. What would you like to do?")
                .options_with(["name", "number", "hours", "about"], menu),
        )
        .state(FreeText::new("name", "What is your full name?").validate(checks::name).next("birth"))
        .state(
            FreeText::new("birth", "When were you born? Day, month and year, such as 31-01-1990.")
                .validate_with(|ctx, input| checks::birth(input, checks::today(ctx.message())))
                .on_leave(|ctx| {
                    let born: String = ctx.answer("birth").unwrap_or_default();
                    ctx.set("day", &checks::shown(&born))
                })
                .next("sex"),
        )
        .state(
            Choice::new("sex", "Your sex?")
                .option("female", "Female")
                .option("male", "Male")
                .option("unsaid", "I would rather not say")
                .next("document"),
        )
        .state(
            Choice::new("document", "Which document do you have?")
                .option_to("id", "South African ID", "id-number")
                .option_to("passport", "Passport", "passport")
                .option("none", "None of these")
                .next("town"),
        )
        .state(
            FreeText::new("id-number", "What is your ID number? It has 13 digits.")
                .validate_with(|ctx, input| {
                    checks::id_number(input, &ctx.answer::<String>("birth").unwrap_or_default())
                })
                .next("town"),
        )
        .state(FreeText::new("passport", "What is your passport number?").validate(checks::passport).next("town"))
        .state(
            PaginatedChoice::new("town", "Where is your clinic?")
                .per_page(6)
                .options_with(|_| Ok(towns::all().map(|town| Opt::new(town, town)).collect()))
                .next("confirm"),
        )
        .state(
            Choice::new("confirm", "{name}, born on {day}, clinic in {town}. Is that right?")
                .option("yes", "Yes, register me")
                .option_to("no", "No, change it", "name")
                .next_with(["registered", "unsent", "refused"], registration::send),
        )
        .state(
            Choice::new(
                "unsent",
                "We cannot reach the clinic just now. Your answers are kept: try again, or dial again later.",
            )
            .option("again", "Try again")
            .next_with(["registered", "unsent", "refused"], registration::send),
        )
        .state(End::new("refused", "The clinic did not accept this. Please ask at the reception."))
        .state(End::new("registered", "Thank you, {name}. Your number is {patient}. Show it at the clinic in {town}."))
        .state(End::new("number", "{name}, your number is {patient} at the clinic in {town}.").on_enter(known))
        .state(End::new(
            "hours",
            "Monday to Friday 8:00 to 16:00, Saturday 8:00 to 12:00. For emergencies we are always open.",
        ))
        .state(
            Booklet::new("about", "Tumaini Clinics are in 18 towns. A nurse sees everybody, with or without papers.")
                .page("The first visit is free. Bring your number: it saves you the queue.")
                .page("What you tell us stays with us. Only your clinic sees it.")
                .next("menu"),
        )
}

/// Who is registered already is shown the number instead.
fn menu(ctx: &mut Context<'_>) -> Result<Vec<Opt>> {
    let first = match Patient::known(ctx.user())? {
        Some(_) => Opt::leading("My number", "number"),
        None => Opt::leading("Register", "name"),
    };
    Ok(vec![first, Opt::leading("Opening hours", "hours"), Opt::leading("About us", "about")])
}

/// Fills the screen with what was registered, perhaps long ago.
fn known(ctx: &mut Context<'_>) -> Result<()> {
    match Patient::known(ctx.user())? {
        Some(patient) => patient.fill(ctx),
        None => Err(Error::new("there is no registration")),
    }
}

vumi_sdk::dialogue!(clinic);
