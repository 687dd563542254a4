//! `vumi:app/outbound`: messages to users (specification: sandbox, section 6).
//!
//! A message is handed to the broker at once; that the broker has it safe is awaited before the run's own message
//! is acknowledged, so the guest need not wait for the disk. How it is built stands in `compose`.

use vumi_bindings::app::vumi::app::outbound::{Host, ReplyOptions, SendOptions};
use vumi_bindings::app::vumi::app::types::Error;
use vumi_message::UserMessage;

use crate::state::{Guest, wait};
use crate::tape::{reply_values, send_values};

impl Guest {
    async fn answer(
        &mut self,
        content: Option<String>,
        options: ReplyOptions,
        to_group: bool,
    ) -> wasmtime::Result<Result<String, Error>> {
        let began = self.begin()?;
        let built = self.build_answer(content, &options, to_group);
        let answer = match built {
            Ok(message) => self.hand_over(message).await?,
            Err(error) => Err(error),
        };
        self.budget.end(began);
        Ok(answer)
    }

    /// Notes that a message was not taken. Its number is used up all the same: when the run is repeated, the message
    /// must have the id that it had, and no other message of this run may have got it.
    pub(crate) fn lose(&mut self, reason: String) {
        self.budget.numbered += 1;
        self.lost_message = Some(reason);
    }

    /// Gives a message to the broker.
    async fn hand_over(&mut self, message: UserMessage) -> wasmtime::Result<Result<String, Error>> {
        if self.budget.sent >= self.app.limits.outbound_messages {
            return Ok(Err(Error::Quota(format!(
                "this run has sent {} messages, the limit outbound_messages",
                self.app.limits.outbound_messages
            ))));
        }
        if let Some(answer) = self.taped_delivery(&message) {
            return Ok(answer);
        }
        let id = message.message_id().to_owned();
        let cap = std::time::Duration::from_secs(30);
        match wait(self.budget.deadline, cap, self.app.outbox.send(message)).await? {
            Some(Ok(confirm)) => {
                self.budget.numbered += 1;
                self.budget.sent += 1;
                self.confirms.extend(confirm);
                Ok(Ok(id))
            }
            // No retry can mend it (the message is larger than a queue takes): the guest's own affair.
            Some(Err(error)) if !error.is_temporary() => Ok(Err(Error::Invalid(error.to_string()))),
            Some(Err(error)) => {
                self.lose(error.report());
                Ok(Err(Error::Unavailable("the message could not be handed to the broker".into())))
            }
            None => {
                self.lose("the broker did not take a message in time".into());
                Ok(Err(Error::Unavailable("the broker did not take the message in time".into())))
            }
        }
    }
}

impl Host for Guest {
    async fn reply(
        &mut self,
        content: Option<String>,
        options: ReplyOptions,
    ) -> wasmtime::Result<Result<String, Error>> {
        self.listen("outbound.reply", || reply_values(content.as_deref(), &options))?;
        let answer = self.answer(content, options, false).await;
        self.note(&answer);
        answer
    }

    async fn reply_to_group(
        &mut self,
        content: Option<String>,
        options: ReplyOptions,
    ) -> wasmtime::Result<Result<String, Error>> {
        self.listen("outbound.reply-to-group", || reply_values(content.as_deref(), &options))?;
        let answer = self.answer(content, options, true).await;
        self.note(&answer);
        answer
    }

    async fn send_to(
        &mut self,
        to_addr: String,
        content: Option<String>,
        options: SendOptions,
    ) -> wasmtime::Result<Result<String, Error>> {
        self.listen("outbound.send-to", || send_values(&to_addr, content.as_deref(), &options))?;
        let answer = self.send(to_addr, content, options).await;
        self.note(&answer);
        answer
    }
}

impl Guest {
    async fn send(
        &mut self,
        to_addr: String,
        content: Option<String>,
        options: SendOptions,
    ) -> wasmtime::Result<Result<String, Error>> {
        let began = self.begin()?;
        let answer = match self.build_send(&to_addr, content.as_deref(), &options) {
            Ok(message) => self.hand_over(message).await?,
            Err(error) => Err(error),
        };
        self.budget.end(began);
        Ok(answer)
    }
}
