//! Python's `%(name)s` formatting, as far as the UDP collector's `format_string` needs it.
//!
//! Known are `%(timestamp)s`, `%(metric_name)s`, `%(value)s` and `%%`; of the value also the number formats `d`, `i`,
//! `f`, `e`, `g` and `r`. Flags (`-`, `0`, `+`, blank), a width and a precision may stand before the letter.

use super::number::Number;

/// The widest field, and the most decimals.
const MAX_WIDTH: usize = 500;

/// A format that has been checked.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Field(Field, Spec),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Timestamp,
    MetricName,
    Value,
}

#[derive(Clone, Debug, Default)]
struct Spec {
    left: bool,
    zeros: bool,
    plus: bool,
    blank: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

impl Template {
    /// Reads a format.
    ///
    /// # Errors
    /// The rest of a sentence that begins with the key: what in it is wrong.
    pub(super) fn parse(format: &str) -> Result<Self, String> {
        let (mut parts, mut text, mut rest) = (Vec::new(), String::new(), format);
        while let Some((before, after)) = rest.split_once('%') {
            text.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                text.push('%');
                rest = after;
                continue;
            }
            let Some((name, after)) = after.strip_prefix('(').and_then(|after| after.split_once(')')) else {
                return Err("has a `%` that begins no `%(name)s`: write `%%` for a percent sign".to_owned());
            };
            let field = Field::named(name)?;
            let (spec, after) = Spec::read(after)?;
            if field != Field::Value && spec.letter != 's' {
                return Err(format!("has `%({name}){}`, but this is a text: write `%({name})s`", spec.letter));
            }
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(Part::Field(field, spec));
            rest = after;
        }
        text.push_str(rest);
        parts.push(Part::Text(text));
        Ok(Self(parts))
    }

    pub(super) fn render(&self, timestamp: &str, metric_name: &str, value: Number) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field(Field::Timestamp, spec) => out.push_str(&spec.text(timestamp)),
                Part::Field(Field::MetricName, spec) => out.push_str(&spec.text(metric_name)),
                Part::Field(Field::Value, spec) => out.push_str(&spec.number(value)),
            }
        }
        out
    }
}

impl Field {
    fn named(name: &str) -> Result<Self, String> {
        match name {
            "timestamp" => Ok(Self::Timestamp),
            "metric_name" => Ok(Self::MetricName),
            "value" => Ok(Self::Value),
            _ => Err(format!("names `{name}`; known are timestamp, metric_name, value")),
        }
    }
}

impl Spec {
    /// Reads what follows the name; gives back the rest.
    fn read(text: &str) -> Result<(Self, &str), String> {
        let mut spec = Self::default();
        let mut rest = text;
        while let Some((flag, after)) = first(rest) {
            match flag {
                '-' => spec.left = true,
                '0' => spec.zeros = true,
                '+' => spec.plus = true,
                ' ' => spec.blank = true,
                _ => break,
            }
            rest = after;
        }
        (spec.width, rest) = digits(rest)?;
        if let Some(after) = rest.strip_prefix('.') {
            let (precision, after) = digits(after)?;
            spec.precision = Some(precision);
            rest = after;
        }
        match first(rest) {
            Some((letter @ ('s' | 'r' | 'd' | 'i' | 'f' | 'F' | 'e' | 'g'), after)) => {
                spec.letter = letter;
                Ok((spec, after))
            }
            Some((letter, _)) => {
                Err(format!("has the unknown format letter `{letter}`; known are s, r, d, i, f, e, g"))
            }
            None => Err("ends within `%(name)s`: the letter is missing".to_owned()),
        }
    }

    fn text(&self, text: &str) -> String {
        let cut: String = match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text.to_owned(),
        };
        let fill = " ".repeat(self.width.saturating_sub(cut.chars().count()));
        if self.left { cut + &fill } else { fill + &cut }
    }

    fn number(&self, value: Number) -> String {
        let precision = self.precision.unwrap_or(6);
        let plain = match self.letter {
            's' => return self.text(&value.text()),
            'r' => return self.text(&value.exact()),
            'd' | 'i' => value.trunc().to_string(),
            'e' => value.scientific(precision),
            'g' => value.general(precision),
            _ => value.fixed(precision),
        };
        let (sign, size) = match plain.strip_prefix('-') {
            Some(size) => ("-", size),
            None if self.plus => ("+", plain.as_str()),
            None if self.blank => (" ", plain.as_str()),
            None => ("", plain.as_str()),
        };
        let missing = self.width.saturating_sub(sign.len() + size.len());
        match (self.left, self.zeros) {
            (true, _) => format!("{sign}{size}{}", " ".repeat(missing)),
            (false, true) => format!("{sign}{}{size}", "0".repeat(missing)),
            (false, false) => format!("{}{sign}{size}", " ".repeat(missing)),
        }
    }
}

fn first(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    chars.next().map(|c| (c, chars.as_str()))
}

/// A number at the beginning, 0 if there is none, and the rest.
fn digits(text: &str) -> Result<(usize, &str), String> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.strip_suffix(rest).unwrap_or_default();
    if digits.is_empty() {
        return Ok((0, rest));
    }
    match digits.parse() {
        Ok(number) if number <= MAX_WIDTH => Ok((number, rest)),
        _ => Err(format!("has a width or precision above {MAX_WIDTH}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(format: &str) -> String {
        Template::parse(format).unwrap().render("1970", "m", Number::Float(2.5))
    }

    #[test]
    fn formats_as_python_does() {
        for (format, text) in [
            ("%(timestamp)s %(metric_name)s %(value)s\n", "1970 m 2.5\n"),
            ("100%% %(metric_name)s", "100% m"),
            (
                "%(value)d|%(value)i|%(value)f|%(value).1f|%(value)e|%(value)g|%(value)r",
                "2|2|2.500000|2.5|2.500000e+00|2.5|2.5",
            ),
            (
                "[%(value)8.2f][%(value)-8.2f][%(value)08.2f][%(value)+.1f][%(value) .1f]",
                "[    2.50][2.50    ][00002.50][+2.5][ 2.5]",
            ),
            ("[%(metric_name)3s][%(metric_name)-3s][%(timestamp).2s]", "[  m][m  ][19]"),
            ("", ""),
        ] {
            assert_eq!(render(format), text, "{format}");
        }
        let template = Template::parse("%(value)s %(value)05d").unwrap();
        assert_eq!(template.render("", "", Number::Int(-3)), "-3 -0003");
    }

    #[test]
    fn mistakes_are_named() {
        for (format, error) in [
            ("%(vlaue)s", "names `vlaue`; known are timestamp, metric_name, value"),
            ("%s", "has a `%` that begins no `%(name)s`"),
            ("50%", "has a `%` that begins no `%(name)s`"),
            ("%(value", "has a `%` that begins no `%(name)s`"),
            ("%(value)", "the letter is missing"),
            ("%(value)q", "unknown format letter `q`"),
            ("%(timestamp)d", "write `%(timestamp)s`"),
            ("%(value)501d", "above 500"),
            ("%(value)99999999999999999999d", "above 500"),
        ] {
            let found = Template::parse(format).unwrap_err();
            assert!(found.contains(error), "{format}: {found}");
        }
    }
}
