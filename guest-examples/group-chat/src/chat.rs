//! Does what was asked, and says so.

use vumi_sdk::prelude::*;

use crate::commands::Command;
use crate::people::{NoName, Person, welcome};
use crate::rooms::{self, Member, Room};

/// Longest text that is passed on, in characters: two SMS, with the sender's name before it.
const LONGEST: usize = 280;

/// What goes back to the sender; nothing when the others read it, which costs one message less.
pub fn answer(message: &Message) -> Result<Option<String>> {
    let (user, text) = (message.user(), message.text());
    let Some(mut person) = Person::load(user)? else { return Ok(Some(introduce(user, message)?)) };
    if message.is_new() {
        // Whatever was dialled is no text. (Who was in a room when the line broke left it then.)
        return Ok(Some(format!("Welcome back, {}! {}", person.name, rooms::list()?)));
    }
    // A month from now: names stay with those who write.
    person.save(user)?;
    Ok(match Command::of(text) {
        Command::Say(text) => say(user, &person, text)?,
        Command::Join(room) => Some(join(message, &mut person, room)?),
        Command::Leave => Some(leave(user, &mut person)?),
        Command::Who => Some(who(&person)?),
        Command::Rooms => Some(rooms::list()?),
        Command::Name(name) => Some(rename(user, &mut person, name)?),
        Command::Help => Some("/rooms, /join ROOM, /leave, /who, /name NAME. Anything else goes to the room.".into()),
        Command::Unknown(word) => Some(format!("There is no command /{word}. /help lists them.")),
    })
}

/// Somebody hung up.
pub fn gone(user: &str) -> Result<()> {
    match Person::load(user)? {
        Some(mut person) => step_out(user, &mut person).map(|_| ()),
        None => Ok(()),
    }
}

/// The first that somebody writes is taken for a greeting, the next for a name.
fn introduce(user: &str, message: &Message) -> Result<String> {
    let asked = format!("asked:{user}");
    if message.is_new() || kv::get::<bool>(&asked)?.is_none() {
        kv::set_for(&asked, &true, std::time::Duration::from_secs(60 * 60))?;
        return Ok("Welcome to the chat! What shall we call you?".into());
    }
    match welcome(user, message.text())? {
        Ok(person) => {
            kv::delete(&asked)?;
            metrics::count("people")?;
            Ok(format!("Hello {}! {}", person.name, rooms::list()?))
        }
        Err(reason) => Ok(no_name(&reason, message.text())),
    }
}

fn no_name(reason: &NoName, name: &str) -> String {
    match reason {
        NoName::Wrong => "Please choose a name of 2 to 12 letters or digits.".into(),
        NoName::Taken => format!("Somebody is called {name} already. Please choose another name."),
    }
}

fn say(user: &str, person: &Person, text: &str) -> Result<Option<String>> {
    let Some(room) = room_of(person)? else {
        return Ok(Some(format!("You are in no room. {}", rooms::list()?)));
    };
    if text.is_empty() {
        return Ok(Some("Write something, or /help.".into()));
    }
    if text.chars().count() > LONGEST {
        return Ok(Some(format!("That is too long. Please write at most {LONGEST} characters.")));
    }
    if room.others(user).is_empty() {
        return Ok(Some(format!("Nobody else is in {} yet.", room.name)));
    }
    room.tell_others(user, &format!("{}: {text}", person.name));
    metrics::count("said")?;
    Ok(None)
}

fn join(message: &Message, person: &mut Person, name: &str) -> Result<String> {
    let user = message.user();
    let Some(mut room) = Room::open(name)? else {
        return Ok(format!("There is no room {name}. {}", rooms::list()?));
    };
    if person.room.as_ref() == Some(&room.name) {
        return Ok(format!("You are in {} already.", room.name));
    }
    if room.is_full() {
        return Ok(format!("{} is full. {}", room.name, rooms::list()?));
    }
    step_out(user, person)?;
    let endpoint = message.endpoint().to_owned();
    room.enter(Member { user: user.to_owned(), name: person.name.clone(), endpoint })?;
    person.room = Some(room.name.clone());
    person.save(user)?;
    room.tell_others(user, &format!("* {} came in.", person.name));
    let names: Vec<&str> = room.others(user).iter().map(|member| member.name.as_str()).collect();
    Ok(match names.as_slice() {
        [] => format!("You are in {}, alone so far. /leave leaves, /help helps.", room.name),
        names => format!(
            "You are in {} with {}. They read what you write. /leave leaves, /help helps.",
            room.name,
            all(names)
        ),
    })
}

fn leave(user: &str, person: &mut Person) -> Result<String> {
    Ok(match step_out(user, person)? {
        Some(room) => format!("You left {room}. {}", rooms::list()?),
        None => format!("You are in no room. {}", rooms::list()?),
    })
}

/// Takes somebody out of the room that they are in, and tells the others; the answer is the room.
fn step_out(user: &str, person: &mut Person) -> Result<Option<String>> {
    let Some(mut room) = room_of(person)? else { return Ok(None) };
    room.leave(user)?;
    person.room = None;
    person.save(user)?;
    room.tell_others(user, &format!("* {} left.", person.name));
    Ok(Some(room.name))
}

fn who(person: &Person) -> Result<String> {
    let Some(room) = room_of(person)? else { return Ok(format!("You are in no room. {}", rooms::list()?)) };
    let names: Vec<&str> = room.members.iter().map(|member| member.name.as_str()).collect();
    Ok(format!("In {}: {}.", room.name, all(&names)))
}

fn rename(user: &str, person: &mut Person, name: &str) -> Result<String> {
    let old = person.name.clone();
    if let Err(reason) = person.rename(user, name)? {
        return Ok(no_name(&reason, name));
    }
    if let Some(mut room) = room_of(person)? {
        room.rename(user, name)?;
        room.tell_others(user, &format!("* {old} is called {name} now."));
    }
    Ok(format!("You are {name} now."))
}

/// The room that somebody is in; none when it is no longer among the configured ones.
fn room_of(person: &Person) -> Result<Option<Room>> {
    match &person.room {
        Some(name) => Room::open(name),
        None => Ok(None),
    }
}

/// `Anna`, `Anna and Ben`, `Anna, Ben and Carl`.
fn all(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
