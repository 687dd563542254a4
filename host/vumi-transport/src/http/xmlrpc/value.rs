//! The values of XML-RPC.

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `<int>`, `<i4>` and their larger kin. Written as `<i8>` where 32 bits do not hold it.
    Int(i64),
    /// `<boolean>`.
    Boolean(bool),
    /// `<string>`, or a value without a type.
    String(String),
    /// `<double>`; always finite when read.
    Double(f64),
    /// `<dateTime.iso8601>` as it stands, for example `20240203T04:05:06`. The format names no time zone.
    DateTime(String),
    /// `<base64>`.
    Base64(Vec<u8>),
    /// `<array>`.
    Array(Vec<Value>),
    /// `<struct>`: members in their order, each name once.
    Struct(Vec<(String, Value)>),
    /// `<nil/>`, which is no part of the first specification.
    Nil,
}

impl Value {
    /// A struct of texts, the most common value of all.
    pub fn texts<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::Struct(members.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect())
    }

    /// The member of a struct.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members()?.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// The members, if it is a struct.
    #[must_use]
    pub fn members(&self) -> Option<&[(String, Value)]> {
        match self {
            Self::Struct(members) => Some(members),
            _ => None,
        }
    }

    /// The text, if it is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value as text where it can be said in one: strings, numbers, dates, base64 of UTF-8. Networks send numbers
    /// where their manual says text, and the other way round.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::String(text) | Self::DateTime(text) => Some(text.clone()),
            Self::Int(number) => Some(number.to_string()),
            Self::Double(number) => Some(number.to_string()),
            Self::Base64(bytes) => String::from_utf8(bytes.clone()).ok(),
            Self::Boolean(_) | Self::Array(_) | Self::Struct(_) | Self::Nil => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
