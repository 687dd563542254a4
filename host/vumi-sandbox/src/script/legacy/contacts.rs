//! The resources `contacts` and `groups`: what an app knows of its users, beyond the session.
//!
//! They were resources of Vumi Go, the hosted service, and the toolkit's `ContactStore` and `GroupStore` ask for them. The
//! commands and replies are those that the toolkit's own stand-ins have. Contacts belong to the app's sandbox id, as its
//! keys in kv do.
//!
//! A command is one host call, and stands as one on a recording; its answer comes from there in a replay.

mod address;
mod fields;
mod groups;
mod keep;
mod query;

use serde_json::{Map, Value};
use vumi_bindings::app::vumi::app::types::Error;

use super::arguments::Arguments;
use super::{Done, Failure};
use crate::state::Guest;
use address::AddressKind;
use keep::{Kept, Kind, Settled, Trouble, new_key, own_fields};
use query::Query;

/// The fields of a reply.
type Fields = Map<String, Value>;

/// What came of a command, as a recording has it.
type Answer = Result<Fields, Error>;

/// Either end of a command: what the app is told, or the end of its run.
fn answer_of(kept: Kept<Fields>) -> wasmtime::Result<Answer> {
    match kept {
        Ok(fields) => Ok(Ok(fields)),
        Err(Trouble::Refused(error)) => Ok(Err(error)),
        Err(Trouble::Stopped(error)) => Err(error),
    }
}

fn done_of(answer: Answer) -> Done {
    Some(answer.map_err(Failure::of))
}

/// The answer to a call that a recording does not know.
fn unrecorded() -> Answer {
    Err(Error::Invalid("the recording has no such call".into()))
}

/// A reply with these fields.
fn reply<const N: usize>(fields: [(&str, Value); N]) -> Fields {
    fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

/// A contact as a reply.
fn reply_with(contact: Fields) -> Fields {
    reply([("contact", contact.into())])
}

/// An argument that must be text.
fn text<'a>(given: &'a Arguments, name: &str) -> Kept<&'a str> {
    given.text(name).ok_or_else(|| Trouble::wrong(format!("'{name}' must be a string.")))
}

/// An argument that must be an object.
fn object<'a>(given: &'a Arguments, name: &str) -> Kept<&'a Fields> {
    let found = given.get(name).and_then(Value::as_object);
    found.ok_or_else(|| Trouble::wrong(format!("'{name}' must be an object.")))
}

/// A query of a command.
fn query(given: &Arguments) -> Kept<Query> {
    Query::parse(text(given, "query")?).map_err(Trouble::wrong)
}

/// Whom a command is about, by the address.
fn sought(given: &Arguments) -> Kept<(AddressKind, String)> {
    let address = text(given, "addr")?;
    let class = given.text("delivery_class");
    match class.and_then(AddressKind::of) {
        Some(kind) => Ok((kind, kind.written(address))),
        None => {
            let class = class.unwrap_or("undefined");
            let reason = format!("Unsupported delivery class (got: {class} with address {address})");
            Err(Error::Denied(reason).into())
        }
    }
}

impl Guest {
    pub(super) async fn legacy_contacts(&mut self, verb: &str, given: &Arguments) -> wasmtime::Result<Done> {
        let call = match verb {
            "get" => "contacts.get",
            "get_by_key" => "contacts.get_by_key",
            "get_or_create" => "contacts.get_or_create",
            "new" => "contacts.new",
            "save" => "contacts.save",
            "update" => "contacts.update",
            "update_extras" => "contacts.update_extras",
            "update_subscriptions" => "contacts.update_subscriptions",
            "search" => "contacts.search",
            _ => return Ok(None),
        };
        if let Some(answer) = self.cue(call, || vec![Value::Object(given.0.clone())], unrecorded)? {
            return Ok(done_of(answer));
        }
        let answer = match self.begin() {
            Ok(began) => {
                let kept = self.contacts_answer(verb, given).await;
                self.budget.end(began);
                answer_of(kept)
            }
            Err(stop) => Err(stop),
        };
        self.note(&answer);
        answer.map(done_of)
    }

    async fn contacts_answer(&mut self, verb: &str, given: &Arguments) -> Kept<Fields> {
        Ok(match verb {
            "get" => {
                let (kind, address) = sought(given)?;
                reply_with(self.contact_at(kind, &address).await?.ok_or_else(|| Trouble::absent(Kind::Contact))?)
            }
            "get_by_key" => reply_with(self.present(Kind::Contact, text(given, "key")?).await?),
            "get_or_create" => {
                let (contact, created) = self.contact_made_at(sought(given)?).await?;
                reply([("contact", contact.into()), ("created", created.into())])
            }
            "new" => {
                let none = Fields::new();
                let wanted = if given.given("contact").is_some() { object(given, "contact")? } else { &none };
                let wanted = fields::taken(wanted).map_err(Trouble::wrong)?;
                let key = new_key();
                let contact = fields::whole(&own_fields(self, &key), wanted);
                reply_with(self.changed(&key, &Fields::new(), contact).await?)
            }
            "save" => {
                let wanted = object(given, "contact")?;
                let key = wanted.get("key").and_then(Value::as_str);
                let key = key.ok_or_else(|| Trouble::wrong("'contact.key' must be a string."))?;
                let before = self.present(Kind::Contact, key).await?;
                let contact = fields::whole(&before, fields::taken(wanted).map_err(Trouble::wrong)?);
                reply_with(self.changed(key, &before, contact).await?)
            }
            "search" => self.contacts_found(given).await?,
            _ => {
                let (key, wanted) = (text(given, "key")?, object(given, "fields")?);
                let wanted = match verb {
                    "update_extras" => fields::prefixed(fields::EXTRA, wanted),
                    "update_subscriptions" => fields::prefixed(fields::SUBSCRIPTION, wanted),
                    _ => fields::taken(wanted),
                };
                let wanted = wanted.map_err(Trouble::wrong)?;
                let before = self.present(Kind::Contact, key).await?;
                let mut contact = before.clone();
                contact.extend(wanted);
                reply_with(self.changed(key, &before, contact).await?)
            }
        })
    }

    /// The contact with this address.
    async fn contact_at(&mut self, kind: AddressKind, address: &str) -> Kept<Option<Fields>> {
        let signpost = self.signpost(Kind::Contact, kind.field(), address)?;
        let Some(key) = self.led_to(&signpost).await? else { return Ok(None) };
        let contact = self.item(Kind::Contact, &key).await?;
        Ok(contact.filter(|contact| kind.address(contact).as_deref() == Some(address)))
    }

    /// The contact with this address, which is made if there is none, and whether it was.
    async fn contact_made_at(&mut self, (kind, address): (AddressKind, String)) -> Kept<(Fields, bool)> {
        let signpost = self.signpost(Kind::Contact, kind.field(), &address)?;
        let is_it = |contact: &Fields| kind.address(contact).as_deref() == Some(address.as_str());
        let key = match self.settle(Kind::Contact, &signpost, is_it).await? {
            Settled::Found(contact) => return Ok((contact, false)),
            Settled::Free(key) => key,
        };
        let wanted = reply([(kind.field(), address.into())]);
        let contact = fields::whole(&own_fields(self, &key), wanted);
        self.keep_settled(Kind::Contact, &signpost, &key, &contact).await?;
        Ok((contact, true))
    }

    /// Keeps a contact, and lets its addresses lead to it.
    async fn changed(&mut self, key: &str, before: &Fields, contact: Fields) -> Kept<Fields> {
        let mut moves = Vec::new();
        for kind in AddressKind::ALL {
            let (old, new) = (kind.address(before), kind.address(&contact));
            if old != new {
                let old = old.map(|old| self.signpost(Kind::Contact, kind.field(), &old)).transpose()?;
                let sign = new.as_deref().map(|new| self.signpost(Kind::Contact, kind.field(), new)).transpose()?;
                moves.push((kind, old, new.zip(sign)));
            }
        }
        self.keep(Kind::Contact, key, &contact).await?;
        for (kind, old, new) in moves {
            if let Some(old) = old
                && self.led_to(&old).await?.as_deref() == Some(key)
            {
                self.forget(&old).await?;
            }
            // Of several contacts with one address the first is found.
            if let Some((address, signpost)) = new
                && !self.claim(&signpost, key).await?
                && self.contact_at(kind, &address).await?.is_none()
            {
                self.lead(&signpost, key).await?;
            }
        }
        Ok(contact)
    }

    /// The keys of contacts that a query finds.
    async fn contacts_found(&mut self, given: &Arguments) -> Kept<Fields> {
        let query = query(given)?;
        let most = match given.given("max_keys") {
            None => usize::MAX,
            Some(most) => {
                let most = most.as_u64().and_then(|most| usize::try_from(most).ok());
                most.ok_or_else(|| Trouble::wrong("'max_keys' must be a whole number."))?
            }
        };
        let mut keys = Vec::new();
        self.each(Kind::Contact, |mut contact| {
            if keys.len() < most && query.finds(&contact) {
                keys.extend(contact.shift_remove("key"));
            }
            Ok(keys.len() < most)
        })
        .await?;
        Ok(reply([("keys", keys.into())]))
    }
}
