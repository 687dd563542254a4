//! The options of the host itself: admin server, log, queues.

use tracing_subscriber::EnvFilter;
use vumi_admin::{AdminError, AdminOptions};
use vumi_core::ByteSize;

use super::Report;
use crate::config::system::SystemConfig;
use crate::config::yaml::Node;

/// A queue must hold at least one message of the largest size.
const LEAST_QUEUE: ByteSize = ByteSize::mib(1);

pub(super) fn check(config: &SystemConfig, report: &mut Report<'_>) {
    match config.admin.as_ref().map_or(Ok(()), AdminOptions::check) {
        Ok(()) => {}
        Err(AdminError::TokenRequired(listen)) => report.wrong(
            &["admin", "listen"],
            format!("other machines can reach {listen}, so a token is required"),
            "add `token: \"${NAME}\"` or `token_file`, or listen on 127.0.0.1",
        ),
        Err(_) => {
            let key = if report.has(&["admin", "token"]) { "token" } else { "token_file" };
            report.wrong(
                &["admin", key],
                "the token is too short or holds characters that cannot be sent",
                "use at least 16 letters, digits or -._~+/=, for example from `openssl rand -hex 16`",
            );
        }
    }
    if report.tree.at(&["data_dir"]).and_then(Node::text) == Some("") {
        report.wrong(&["data_dir"], "data_dir is empty", "name a folder, or leave the key out to keep nothing");
    }
    if config.queues.max_bytes < LEAST_QUEUE {
        let sentence = format!("max_bytes must be at least {LEAST_QUEUE}, here it is {}", config.queues.max_bytes);
        report.wrong(&["queues", "max_bytes"], sentence, "leave it out for 64 MiB");
    }
    if let Err(error) = EnvFilter::try_new(&config.log) {
        report.wrong(
            &["log"],
            format!("`{}` is no log filter: {error}", config.log),
            "write a level (error, warn, info, debug, trace) or a list such as info,vumi_transport=debug",
        );
    }
}
