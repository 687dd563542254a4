//! What the service's owner configured: its name, its topics, and who may send to those who joined.

use std::collections::BTreeMap;

use vumi_sdk::prelude::*;

use crate::words::clean;

/// The service.
pub struct Service {
    /// Stands in every message, so that people know who writes.
    pub name: String,
    /// Whom people can call.
    pub contact: String,
    /// What people can join, by keyword.
    pub topics: Vec<Topic>,
    /// Addresses that may send to all.
    pub owners: Vec<String>,
    /// Messages that one run sends. The host's limit `outbound_messages` is 100, and the owner gets an answer too.
    pub batch: usize,
}

/// One topic.
#[derive(Debug, PartialEq)]
pub struct Topic {
    /// The word to join it, in capitals.
    pub keyword: String,
    /// What it is, e.g. `health tips`.
    pub title: String,
}

impl Service {
    /// Reads the app's configuration. What is not configured has an example's value, so that the app can be tried.
    ///
    /// # Errors
    /// When `topics` is not a JSON object of keywords and titles.
    pub fn configured() -> Result<Self> {
        let or = |key: &str, value: &str| config(key).unwrap_or_else(|| value.to_owned());
        let topics = or("topics", r#"{"TIPS": "health tips", "BABY": "advice for mothers"}"#);
        let topics: BTreeMap<String, String> = serde_json::from_str(&topics)
            .map_err(|error| Error::new(format!("the configured `topics` are no JSON object of texts: {error}")))?;
        let topics = topics.into_iter().map(|(keyword, title)| Topic { keyword: clean(&keyword), title });
        Ok(Self {
            name: or("name", "Afya Tips"),
            contact: or("contact", "0800 123 456"),
            topics: topics.collect(),
            owners: or("owners", "").split([',', ' ']).filter(|owner| !owner.is_empty()).map(str::to_owned).collect(),
            batch: or("batch", "90").parse().unwrap_or(90),
        })
    }

    /// A topic by its keyword.
    pub fn topic(&self, keyword: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.keyword == keyword)
    }

    /// Whether this address may send to all.
    pub fn is_owner(&self, user: &str) -> bool {
        self.owners.iter().any(|owner| owner == user)
    }

    /// All keywords.
    pub fn keywords(&self, between: &str) -> String {
        let keywords: Vec<&str> = self.topics.iter().map(|topic| topic.keyword.as_str()).collect();
        keywords.join(between)
    }

    /// What operators want to stand in the answer to HELP: who this is, whom to call, what it costs, how it ends.
    pub fn help(&self) -> String {
        let (name, contact, keywords) = (&self.name, &self.contact, self.keywords(", "));
        format!(
            "{name}: send {keywords} to join, LIST for yours, STOP to end. Questions: {contact}. Standard rates apply."
        )
    }
}
