//! Who is in which room. A room is one key with the list of those in it, which is read and written as a whole: the app
//! handles one message after another (see the head of `lib.rs`).

use serde::{Deserialize, Serialize};
use vumi_sdk::prelude::*;

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Their address.
    pub user: String,
    /// What they are called.
    pub name: String,
    /// The app's endpoint that their messages arrive at, and through which they are reached.
    pub endpoint: String,
}

/// A room and those in it, in the order in which they came.
pub struct Room {
    /// What it is called.
    pub name: String,
    /// Who is in it.
    pub members: Vec<Member>,
}

impl Room {
    /// Reads a room, if there is one of this name.
    pub fn open(name: &str) -> Result<Option<Self>> {
        let name = name.to_lowercase();
        if !names().contains(&name) {
            return Ok(None);
        }
        Ok(Some(Self { members: kv::get(&key(&name))?.unwrap_or_default(), name }))
    }

    /// Whether it takes nobody else.
    pub fn is_full(&self) -> bool {
        self.members.len() >= seats()
    }

    /// Adds somebody.
    pub fn enter(&mut self, newcomer: Member) -> Result<()> {
        // Somebody who was forgotten for a long silence may still be on the list.
        self.members.retain(|member| member.user != newcomer.user);
        self.members.push(newcomer);
        self.save()
    }

    /// Takes somebody out.
    pub fn leave(&mut self, user: &str) -> Result<()> {
        self.members.retain(|member| member.user != user);
        self.save()
    }

    /// Somebody is called otherwise now.
    pub fn rename(&mut self, user: &str, name: &str) -> Result<()> {
        for member in self.members.iter_mut().filter(|member| member.user == user) {
            member.name = name.to_owned();
        }
        self.save()
    }

    /// All but this one.
    pub fn others(&self, user: &str) -> Vec<&Member> {
        self.members.iter().filter(|member| member.user != user).collect()
    }

    /// Writes to all but this one. Who cannot be reached is passed over.
    pub fn tell_others(&self, user: &str, text: &str) {
        for member in self.others(user) {
            if let Err(error) = Send::to(&member.user).endpoint(&member.endpoint).content(text) {
                warning!("{} in {} was not told: {error}", member.name, self.name);
            }
        }
    }

    fn save(&self) -> Result<()> {
        if self.members.is_empty() {
            kv::delete(&key(&self.name)).map(|_| ())
        } else {
            kv::set(&key(&self.name), &self.members)
        }
    }
}

/// The rooms that there are: the configured `rooms`, with spaces or commas between them.
pub fn names() -> Vec<String> {
    let names = config("rooms").unwrap_or_else(|| "lobby football music".to_owned());
    names.split([' ', ',']).filter(|name| !name.is_empty()).map(str::to_lowercase).collect()
}

/// All rooms, each with the number of those in it.
pub fn list() -> Result<String> {
    let mut parts = Vec::new();
    for name in names() {
        let members: Vec<Member> = kv::get(&key(&name))?.unwrap_or_default();
        parts.push(format!("{name} ({})", members.len()));
    }
    Ok(format!("Rooms: {}. Write /join and a room.", parts.join(", ")))
}

/// How many a room takes. A message to it is one for each of the others, and the host lets a run send 100.
fn seats() -> usize {
    config("seats").and_then(|seats| seats.parse().ok()).unwrap_or(50)
}

fn key(room: &str) -> String {
    format!("room:{room}")
}
