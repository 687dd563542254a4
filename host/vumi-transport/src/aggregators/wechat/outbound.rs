//! What goes to a user: a text, or, where the first line has a link, an article that leads there.

use serde_json::{Value, json};
use vumi_message::Timestamp;

use crate::http::Reply;
use crate::http::xml::Markup;

/// A message in WeChat's terms.
#[derive(Debug, PartialEq)]
pub(super) enum Outgoing<'a> {
    Text(&'a str),
    News {
        /// What stands before the link.
        title: &'a str,
        url: &'a str,
        /// The whole content.
        description: &'a str,
    },
}

impl<'a> Outgoing<'a> {
    pub(super) fn of(content: &'a str) -> Self {
        let line = content.split('\n').next().unwrap_or_default();
        match link(line) {
            Some((title, url)) => Self::News { title, url, description: content },
            None => Self::Text(content),
        }
    }

    /// The document that answers a request.
    pub(super) fn xml(&self, to: &str, from: &str, created: Timestamp) -> String {
        let head = Markup::new("xml")
            .child(Markup::of("ToUserName", to))
            .child(Markup::of("FromUserName", from))
            .child(Markup::of("CreateTime", created.secs().to_string()));
        let document = match *self {
            Self::Text(content) => head.child(Markup::of("MsgType", "text")).child(Markup::of("Content", content)),
            Self::News { title, url, description } => {
                let item = Markup::new("item")
                    .child(Markup::of("Title", title))
                    .child(Markup::of("Description", description))
                    .child(Markup::of("Url", url));
                head.child(Markup::of("MsgType", "news"))
                    .child(Markup::of("ArticleCount", "1"))
                    .child(Markup::new("Articles").child(item))
            }
        };
        document.to_ascii()
    }

    /// The JSON that pushes it.
    pub(super) fn json(&self, to: &str) -> Value {
        match self {
            Self::Text(content) => json!({ "touser": to, "msgtype": "text", "text": { "content": content } }),
            Self::News { title, url, description } => {
                let article = json!({ "title": title, "url": url, "description": description });
                json!({ "touser": to, "msgtype": "news", "news": { "articles": [article] } })
            }
        }
    }
}

/// An answer with a document.
pub(super) fn xml_reply(xml: String) -> Reply {
    Reply::ok(xml).content_type("application/xml; charset=utf-8")
}

/// The last link of a line, and what stands before it.
fn link(line: &str) -> Option<(&str, &str)> {
    let fits = |c: char| matches!(c, '!' | '$'..='_' | 'a'..='z');
    let is_link = |at: usize| {
        let rest = line.get(at..)?;
        let address = rest.strip_prefix("http://").or_else(|| rest.strip_prefix("https://"))?;
        let length = address.find(|c| !fits(c)).unwrap_or(address.len());
        let end = rest.len() - address.len() + length;
        (length > 0).then_some((line.get(..at)?, rest.get(..end)?))
    };
    line.rmatch_indices("http").find_map(|(at, _)| is_link(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_link_of_the_first_line() {
        for (content, expected) in [
            ("See http://a.example/x now", Some(("See ", "http://a.example/x"))),
            ("a http://x.example b http://y.example c", Some(("a http://x.example b ", "http://y.example"))),
            ("https://a.example/?q=1&r={2}", Some(("", "https://a.example/?q=1&r="))),
            ("http://a.example/http://b", Some(("http://a.example/", "http://b"))),
            ("ö http://a.example#part", Some(("ö ", "http://a.example"))),
            ("http://a.example\nhttp://b.example", Some(("", "http://a.example"))),
            ("http://a.example http://", Some(("", "http://a.example"))),
            ("line\nhttp://a.example/", None),
            ("http:// x", None),
            ("http https ftp://a", None),
            ("HTTP://A.EXAMPLE", None),
            ("", None),
        ] {
            let outgoing = expected.map_or(Outgoing::Text(content), |(title, url)| Outgoing::News {
                title,
                url,
                description: content,
            });
            assert_eq!(Outgoing::of(content), outgoing);
        }
    }
}
