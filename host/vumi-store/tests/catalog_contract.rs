//! The rules of [`vumi_core::Catalog`], run against every backend.

mod catalog_rules;

use catalog_rules::Bench;

/// Makes a test of each rule for each backend. A backend is a function that makes a fresh [`catalog_rules::Bench`].
macro_rules! contract {
    ([$($backend:ident),*] $rules:tt) => {
        $(contract! { @backend $backend $rules })*
    };
    (@backend $backend:ident { $($file:ident: [$($rule:ident),* $(,)?],)* }) => {
        mod $backend {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    crate::catalog_rules::$file::$rule(crate::catalog_rules::Bench::$backend()).await;
                }
            )*)*
        }
    };
}

contract! { [memory, sqlite] {
    versions: [
        an_upload_makes_the_app,
        a_component_that_the_app_has_is_not_kept_again,
        of_many_uploads_at_once_one_is_new,
        a_number_is_never_given_twice,
        apps_share_components,
        a_version_in_use_is_not_removed,
        a_removed_app_leaves_nothing,
        a_large_component_is_kept_whole,
        what_is_not_there_is_not_there,
    ],
    changes: [
        activating_remembers_what_answered_before,
        going_back_and_forth,
        what_is_activated_is_neither_canary_nor_shadow,
        a_canary_has_a_version_and_a_share,
        a_shadow_has_a_version,
        every_change_raises_the_generation,
        a_change_of_what_has_changed_is_refused,
        of_two_changes_of_one_generation_one_wins,
        a_refused_change_changes_nothing,
    ],
    access: [
        secrets_belong_to_their_app,
        tokens_are_kept_by_their_id,
        the_audit_log_comes_newest_first_and_in_pages,
        old_entries_of_the_audit_log_are_forgotten,
        after_closing_nothing_is_taken,
    ],
} }

#[test]
fn any_steps_agree_with_a_simple_model_in_memory() {
    catalog_rules::model::any_steps_agree_with_a_simple_model(Bench::memory);
}

#[test]
fn any_steps_agree_with_a_simple_model_in_a_file() {
    catalog_rules::model::any_steps_agree_with_a_simple_model(Bench::sqlite);
}
