//! The rules of [`vumi_core::KvStore`], run against every backend. The rules named `check_…` are those of the
//! specification (sandbox, "Checks") as far as they concern the store.
//!
//! Two groups of rules are for the embedded backends alone: those that move the clock, which in Redis nobody can, and
//! those by which a counter follows its keys whoever deletes them. What Redis promises in their place is in
//! `redis_expiry.rs` and `redis_quota.rs`.

mod kit;
mod kv_rules;

/// Makes a test of each rule for each backend. A backend is a function that makes a fresh [`kit::KvBench`].
macro_rules! contract {
    ([$($backend:ident),*] $rules:tt) => {
        $(contract! { @backend $backend $rules })*
    };
    (@backend $backend:ident { $($file:ident: [$($rule:ident),* $(,)?],)* }) => {
        mod $backend {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    crate::kv_rules::$file::$rule(crate::kit::KvBench::$backend()).await;
                }
            )*)*
        }
    };
}

contract! { [memory, sqlite, redis, cluster, tagged_cluster] {
    values: [
        a_value_is_what_was_set_last,
        set_if_absent_sets_once,
        delete_tells_whether_the_key_was_there,
        any_text_is_a_key,
        any_text_is_a_value,
        a_confirmed_write_is_seen_by_all,
    ],
    numbers: [
        check_09_incr,
        only_integers_are_added_to,
        sums_beyond_64_bits_are_refused,
        concurrent_incr_is_exact,
    ],
    quota: [
        check_05_keys_are_counted,
        check_07_limits,
        check_08_small_limits,
        check_09_incr_within,
        soft_at_or_above_hard_decides,
        existing_keys_are_never_limited,
        a_failed_incr_leaves_the_counter,
        owners_are_counted_apart,
        a_counter_that_is_no_number_refuses_new_keys,
        a_counter_changed_by_hand_stays_at_zero_or_above,
        concurrent_writers_never_pass_the_limit,
        concurrent_makers_and_deleters_leave_the_true_number,
    ],
    listing: [
        keys_are_listed_in_order_up_to_the_limit,
        a_prefix_is_taken_literally,
        prefixes_at_the_edges_of_the_alphabet,
    ],
    model: [
        a_long_random_walk_agrees_with_a_simple_model,
    ],
} }

mod by_the_clock {
    contract! { [memory, sqlite] {
        expiry: [
            check_06_a_ttl_counts_down,
            a_key_is_gone_at_its_moment,
            set_without_ttl_removes_the_expiry,
            a_new_ttl_replaces_the_old,
            an_expired_key_is_absent_for_every_operation,
            a_ttl_is_never_shorter_than_asked_for,
            extreme_ttls_are_taken,
        ],
        numbers: [
            incr_keeps_the_expiry,
        ],
        quota: [
            check_06_a_counted_key_with_a_ttl,
            a_plain_delete_lowers_the_counter,
            expiry_lowers_the_counter,
            an_expiry_put_off_or_brought_forward_is_followed,
            a_key_made_anew_is_counted_as_it_was_made,
        ],
        listing: [
            a_listing_tells_value_and_time_left,
        ],
    } }
}
