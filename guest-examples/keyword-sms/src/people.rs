//! Who gets what.
//!
//! Messages of different people are handled side by side, so no two of them may write the same key. Each person has a
//! record, `person:<address>`, which only their own messages change. A topic's list is a row of numbered places,
//! `members:<topic>:<number>`, each with one address; `kv::incr` on `members:<topic>` hands the numbers out in one step,
//! so nobody gets a place twice.
//!
//! The person's record decides. A place that it does not name (left over when a host went down in the middle) counts for
//! nothing, so nobody who said STOP gets another message.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vumi_sdk::prelude::*;

/// What is known of somebody.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Said STOP, and has not said START since.
    pub stopped: bool,
    /// Their place in the list of each topic that they get.
    pub places: BTreeMap<String, i64>,
}

impl Person {
    /// Reads a record; somebody unknown gets nothing and may be written to.
    ///
    /// # Errors
    /// When the host cannot answer now.
    pub fn load(user: &str) -> Result<Self> {
        Ok(kv::get(&person_key(user))?.unwrap_or_default())
    }

    fn save(&self, user: &str) -> Result<()> {
        kv::set(&person_key(user), self)
    }

    /// Undoes STOP. What they got before they must join again.
    pub fn start(&mut self, user: &str) -> Result<()> {
        self.stopped = false;
        self.save(user)
    }

    /// Ends everything. The record stays, for as long as the app does: it is what keeps later messages away.
    pub fn stop(&mut self, user: &str) -> Result<()> {
        self.stopped = true;
        let places = std::mem::take(&mut self.places);
        self.save(user)?;
        for (topic, place) in places {
            kv::delete(&place_key(&topic, place))?;
        }
        Ok(())
    }

    /// Adds them to a topic; false when they are in it already.
    pub fn join(&mut self, user: &str, topic: &str) -> Result<bool> {
        if self.places.contains_key(topic) {
            return Ok(false);
        }
        let place = kv::incr(&last_place_key(topic), 1)?;
        kv::set(&place_key(topic, place), user)?;
        self.places.insert(topic.to_owned(), place);
        self.save(user)?;
        Ok(true)
    }

    /// Takes them out of a topic; false when they are not in it.
    pub fn leave(&mut self, user: &str, topic: &str) -> Result<bool> {
        let Some(place) = self.places.remove(topic) else { return Ok(false) };
        self.save(user)?;
        kv::delete(&place_key(topic, place))?;
        Ok(true)
    }
}

/// The highest place that a topic's list has ever had.
pub fn last_place(topic: &str) -> Result<i64> {
    Ok(kv::get(&last_place_key(topic))?.unwrap_or(0))
}

/// Who is at a place, if somebody is and still gets the topic.
pub fn member(topic: &str, place: i64) -> Result<Option<String>> {
    let Some(user) = kv::get::<String>(&place_key(topic, place))? else { return Ok(None) };
    let person = Person::load(&user)?;
    Ok(Some(user).filter(|_| !person.stopped && person.places.get(topic) == Some(&place)))
}

fn person_key(user: &str) -> String {
    format!("person:{user}")
}

fn last_place_key(topic: &str) -> String {
    format!("members:{topic}")
}

fn place_key(topic: &str, place: i64) -> String {
    format!("members:{topic}:{place}")
}
