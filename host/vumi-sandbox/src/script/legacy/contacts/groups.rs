//! Groups of contacts. A contact names the groups that it is in; a group with a query has the contacts that this finds.

use serde_json::Value;
use vumi_bindings::app::vumi::app::types::Error;

use super::keep::{Kept, Kind, Settled, Trouble, own_fields};
use super::query::Query;
use super::{Fields, answer_of, done_of, query, reply, text, unrecorded};
use crate::script::legacy::Done;
use crate::script::legacy::arguments::Arguments;
use crate::state::Guest;

/// A group's name.
fn name(group: &Fields) -> &str {
    group.get("name").and_then(Value::as_str).unwrap_or_default()
}

impl Guest {
    pub(in crate::script::legacy) async fn legacy_groups(
        &mut self,
        verb: &str,
        given: &Arguments,
    ) -> wasmtime::Result<Done> {
        let call = match verb {
            "get" => "groups.get",
            "get_by_name" => "groups.get_by_name",
            "get_or_create_by_name" => "groups.get_or_create_by_name",
            "update" => "groups.update",
            "search" => "groups.search",
            "list" => "groups.list",
            "count_members" => "groups.count_members",
            _ => return Ok(None),
        };
        if let Some(answer) = self.cue(call, || vec![Value::Object(given.0.clone())], unrecorded)? {
            return Ok(done_of(answer));
        }
        let answer = match self.begin() {
            Ok(began) => {
                let kept = self.groups_answer(verb, given).await;
                self.budget.end(began);
                answer_of(kept)
            }
            Err(stop) => Err(stop),
        };
        self.note(&answer);
        answer.map(done_of)
    }

    async fn groups_answer(&mut self, verb: &str, given: &Arguments) -> Kept<Fields> {
        Ok(match verb {
            "get" => reply([("group", self.present(Kind::Group, text(given, "key")?).await?.into())]),
            "get_by_name" => {
                let group = self.group_called(text(given, "name")?).await?;
                reply([("group", group.ok_or_else(|| Trouble::absent(Kind::Group))?.into())])
            }
            "get_or_create_by_name" => {
                let (group, created) = self.group_made(text(given, "name")?).await?;
                reply([("group", group.into()), ("created", created.into())])
            }
            "update" => reply([("group", self.group_changed(given).await?.into())]),
            "search" => self.groups_found(Some(&query(given)?)).await?,
            "list" => self.groups_found(None).await?,
            _ => {
                let group = self.present(Kind::Group, text(given, "key")?).await?;
                let count = self.members(&group).await?;
                reply([("group", group.into()), ("count", count.into())])
            }
        })
    }

    async fn group_called(&mut self, wanted: &str) -> Kept<Option<Fields>> {
        let signpost = self.signpost(Kind::Group, "name", wanted)?;
        let Some(key) = self.led_to(&signpost).await? else { return Ok(None) };
        Ok(self.item(Kind::Group, &key).await?.filter(|group| name(group) == wanted))
    }

    /// The group of this name, which is made if there is none, and whether it was.
    async fn group_made(&mut self, wanted: &str) -> Kept<(Fields, bool)> {
        let signpost = self.signpost(Kind::Group, "name", wanted)?;
        let key = match self.settle(Kind::Group, &signpost, |group| name(group) == wanted).await? {
            Settled::Found(group) => return Ok((group, false)),
            Settled::Free(key) => key,
        };
        let mut group = own_fields(self, &key);
        group.extend(reply([("name", wanted.into()), ("query", Value::Null)]));
        self.keep_settled(Kind::Group, &signpost, &key, &group).await?;
        Ok((group, true))
    }

    /// Gives a group another name or query.
    async fn group_changed(&mut self, given: &Arguments) -> Kept<Fields> {
        let key = text(given, "key")?;
        let before = self.present(Kind::Group, key).await?;
        let mut group = before.clone();
        if given.get("name").is_some() {
            group.insert("name".to_owned(), text(given, "name")?.into());
        }
        match given.get("query") {
            None => {}
            Some(Value::Null) => {
                group.insert("query".to_owned(), Value::Null);
            }
            Some(_) => {
                query(given)?;
                group.insert("query".to_owned(), text(given, "query")?.into());
            }
        }
        let old = self.signpost(Kind::Group, "name", name(&before))?;
        let new = self.signpost(Kind::Group, "name", name(&group))?;
        self.keep(Kind::Group, key, &group).await?;
        if old != new {
            if self.led_to(&old).await?.as_deref() == Some(key) {
                self.forget(&old).await?;
            }
            // Of several groups with one name the first is found.
            if !self.claim(&new, key).await? && self.group_called(name(&group)).await?.is_none() {
                self.lead(&new, key).await?;
            }
        }
        Ok(group)
    }

    /// The groups that a query finds, or all.
    async fn groups_found(&mut self, query: Option<&Query>) -> Kept<Fields> {
        let limit = self.app.limits.transfer.0;
        let (mut groups, mut bytes) = (Vec::new(), 0u64);
        self.each(Kind::Group, |group| {
            if query.is_none_or(|query| query.finds(&group)) {
                let group = Value::Object(group);
                bytes = bytes.saturating_add(group.to_string().len() as u64);
                if bytes > limit {
                    return Err(Error::Quota(format!("the groups have more than {limit} bytes")).into());
                }
                groups.push(group);
            }
            Ok(true)
        })
        .await?;
        Ok(reply([("groups", groups.into())]))
    }

    /// How many contacts a group has.
    async fn members(&mut self, group: &Fields) -> Kept<u64> {
        let query = match group.get("query").and_then(Value::as_str) {
            Some(query) => Some(Query::parse(query).map_err(Trouble::wrong)?),
            None => None,
        };
        let key = group.get("key");
        let is_in = |contact: &Fields| {
            let groups = contact.get("groups").and_then(Value::as_array);
            groups.is_some_and(|groups| groups.iter().any(|group| Some(group) == key))
        };
        let mut count = 0;
        self.each(Kind::Contact, |contact| {
            count += u64::from(query.as_ref().map_or_else(|| is_in(&contact), |query| query.finds(&contact)));
            Ok(true)
        })
        .await?;
        Ok(count)
    }
}
