//! Replies as pages: a menu becomes a list of links.
//!
//! A text of several lines is a menu. Its first line is the header, each line `1. Tea` an item; what else it says has
//! no place on the page, as it had none in Vumi.

use crate::http::xml::{escape_attribute, escape_text};

/// The page for a text.
pub(super) fn write(text: &str) -> String {
    let (header, items) = menu(text);
    let list = if items.is_empty() { String::new() } else { list(&items) };
    format!(
        "<html>
    <head>
        <meta name=\"mxit\" content=\"clearscreen\" />
    </head>
    <body>
        <div>
            <p>{}</p>
        </div>
        {list}
    </body>
</html>",
        escape_text(header)
    )
}

/// The header, and the items with their numbers.
fn menu(text: &str) -> (&str, Vec<(&str, &str)>) {
    let Some((header, _)) = text.split_once(['\r', '\n']) else { return (text, Vec::new()) };
    (header, text.split(['\r', '\n']).filter_map(item).collect())
}

/// `1. Tea`, in two.
fn item(line: &str) -> Option<(&str, &str)> {
    let (number, text) = line.split_once(". ")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !text.is_empty()).then_some((number, text))
}

fn list(items: &[(&str, &str)]) -> String {
    let mut list = String::new();
    for (number, text) in items {
        list.push_str(&format!(
            "<li>
                    <a href=\"?input={}\">
                        {number}. {}
                    </a>
                </li>",
            escape_attribute(number),
            escape_text(text)
        ));
    }
    format!(
        "<div>
            <ul>
                {list}
            </ul>
        </div>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn menus_are_recognised() {
        for (text, header, items) in [
            ("Bye", "Bye", vec![]),
            ("1. Tea", "1. Tea", vec![]),
            ("", "", vec![]),
            ("a\nb", "a", vec![]),
            ("Menu:\n1. Tea\n2. Milk", "Menu:", vec![("1", "Tea"), ("2", "Milk")]),
            ("Menu:\r\n1. Tea\r\nor\r\n12. Milk. 2%\r\n", "Menu:", vec![("1", "Tea"), ("12", "Milk. 2%")]),
            ("\n\n1. Tea", "", vec![("1", "Tea")]),
            ("1. Tea\n2. Milk", "1. Tea", vec![("1", "Tea"), ("2", "Milk")]),
            ("M\n 1. Tea\n1.Tea\n1. \n. Tea\nx1. Tea\n1) Tea\n٣. Tea", "M", vec![]),
        ] {
            assert_eq!(menu(text), (header, items), "{text:?}");
        }
    }
}
