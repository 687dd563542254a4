//! The kinds of state, as an app writes them down.

use serde::Serialize;

use super::state::{Kind, Name, Next, Opt, State, names};
use super::{Context, Text};
use crate::Result;

/// What all kinds of state share.
macro_rules! every_state {
    ($($kind:ident),*) => {$(
        impl $kind {
            /// Runs when the state is entered, before its text is made: here belong requests and kv.
            pub fn on_enter(mut self, act: impl Fn(&mut Context<'_>) -> Result<()> + 'static) -> Self {
                self.0.enter = Some(Box::new(act));
                self
            }

            /// Makes the text. The text given to `new` is then what is drawn.
            pub fn text_with<T: Into<Text>>(mut self, say: impl Fn(&mut Context<'_>) -> Result<T> + 'static) -> Self {
                self.0.say = Some(Box::new(move |ctx| say(ctx).map(Into::into)));
                self
            }
        }

        impl From<$kind> for State {
            fn from(state: $kind) -> Self {
                state.0
            }
        }
    )*};
}

/// What all kinds of state share that lead somewhere.
macro_rules! every_state_but_the_end {
    ($($kind:ident),*) => {$(
        impl $kind {
            /// Leads to this state.
            pub fn next(mut self, state: impl Into<Name>) -> Self {
                self.0.next = Next::To(state.into());
                self
            }

            /// Leads to the state that a function names. It must be one of those declared, so that the dialogue can be
            /// drawn; another one is an error.
            pub fn next_with<N: Into<Name>, D: Into<Name>>(
                mut self,
                declared: impl IntoIterator<Item = D>,
                route: impl Fn(&mut Context<'_>) -> Result<N> + 'static,
            ) -> Self {
                self.0.next = Next::Computed(names(declared), Box::new(move |ctx| route(ctx).map(Into::into)));
                self
            }

            /// Runs after an answer was accepted and kept, before the next state is computed.
            pub fn on_leave(mut self, act: impl Fn(&mut Context<'_>) -> Result<()> + 'static) -> Self {
                self.0.leave = Some(Box::new(act));
                self
            }

            /// Offers `0. Back` where there is a state before.
            pub fn back(mut self) -> Self {
                self.0.back = true;
                self
            }

            /// Offers `00. Start again` where there is a state before.
            pub fn restart(mut self) -> Self {
                self.0.restart = true;
                self
            }
        }
    )*};
}

/// Asks for any text.
///
/// ```
/// use vumi_sdk::dialogue::*;
///
/// let age = FreeText::new("age", "How old are you?").validate(check::number(1..=120)).next("thanks");
/// let pin = FreeText::new("pin", "Choose a PIN of four digits.")
///     .validate(|pin| match pin.len() == 4 && pin.bytes().all(|digit| digit.is_ascii_digit()) {
///         true => Ok(pin.to_owned()),
///         false => Err("Four digits, please.".into()),
///     })
///     .next("thanks");
/// ```
#[derive(Debug)]
#[must_use]
pub struct FreeText(pub(crate) State);

impl FreeText {
    /// A question.
    pub fn new(name: impl Into<Name>, text: impl Into<Text>) -> Self {
        Self(State::new(name.into(), Kind::FreeText, text.into()))
    }

    /// Checks the answer: gives what is to be kept, or the reason why the user is asked again. [`check`](super::check)
    /// has the usual ones.
    pub fn validate<V: Serialize>(self, check: impl Fn(&str) -> Result<V, Text> + 'static) -> Self {
        self.validate_with(move |_, input| check(input))
    }

    /// The same, for a check that needs the conversation.
    pub fn validate_with<V: Serialize>(
        mut self,
        check: impl Fn(&mut Context<'_>, &str) -> Result<V, Text> + 'static,
    ) -> Self {
        self.0.check = Some(Box::new(move |ctx, input| {
            let value = check(ctx, input)?;
            serde_json::to_value(value).map_err(|error| Text::new(error.to_string()))
        }));
        self
    }
}

/// Asks to choose one of a few; what was chosen is kept.
///
/// ```
/// use vumi_sdk::dialogue::*;
///
/// let size = Choice::new("size", "Which size?").option("s", "Small").option("l", "Large").next("colour");
/// let member = Choice::new("member", "Are you a member?")
///     .option_to("yes", "Yes", "number")
///     .option("no", "No")
///     .next("colour");
/// ```
#[derive(Debug)]
#[must_use]
pub struct Choice(pub(crate) State);

/// Asks to choose one of many, a few on each page.
///
/// ```
/// use vumi_sdk::dialogue::*;
///
/// let town = PaginatedChoice::new("town", "Where do you live?")
///     .per_page(5)
///     .options_with(|_| Ok(["Arusha", "Dodoma", "Moshi"].map(|town| Opt::new(town, town)).to_vec()))
///     .next("thanks");
/// ```
#[derive(Debug)]
#[must_use]
pub struct PaginatedChoice(pub(crate) State);

/// What the two kinds of choice share.
macro_rules! choices {
    ($($kind:ident),*) => {$(
        impl $kind {
            /// An option: what is kept, and what is shown.
            pub fn option(mut self, value: impl Into<Name>, label: impl Into<Text>) -> Self {
                self.0.options.push(Opt::new(value, label));
                self
            }

            /// An option that leads to a state of its own.
            pub fn option_to(
                mut self,
                value: impl Into<Name>,
                label: impl Into<Text>,
                state: impl Into<Name>,
            ) -> Self {
                self.0.options.push(Opt::new(value, label).to(state));
                self
            }

            /// Computes the options, which follow those that are written down. Asked when the screen is shown, and again
            /// when the answer comes: it must give the same both times.
            pub fn options_with(mut self, list: impl Fn(&mut Context<'_>) -> Result<Vec<Opt>> + 'static) -> Self {
                self.0.list = Some(Box::new(list));
                self
            }

            /// What is chosen becomes the user's language.
            pub fn sets_language(mut self) -> Self {
                self.0.sets_language = true;
                self
            }
        }
    )*};
}

impl Choice {
    /// A question.
    pub fn new(name: impl Into<Name>, text: impl Into<Text>) -> Self {
        Self(State::new(name.into(), Kind::Choice, text.into()))
    }
}

impl PaginatedChoice {
    /// A question.
    pub fn new(name: impl Into<Name>, text: impl Into<Text>) -> Self {
        let mut state = State::new(name.into(), Kind::PaginatedChoice, text.into());
        state.per_page = 8;
        Self(state)
    }

    /// At most so many options on a page; 8 unless given.
    pub fn per_page(mut self, count: usize) -> Self {
        self.0.per_page = count.max(1);
        self
    }
}

/// Asks where to go; each option leads to a state of its own.
///
/// ```
/// use vumi_sdk::dialogue::*;
///
/// let menu = Menu::new("menu", "Welcome.").option("Register", "name").option("Opening hours", "hours");
/// ```
#[derive(Debug)]
#[must_use]
pub struct Menu(pub(crate) State);

impl Menu {
    /// A menu.
    pub fn new(name: impl Into<Name>, text: impl Into<Text>) -> Self {
        Self(State::new(name.into(), Kind::Menu, text.into()))
    }

    /// An option: what is shown, and where it leads.
    pub fn option(mut self, label: impl Into<Text>, state: impl Into<Name>) -> Self {
        self.0.options.push(Opt::leading(label, state));
        self
    }

    /// Computes the options, which follow those that are written down. Declares where they may lead. See
    /// [`Choice::options_with`].
    pub fn options_with<D: Into<Name>>(
        mut self,
        declared: impl IntoIterator<Item = D>,
        list: impl Fn(&mut Context<'_>) -> Result<Vec<Opt>> + 'static,
    ) -> Self {
        self.0.may_lead_to = names(declared);
        self.0.list = Some(Box::new(list));
        self
    }
}

/// Shows pages of text, one at a time.
///
/// ```
/// use vumi_sdk::dialogue::*;
///
/// let help = Booklet::new("help", "Wash your hands.").page("Boil the water.").page("Sleep under a net.").next("menu");
/// ```
#[derive(Debug)]
#[must_use]
pub struct Booklet(pub(crate) State);

impl Booklet {
    /// The first page.
    pub fn new(name: impl Into<Name>, text: impl Into<Text>) -> Self {
        Self(State::new(name.into(), Kind::Booklet, text.into()))
    }

    /// A further page.
    pub fn page(mut self, text: impl Into<Text>) -> Self {
        self.0.pages.push(text.into());
        self
    }
}

/// Shows a text, and ends the conversation.
///
/// ```
/// use vumi_sdk::dialogue::*;
///
/// let bye = End::new("bye", "Thank you, {name}. Goodbye.");
/// ```
#[derive(Debug)]
#[must_use]
pub struct End(pub(crate) State);

impl End {
    /// An end.
    pub fn new(name: impl Into<Name>, text: impl Into<Text>) -> Self {
        Self(State::new(name.into(), Kind::End, text.into()))
    }
}

choices!(Choice, PaginatedChoice);
every_state!(FreeText, Choice, PaginatedChoice, Menu, Booklet, End);
every_state_but_the_end!(FreeText, Choice, PaginatedChoice, Menu, Booklet);
