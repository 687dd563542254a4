//! A state of a dialogue: what it shows, takes and leads to. `kinds` has what apps write.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::{Context, Text};
use crate::Result;

/// The name of a state.
pub type Name = Cow<'static, str>;

type Act = Box<dyn Fn(&mut Context<'_>) -> Result<()>>;
type Check = Box<dyn Fn(&mut Context<'_>, &str) -> Result<Value, Text>>;
type List = Box<dyn Fn(&mut Context<'_>) -> Result<Vec<Opt>>>;
type Route = Box<dyn Fn(&mut Context<'_>) -> Result<Name>>;
type Say = Box<dyn Fn(&mut Context<'_>) -> Result<Text>>;

/// What kind of state it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    FreeText,
    Choice,
    Menu,
    PaginatedChoice,
    Booklet,
    End,
}

/// Where a state leads to.
#[derive(Default)]
pub(crate) enum Next {
    #[default]
    Nowhere,
    To(Name),
    Computed(Vec<Name>, Route),
}

/// One of the options of a choice or menu.
#[derive(Clone, Debug, PartialEq)]
pub struct Opt {
    pub(crate) value: Name,
    pub(crate) label: Text,
    pub(crate) to: Option<Name>,
}

impl Opt {
    /// An option of a choice: what is kept, and what is shown.
    pub fn new(value: impl Into<Name>, label: impl Into<Text>) -> Self {
        Self { value: value.into(), label: label.into(), to: None }
    }

    /// It leads to this state, whatever the choice's `next`.
    #[must_use]
    pub fn to(mut self, state: impl Into<Name>) -> Self {
        self.to = Some(state.into());
        self
    }

    /// An option of a menu: what is shown, and where it leads.
    pub fn leading(label: impl Into<Text>, state: impl Into<Name>) -> Self {
        let state = state.into();
        Self { value: state.clone(), label: label.into(), to: Some(state) }
    }
}

/// A state of any kind, as [`Dialogue::state`](super::Dialogue::state) takes it.
pub struct State {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    pub(crate) text: Text,
    pub(crate) say: Option<Say>,
    /// The further pages of a booklet.
    pub(crate) pages: Vec<Text>,
    pub(crate) options: Vec<Opt>,
    pub(crate) list: Option<List>,
    /// Where computed options may lead.
    pub(crate) may_lead_to: Vec<Name>,
    pub(crate) next: Next,
    pub(crate) check: Option<Check>,
    pub(crate) per_page: usize,
    pub(crate) back: bool,
    pub(crate) restart: bool,
    pub(crate) sets_language: bool,
    pub(crate) enter: Option<Act>,
    pub(crate) leave: Option<Act>,
}

impl State {
    pub(super) fn new(name: Name, kind: Kind, text: Text) -> Self {
        Self {
            name,
            kind,
            text,
            say: None,
            pages: Vec::new(),
            options: Vec::new(),
            list: None,
            may_lead_to: Vec::new(),
            next: Next::Nowhere,
            check: None,
            per_page: usize::MAX,
            back: false,
            restart: false,
            sets_language: false,
            enter: None,
            leave: None,
        }
    }

    /// Whether its answers are those that it lists.
    pub(crate) fn has_options(&self) -> bool {
        matches!(self.kind, Kind::Choice | Kind::Menu | Kind::PaginatedChoice)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The names that a function declares.
pub(super) fn names<N: Into<Name>>(names: impl IntoIterator<Item = N>) -> Vec<Name> {
    names.into_iter().map(Into::into).collect()
}
