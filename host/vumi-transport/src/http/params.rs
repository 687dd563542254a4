//! The parameters of a request: those of its query and, of a form, those of its body (specification "common", C6).

use std::collections::HashSet;

use super::form::{self, TooManyPairs};

/// Names and values as bytes, in order. Where a name stands in body and query, only the body's values count.
#[derive(Clone, Debug, Default)]
pub(super) struct Params {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Params {
    /// Reads a query, and a form's body where there is one.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn read(query: &str, form: Option<&[u8]>) -> Result<Self, TooManyPairs> {
        let body = form.map(form::decode).transpose()?.unwrap_or_default();
        let query = form::decode(query.as_bytes())?;
        let in_body: HashSet<&Vec<u8>> = body.iter().map(|(name, _)| name).collect();
        let mut pairs: Vec<_> = query.into_iter().filter(|(name, _)| !in_body.contains(name)).collect();
        pairs.extend(body);
        Ok(Self { pairs })
    }

    /// The first value of a name.
    pub(super) fn first(&self, name: &str) -> Option<&[u8]> {
        let named = |(other, _): &&(Vec<u8>, Vec<u8>)| other == name.as_bytes();
        self.pairs.iter().find(named).map(|(_, value)| value.as_slice())
    }

    /// All values of a name, in order.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.pairs.iter().filter(move |(other, _)| other == name.as_bytes()).map(|(_, value)| value.as_slice())
    }

    /// Every name once, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        for (name, _) in &self.pairs {
            if seen.insert(name) {
                names.push(String::from_utf8_lossy(name).into_owned());
            }
        }
        names
    }

    /// All pairs, in order.
    pub(super) fn pairs(&self) -> &[(Vec<u8>, Vec<u8>)] {
        &self.pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_wins() {
        let params = Params::read("a=1&a=2&b=x%20y&c=", Some(b"b=z+z&d=1")).unwrap();
        assert_eq!(params.first("a"), Some(&b"1"[..]));
        assert_eq!(params.all("a").count(), 2);
        assert_eq!(params.first("b"), Some(&b"z z"[..]));
        assert_eq!(params.all("b").count(), 1);
        assert_eq!(params.first("c"), Some(&b""[..]));
        assert_eq!(params.names(), ["a", "c", "b", "d"]);
    }
}
