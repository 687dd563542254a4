//! What Redis, or the way to it, answered instead of doing what it was asked: one sentence for people, a verdict for
//! callers, and a name for the trouble, by which the log tells when it changes.

use std::time::Duration;

use redis::RedisError;

use crate::StoreError;

/// What is the matter with a Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Trouble {
    /// No connection can be made.
    Unreachable = 1,
    /// A connection broke.
    Lost,
    /// No answer in time.
    Silent,
    /// The password or user name is wrong or missing.
    Login,
    /// It reads its data from disk.
    Loading,
    /// `maxmemory` is reached.
    Full,
    /// A replica, which takes no writes.
    ReadOnly,
    /// It takes no writes because it cannot save them, or has too few replicas.
    Unsafe,
    /// The cluster misses nodes, or moves slots.
    Cluster,
    /// The user's access list forbids the command.
    Forbidden,
    /// A script of somebody else's blocks it.
    Busy,
}

impl Trouble {
    /// Whether it concerns writes alone, so that a read that succeeds does not show that it is over.
    pub(super) fn is_of_writes(self) -> bool {
        matches!(self, Self::Full | Self::ReadOnly | Self::Unsafe | Self::Forbidden)
    }
}

/// An answer that is none.
#[derive(Debug)]
pub(super) struct Fault {
    /// None: the caller's mistake, nothing is wrong with Redis.
    pub(super) trouble: Option<Trouble>,
    /// True when it is certain that the command was not done.
    pub(super) undone: bool,
    pub(super) error: StoreError,
}

/// The text of an error as the server sent it, or as the library says it.
pub(super) fn text(error: &RedisError) -> String {
    match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        (Some(code), None) => code.to_owned(),
        // `description - Kind: detail`
        (None, Some(detail)) => format!("{}: {detail}", error.to_string().split(" - ").next().unwrap_or_default()),
        (None, None) => error.to_string(),
    }
}

/// Judges an error. `connecting`: it came while a connection was made, where nothing is the caller's mistake.
pub(super) fn judge(place: &str, patience: Duration, error: &RedisError, connecting: bool) -> Fault {
    let said = text(error);
    let has = |code: &str| said.contains(code);
    let fault = |trouble, undone, sentence: String| Fault {
        trouble: Some(trouble),
        undone,
        error: StoreError::Redis { sentence, temporary: true },
    };
    let caller = |error| Fault { trouble: None, undone: true, error };

    if has("WRONGPASS") || has("invalid username-password pair") || has("invalid password") {
        return fault(
            Trouble::Login,
            true,
            format!("Redis at {place} refuses the user name or password ({said}); correct them in its address"),
        );
    }
    if has("NOAUTH") || has("Authentication required") || has("Password authentication failed") {
        return fault(
            Trouble::Login,
            true,
            format!("Redis at {place} wants a password ({said}); put it into its address"),
        );
    }
    if has("OOM command not allowed") || said.starts_with("OOM ") {
        return fault(
            Trouble::Full,
            true,
            format!("Redis at {place} is full ({said}); raise its `maxmemory`, or delete keys that are not needed"),
        );
    }
    if has("READONLY") || has("read only replica") {
        return fault(
            Trouble::ReadOnly,
            true,
            format!("Redis at {place} is a replica that takes no writes ({said}); give the address of its primary"),
        );
    }
    if has("MISCONF") || has("NOREPLICAS") {
        return fault(
            Trouble::Unsafe,
            true,
            format!("Redis at {place} takes no writes because it could not keep them safe ({said}); see its log"),
        );
    }
    if has("LOADING") || has("BusyLoading") || has("MASTERDOWN") {
        return fault(
            Trouble::Loading,
            true,
            format!("Redis at {place} is still loading its data ({said}); wait until it is ready"),
        );
    }
    if has("CLUSTERDOWN") || said.starts_with("TRYAGAIN") || said.starts_with("MOVED") || said.starts_with("ASK ") {
        return fault(
            Trouble::Cluster,
            true,
            format!("the Redis cluster at {place} cannot serve this key now ({said}); see `CLUSTER INFO` of its nodes"),
        );
    }
    if has("NOPERM") {
        return fault(
            Trouble::Forbidden,
            true,
            format!("Redis at {place} does not allow this user a command ({said}); extend its access list (ACL)"),
        );
    }
    if said.starts_with("BUSY ") {
        return fault(
            Trouble::Busy,
            true,
            format!("Redis at {place} is held up by a script ({said}); end it with `SCRIPT KILL`"),
        );
    }
    if has("WRONGTYPE") && !connecting {
        return caller(StoreError::WrongType);
    }
    if has("value is not an integer or out of range") && !connecting {
        return caller(StoreError::NotAnInteger);
    }
    if has("increment or decrement would overflow") && !connecting {
        return caller(StoreError::Overflow);
    }
    if error.is_timeout() {
        let seconds = patience.as_secs_f64();
        return if connecting {
            fault(
                Trouble::Unreachable,
                true,
                format!("Redis at {place} cannot be reached (no connection within {seconds} s); check its address"),
            )
        } else {
            fault(
                Trouble::Silent,
                false,
                format!("Redis at {place} did not answer within {seconds} s; it may have done what it was asked"),
            )
        };
    }
    if connecting {
        return fault(
            Trouble::Unreachable,
            true,
            format!("Redis at {place} cannot be reached ({said}); start it, or correct its address"),
        );
    }
    if matches!(error.kind(), redis::ErrorKind::ClusterConnectionNotFound) {
        return fault(
            Trouble::Cluster,
            true,
            format!("the Redis cluster at {place} has no node for this key within reach ({said}); start its nodes"),
        );
    }
    if error.is_io_error() || matches!(error.kind(), redis::ErrorKind::Parse) {
        return fault(
            Trouble::Lost,
            false,
            format!("the connection to Redis at {place} broke ({said}); it may have done what it was asked"),
        );
    }
    caller(StoreError::Redis { sentence: format!("Redis at {place} answered: {said}"), temporary: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(code: &str, detail: &str, connecting: bool) -> (Option<Trouble>, String, bool) {
        let error = redis::make_extension_error(code.to_owned(), Some(detail.to_owned()));
        let fault = judge("h:1", Duration::from_secs(5), &error, connecting);
        let error = vumi_core::Error::from(fault.error);
        (fault.trouble, error.report(), error.is_temporary())
    }

    #[test]
    fn each_trouble_has_a_sentence_that_says_how_to_mend_it() {
        let (trouble, text, temporary) = judged("OOM", "command not allowed when used memory > 'maxmemory'.", false);
        assert_eq!((trouble, temporary), (Some(Trouble::Full), true));
        assert_eq!(
            text,
            "Redis at h:1 is full (OOM command not allowed when used memory > 'maxmemory'.); raise its `maxmemory`, or \
             delete keys that are not needed"
        );
        let (trouble, text, temporary) = judged("WRONGPASS", "invalid username-password pair", true);
        assert_eq!((trouble, temporary), (Some(Trouble::Login), true));
        assert!(text.starts_with("Redis at h:1 refuses the user name or password (WRONGPASS "), "{text}");
        for (code, expected) in [
            ("NOAUTH", Trouble::Login),
            ("READONLY", Trouble::ReadOnly),
            ("MISCONF", Trouble::Unsafe),
            ("LOADING", Trouble::Loading),
            ("CLUSTERDOWN", Trouble::Cluster),
            ("NOPERM", Trouble::Forbidden),
            ("BUSY", Trouble::Busy),
        ] {
            let (trouble, text, temporary) = judged(code, "some words", false);
            assert_eq!((trouble, temporary), (Some(expected), true), "{text}");
            assert!(text.contains("h:1") && text.contains("some words") && text.contains("; "), "{text}");
        }
    }

    #[test]
    fn the_caller_s_mistakes_are_permanent_and_in_redis_own_words() {
        for (code, detail, text) in [
            ("WRONGTYPE", "Operation against a key holding the wrong kind of value", None),
            ("ERR", "value is not an integer or out of range", Some("value is not an integer or out of range")),
            ("ERR", "increment or decrement would overflow", Some("increment or decrement would overflow")),
            ("ERR", "unknown command", Some("Redis at h:1 answered: ERR unknown command")),
        ] {
            let (trouble, said, temporary) = judged(code, detail, false);
            assert_eq!((trouble, temporary), (None, false), "{said}");
            assert_eq!(said, text.map_or_else(|| format!("{code} {detail}"), str::to_owned));
        }
    }
}
