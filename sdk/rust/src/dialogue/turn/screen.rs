//! What the user sees of a state: its text, options and keys, cut into pages.

use std::borrow::Cow;

use super::{BACK, GO_ON, MORE, RESTART, Turn};
use crate::dialogue::page::{Keys, Pages, Piece, Sheet, TooSmall, add};
use crate::dialogue::state::{Kind, Opt, State};
use crate::log::Level;
use crate::{Error, Result};

/// Most options of a state: the next number would be that of `More`.
const MOST_OPTIONS: usize = 98;

impl<'a> Turn<'a> {
    pub(super) fn options(&mut self, state: &'a State) -> Result<Vec<Cow<'a, Opt>>> {
        let mut options: Vec<Cow<'a, Opt>> = state.options.iter().map(Cow::Borrowed).collect();
        if let Some(list) = &state.list {
            options.extend(list(&mut self.ctx)?.into_iter().map(Cow::Owned));
        }
        match options.len() {
            0 => Err(Error::Other(format!("'{}' has no options", state.name))),
            1..=MOST_OPTIONS => Ok(options),
            count => {
                Err(Error::Other(format!("'{}' has {count} options; at most {MOST_OPTIONS} have a number", state.name)))
            }
        }
    }

    pub(super) fn keys_of(&self, state: &State) -> Keys {
        let tr = |text: &'static str| self.ctx.tr(text);
        let listed = state.has_options() || state.kind == Kind::Booklet;
        let before = !self.ctx.record.history.is_empty();
        let back = state.back || (listed && self.dialogue.back);
        let restart = before && (state.restart || (listed && self.dialogue.restart));
        Keys {
            more: format!("{MORE}. {}", tr("More")),
            go_on: (state.kind == Kind::Booklet).then(|| format!("{GO_ON}. {}", tr("Continue"))),
            back_first: before && back,
            back_later: back || listed,
            back: format!("{BACK}. {}", tr("Back")),
            restart: restart.then(|| format!("{RESTART}. {}", tr("Start again"))),
        }
    }

    pub(super) fn pages(&mut self, state: &'a State) -> Result<Vec<String>> {
        let text = match &state.say {
            Some(say) => {
                let text = say(&mut self.ctx)?;
                self.ctx.shown(&text)
            }
            None => self.ctx.shown(&state.text),
        };
        let mut first = self.ctx.record.note.clone().unwrap_or_default();
        add(&mut first, &text);
        let mut pieces = vec![Piece::Text(first)];
        for page in &state.pages {
            pieces.extend([Piece::Break, Piece::Text(self.ctx.shown(page))]);
        }
        if state.has_options() {
            for (at, option) in self.options(state)?.iter().enumerate() {
                pieces.push(Piece::Option(format!("{}. {}", at + 1, self.ctx.shown(&option.label))));
            }
        }
        let head = (state.kind == Kind::PaginatedChoice).then_some(text);
        let sheet = Sheet { pieces, keys: self.keys_of(state), head, per_page: state.per_page };
        let Pages { pages, broken } = sheet
            .pages(self.dialogue.limit(self.ctx.message))
            .map_err(|TooSmall| Error::Other(format!("the limit leaves no room for '{}'", state.name)))?;
        if broken {
            let text = format!("dialogue {}: a word of '{}' is longer than a page", self.dialogue.name, state.name);
            self.logs.push((Level::Warning, text));
        }
        Ok(pages)
    }
}
