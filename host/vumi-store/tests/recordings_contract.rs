//! The rules of [`vumi_core::Recordings`], run against every backend.

mod kit;
mod recordings_rules;

/// Makes a test of each rule for each backend. A backend is a function that makes a fresh
/// [`recordings_rules::Backend`].
macro_rules! contract {
    ([$($backend:ident),*] $rules:tt) => {
        $(contract! { @backend $backend $rules })*
    };
    (@backend $backend:ident { $($rule:ident),* $(,)? }) => {
        mod $backend {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    crate::recordings_rules::$rule(crate::recordings_rules::Backend::$backend()).await;
                }
            )*
        }
    };
}

contract! { [memory, sqlite] {
    a_recording_is_read_as_it_was_put,
    a_reader_sees_what_was_put_before,
    lists_come_newest_first_and_in_pages,
    lists_are_filtered_by_app_and_user,
    one_of_the_same_id_replaces_the_other,
    no_more_than_so_many_are_kept,
    the_tapes_have_a_bound_together,
    a_tape_that_can_never_fit_is_dropped_alone,
    the_old_are_forgotten,
    differences_come_newest_first_and_in_pages,
    no_more_than_so_many_differences_are_kept,
    zero_is_taken_as_one,
    after_closing_nothing_is_taken,
} }
