//! The keys of tag pools (specification: tagpool, section 1).

/// The set of all pools.
pub(super) const POOLS: &str = "tagpools:list";

/// Free names, in the order in which they are given out.
pub(super) fn free_list(pool: &str) -> String {
    format!("tagpools:{pool}:free:list")
}

/// Free names.
pub(super) fn free_set(pool: &str) -> String {
    format!("tagpools:{pool}:free:set")
}

/// Names in use.
pub(super) fn in_use(pool: &str) -> String {
    format!("tagpools:{pool}:inuse:set")
}

/// Field → JSON.
pub(super) fn metadata(pool: &str) -> String {
    format!("tagpools:{pool}:metadata")
}

/// Name → JSON: why, by whom and when it was acquired.
pub(super) fn reasons(pool: &str) -> String {
    format!("tagpools:{pool}:reason:hash")
}

/// The tags of an owner.
pub(super) fn owned(owner: Option<&str>) -> String {
    match owner {
        Some(owner) => format!("tagpools:owners:{owner}:tags"),
        None => "tagpools:unowned:tags".to_owned(),
    }
}
