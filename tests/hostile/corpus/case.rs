//! One row of the table: what is attacked with, how, and what becomes of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use vumi_core::Outcome;
use vumi_sandbox::AppConfig;
use vumi_tests::forge::Forge;

use crate::kit::Answer;

use super::ground::Ground;

/// An attack that is more than one message to a guest; the text says what went wrong.
pub type Own =
    Box<dyn for<'a> Fn(&'a Ground) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> + Send + Sync>;

/// A component, made when it is first needed and then kept.
pub type Lazy = LazyLock<Arc<Vec<u8>>, Box<dyn FnOnce() -> Arc<Vec<u8>> + Send>>;

/// What is attacked with.
pub enum Attack {
    /// A component of its own.
    Component(Lazy),
    /// The guest `tests/guests/probe`, which does what its message says.
    Probe,
    /// Something else.
    Own(Own),
    /// A test of its own, of this name: too slow to be repeated each round, or older than the table.
    Test(&'static str),
}

/// What is to become of it.
pub enum Expect {
    /// The component is not loaded; the error has this text in it.
    Refused(&'static str),
    /// The run ends like this, nothing is sent, and the owner's error has this text in it.
    Ends(Outcome, &'static str),
    /// The run ends well, and the last thing that the guest says begins with this: what it was told.
    Says(String),
    /// The run, or the host, is as this sentence says.
    Shown(&'static str, fn(&Answer) -> Result<(), String>),
}

/// See the module's text.
pub struct Case {
    /// Names it, within the whole corpus.
    pub name: String,
    /// What it does.
    pub what: String,
    /// See there.
    pub attack: Attack,
    /// What the user writes; `{server}` stands for the address of the hostile server.
    pub message: String,
    /// Changes to the app's configuration.
    pub config: fn(&mut AppConfig),
    /// See there.
    pub expect: Expect,
    /// Why that is right.
    pub why: &'static str,
}

/// Longest time that a case may take, on a busy machine without optimisation.
pub const WITHIN: Duration = Duration::from_secs(60);

fn case(name: impl Into<String>, what: impl Into<String>, attack: Attack, message: impl Into<String>) -> Case {
    Case {
        name: name.into(),
        what: what.into(),
        attack,
        message: message.into(),
        config: |_| {},
        expect: Expect::Says("ok".to_owned()),
        why: "",
    }
}

/// A forged guest that is asked `go`.
pub fn forged(
    name: impl Into<String>,
    what: impl Into<String>,
    make: impl Fn() -> Forge + Send + Sync + 'static,
) -> Case {
    bytes(name, what, move || make().bytes())
}

/// A component of these bytes.
pub fn bytes(
    name: impl Into<String>,
    what: impl Into<String>,
    make: impl Fn() -> Vec<u8> + Send + Sync + 'static,
) -> Case {
    case(name, what, Attack::Component(LazyLock::new(Box::new(move || Arc::new(make())))), "go")
}

/// The probe, told this.
pub fn probe(name: impl Into<String>, what: impl Into<String>, message: impl Into<String>) -> Case {
    case(name, what, Attack::Probe, message)
}

/// Something else; `shown` says what must come of it.
pub fn own(name: &str, what: &str, shown: &'static str, why: &'static str, attack: Own) -> Case {
    Case { why, ..case(name, what, Attack::Own(attack), "") }.expecting(Expect::Shown(shown, |_| Ok(())))
}

/// A test that stands elsewhere.
pub fn elsewhere(test: &'static str, what: &str, shown: &'static str, why: &'static str) -> Case {
    Case { why, ..case(test, what, Attack::Test(test), "") }.expecting(Expect::Shown(shown, |_| Ok(())))
}

impl Case {
    fn expecting(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }

    fn because(mut self, why: &'static str) -> Self {
        self.why = why;
        self
    }

    /// What the user writes.
    pub fn given(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The app's configuration.
    pub fn under(mut self, config: fn(&mut AppConfig)) -> Self {
        self.config = config;
        self
    }

    /// See [`Expect::Ends`].
    pub fn ends(self, outcome: Outcome, text: &'static str, why: &'static str) -> Self {
        self.expecting(Expect::Ends(outcome, text)).because(why)
    }

    /// See [`Expect::Says`].
    pub fn says(self, text: impl Into<String>, why: &'static str) -> Self {
        self.expecting(Expect::Says(text.into())).because(why)
    }

    /// See [`Expect::Refused`].
    pub fn refused(self, text: &'static str, why: &'static str) -> Self {
        self.expecting(Expect::Refused(text)).because(why)
    }

    /// See [`Expect::Shown`].
    pub fn shown(self, text: &'static str, judge: fn(&Answer) -> Result<(), String>, why: &'static str) -> Self {
        self.expecting(Expect::Shown(text, judge)).because(why)
    }
}
