//! Who is called what, and in which room they are. A name belongs to one person, whatever its case: `name:<in small
//! letters>` holds their address, and `person:<address>` what is known of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use vumi_sdk::prelude::*;

/// Names have at least and at most so many characters.
const LENGTH: std::ops::RangeInclusive<usize> = 2..=12;

/// Who writes nothing for so long is forgotten, and the name is free again.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Somebody who has a name.
#[derive(Debug, Serialize, Deserialize)]
pub struct Person {
    /// What they are called.
    pub name: String,
    /// The room that they are in.
    pub room: Option<String>,
}

/// Why a name cannot be had.
pub enum NoName {
    /// Too short, too long, or with other characters than letters and digits.
    Wrong,
    /// Somebody else's.
    Taken,
}

impl Person {
    /// Somebody who has been here before.
    pub fn load(user: &str) -> Result<Option<Self>> {
        kv::get(&key(user))
    }

    /// Keeps them, and their name, for a month from now.
    pub fn save(&self, user: &str) -> Result<()> {
        kv::set_for(&name_key(&self.name), user, REMEMBERED)?;
        kv::set_for(&key(user), self, REMEMBERED)
    }

    /// Gives them another name, if they can have it.
    pub fn rename(&mut self, user: &str, name: &str) -> Result<Result<(), NoName>> {
        if let Err(reason) = free(user, name)? {
            return Ok(Err(reason));
        }
        kv::delete(&name_key(&self.name))?;
        self.name = name.to_owned();
        self.save(user)?;
        Ok(Ok(()))
    }
}

/// Somebody new, if they can have this name.
pub fn welcome(user: &str, name: &str) -> Result<Result<Person, NoName>> {
    if let Err(reason) = free(user, name)? {
        return Ok(Err(reason));
    }
    let person = Person { name: name.to_owned(), room: None };
    person.save(user)?;
    Ok(Ok(person))
}

fn free(user: &str, name: &str) -> Result<Result<(), NoName>> {
    if !LENGTH.contains(&name.chars().count()) || !name.chars().all(char::is_alphanumeric) {
        return Ok(Err(NoName::Wrong));
    }
    let holder = kv::get::<String>(&name_key(name))?;
    Ok(if holder.is_none_or(|holder| holder == user) { Ok(()) } else { Err(NoName::Taken) })
}

fn key(user: &str) -> String {
    format!("person:{user}")
}

fn name_key(name: &str) -> String {
    format!("name:{}", name.to_lowercase())
}
