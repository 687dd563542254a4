//! The commands about the tokens of the admin API.

use clap::{Args, Subcommand, ValueEnum};

use super::host::Host;
use super::values::seconds;

/// Options of `token`.
#[derive(Args, Debug, Clone)]
pub struct Token {
    /// The host.
    #[command(flatten)]
    pub host: Host,
    /// Prints the answer of the API as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: TokenCommand,
}

/// Commands about tokens.
#[derive(Subcommand, Debug, Clone)]
pub enum TokenCommand {
    /// Makes a token and prints it, this once.
    #[command(after_help = "Example:\n  vumi-host token create ci --scope deploy --expires 30d")]
    Create {
        /// Who or what is going to use it; stands in the audit log.
        name: String,
        /// What it may do; each one includes those before it.
        #[arg(long, value_enum)]
        scope: ScopeChoice,
        /// After what time it is refused, such as `12h` or `30d`; never unless given.
        #[arg(long, value_name = "TIME", value_parser = seconds)]
        expires: Option<u64>,
    },
    /// Lists the tokens, without their secrets.
    #[command(after_help = "Example:\n  vumi-host token list")]
    List,
    /// Takes a token back: it is refused from now on.
    #[command(after_help = "Example:\n  vumi-host token revoke 5b0c…")]
    Revoke {
        /// The token's id, as the list names it.
        id: String,
    },
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScopeChoice {
    /// Look at everything.
    Read,
    /// Deploy apps, and send from simulated phones.
    Deploy,
    /// Everything else: tokens, the audit log, dead letters.
    Admin,
}
