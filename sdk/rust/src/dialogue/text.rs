//! Texts that are looked up in translations, and filled in, when they are shown.

use std::borrow::Cow;

use serde_json::Value;

/// A text as it is written in the app, with what it takes to say it in another language.
///
/// A plain string is one. [`t!`](crate::t!), [`tc!`](crate::tc!) and [`tn!`](crate::tn!) make those with arguments, a
/// context or a plural.
///
/// ```
/// use vumi_sdk::dialogue::*;
///
/// let text: Text = "Welcome".into();
/// let hello = t!("Hello {name}", name = "Anna");
/// let children = tn!("{n} child", "{n} children", 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub(crate) id: Cow<'static, str>,
    pub(crate) context: Option<Cow<'static, str>>,
    pub(crate) plural: Option<(Cow<'static, str>, u64)>,
    args: Vec<(&'static str, String)>,
}

impl Text {
    /// A text; the same as `"…".into()`.
    pub fn new(id: impl Into<Cow<'static, str>>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// In this context (`msgctxt`): `May` the month is not `May` the verb.
    #[must_use]
    pub fn context(mut self, context: impl Into<Cow<'static, str>>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// For `n` things; the text itself is for one. `{n}` is filled in.
    #[must_use]
    pub fn plural(mut self, plural: impl Into<Cow<'static, str>>, n: u64) -> Self {
        self.plural = Some((plural.into(), n));
        self.with("n", n)
    }

    /// Fills `{name}`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// As it is written, in the language of the app.
    pub(crate) fn source(&self) -> &str {
        match &self.plural {
            Some((plural, n)) if *n != 1 => plural,
            _ => &self.id,
        }
    }

    /// Fills the words in braces from the arguments, then from the answers.
    pub(crate) fn fill<'a>(&'a self, text: &str, answer: impl Fn(&str) -> Option<&'a Value>) -> String {
        let mut filled = String::with_capacity(text.len() + 16);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let value = after.split_once('}').and_then(|(word, behind)| Some((self.value(word, &answer)?, behind)));
            match value {
                Some((value, behind)) => {
                    filled.push_str(&value);
                    rest = behind;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    fn value<'a>(&'a self, word: &str, answer: &impl Fn(&str) -> Option<&'a Value>) -> Option<Cow<'a, str>> {
        if let Some((_, value)) = self.args.iter().find(|(name, _)| *name == word) {
            return Some(Cow::Borrowed(value));
        }
        answer(word).map(|value| match value {
            Value::String(text) => Cow::Borrowed(text.as_str()),
            other => Cow::Owned(other.to_string()),
        })
    }
}

impl From<&'static str> for Text {
    fn from(id: &'static str) -> Self {
        Self::new(id)
    }
}

impl From<String> for Text {
    fn from(id: String) -> Self {
        Self::new(id)
    }
}

/// A text with arguments: `t!("Hello {name}", name = value)`. `xgettext --keyword=t` finds it.
#[macro_export]
macro_rules! t {
    ($id:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::dialogue::Text::new($id)$(.with(::core::stringify!($name), $value))*
    };
}

/// A text in a context: `tc!("month", "May")`. `xgettext --keyword=tc:1c,2` finds it.
#[macro_export]
macro_rules! tc {
    ($context:expr, $id:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::dialogue::Text::new($id).context($context)$(.with(::core::stringify!($name), $value))*
    };
}

/// A text for a number of things: `tn!("{n} child", "{n} children", n)`. `xgettext --keyword=tn:1,2` finds it.
#[macro_export]
macro_rules! tn {
    ($one:expr, $many:expr, $n:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::dialogue::Text::new($one).plural($many, $n)$(.with(::core::stringify!($name), $value))*
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn words_in_braces_are_filled_from_arguments_then_answers_and_else_stay() {
        let answers = json!({"name": "Anna {age}", "age": 7, "b": "answer"});
        let text = t!("{name}, {age}, {b}, {other} {", b = "argument");
        let filled = text.fill(&text.id, |word| answers.get(word));
        assert_eq!(filled, "Anna {age}, 7, argument, {other} {");
    }

    #[test]
    fn the_apps_own_language_has_the_plurals_of_english() {
        let say = |n| {
            let text = tn!("{n} child", "{n} children", n);
            text.fill(text.source(), |_| None)
        };
        assert_eq!((say(0), say(1), say(2)), ("0 children".into(), "1 child".into(), "2 children".into()));
    }
}
