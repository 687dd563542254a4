//! The rules of [`vumi_core::Collections`], run against every backend. On a Redis cluster the keys share a hash tag, as
//! those of one change must.

mod collections_rules;
mod kit;

/// Makes a test of each rule for each backend. A backend is a function that makes a fresh [`kit::collections::Bench`].
macro_rules! contract {
    ([$($backend:ident),*] $rules:tt) => {
        $(contract! { @backend $backend $rules })*
    };
    (@backend $backend:ident { $($file:ident: [$($rule:ident),* $(,)?],)* }) => {
        mod $backend {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    crate::collections_rules::$file::$rule(crate::kit::collections::Bench::$backend()).await;
                }
            )*)*
        }
    };
}

contract! { [memory, sqlite, redis, cluster] {
    kinds: [
        texts,
        hashes,
        sets,
        lists,
        sorted_sets,
        scores_are_exact,
        any_text_is_a_key_a_field_and_a_member,
        keys_are_found_by_their_beginning,
        collections_larger_than_one_call_can_pass,
    ],
    changes: [
        guards_decide,
        a_guard_that_fails_leaves_everything_as_it_was,
        guards_are_asked_in_order,
        steps_see_what_the_steps_before_them_did,
        what_becomes_empty_is_gone,
        nothing_to_do_is_done,
        wrong_kinds_are_refused_everywhere,
        a_step_on_the_wrong_kind_undoes_the_whole_change,
        a_key_may_change_its_kind_within_a_change,
        a_key_that_is_emptied_within_a_change_is_free,
        scores_that_are_no_numbers_are_refused,
    ],
    expiry: [
        a_key_expires,
        an_expiry_outlasts_changes_but_not_deletion,
        an_expired_key_is_free,
        extreme_times_are_taken,
    ],
    races: [
        of_two_changes_with_one_guard_one_wins,
        an_entry_is_taken_by_one,
        nobody_sees_half_a_change,
        a_bound_is_never_passed,
    ],
    model: [
        a_long_random_walk_agrees_with_a_simple_model,
    ],
} }
