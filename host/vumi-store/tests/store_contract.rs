//! The rules of [`vumi_core::Store`], run against every backend.

mod kit;
mod store_rules;

/// Makes a test of each rule for each backend. A backend is a function that makes a fresh store from options.
macro_rules! contract {
    ([$($backend:ident),*] $rules:tt) => {
        $(contract! { @backend $backend $rules })*
    };
    (@backend $backend:ident { $($rule:ident),* $(,)? }) => {
        mod $backend {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    crate::store_rules::$rule(crate::store_rules::Backend::$backend()).await;
                }
            )*
        }
    };
}

contract! { [memory, sqlite] {
    a_message_is_stored_once,
    of_many_at_once_one_stores_the_message,
    a_message_is_read_as_it_was_stored,
    messages_come_newest_first_and_in_pages,
    messages_are_filtered_by_transport_and_user,
    old_messages_are_forgotten,
    runs_are_read_as_they_were_stored,
    runs_and_logs_come_newest_first_by_app,
    old_runs_and_logs_are_forgotten,
    after_closing_nothing_is_taken,
} }
